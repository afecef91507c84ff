-- How people prove who they are. What proves something is kept as its SHA-256, or is public by itself, as a passkey's key.

alter table vibe.accounts
  add column erase_time timestamptz;              -- when everything of a deleted account was gone
-- A passkey names its account by the UUID at the end of the DID, which stays when the server gets another name.
create index accounts_by_uuid on vibe.accounts (right(did, 32));
create index accounts_to_erase on vibe.accounts (delete_time) where delete_time is not null and erase_time is null;

-- The second cookie of a session, which only the FedCM endpoints take (SameSite=None).
alter table vibe.sessions
  add column fedcm_hash bytea unique;
-- Its owner may take a handle back.
alter table vibe.released_handles
  add column did text;

create index sessions_by_expiry on vibe.sessions (expire_time);

-- WebAuthn credentials. The user handle is the bare UUID of the account's DID.
create table vibe.passkeys (
  credential_id bytea primary key,
  id uuid not null unique,                        -- by which its owner names it
  did text not null references vibe.accounts (did),
  name text not null default '',
  public_key bytea not null,                      -- COSE
  sign_count bigint not null,
  transports text[] not null default '{}',
  is_user_verified boolean not null,
  is_backup_eligible boolean not null,
  is_backed_up boolean not null,
  attestation_object bytea not null,
  client_data_json bytea not null,
  create_time timestamptz not null,
  active_time timestamptz not null,               -- from when on it signs in: later than create_time when a mail link alone added it
  last_use_time timestamptz
);
create index passkeys_by_account on vibe.passkeys (did);

-- Started and not yet finished: a passkey's challenge, used up by `delete … returning`, by the browser that started it.
create table vibe.challenges (
  id uuid primary key,
  purpose text not null,
  browser_hash bytea not null,
  did text,
  state text not null,                            -- what the WebAuthn handler must see again
  details jsonb not null default '{}',
  expire_time timestamptz not null
);
create index challenges_by_expiry on vibe.challenges (expire_time);

-- Addresses whose owner has opened the link sent there.
create table vibe.email_addresses (
  address text primary key,                       -- lower case
  did text not null references vibe.accounts (did),
  verify_time timestamptz not null
);
create index email_addresses_by_account on vibe.email_addresses (did);

-- Links sent by mail. An unknown address leaves a row as well, so that it costs the same.
create table vibe.mail_links (
  token_hash bytea primary key,
  purpose text not null check (purpose in ('sign-in', 'verify')),
  browser_hash bytea not null,
  did text,
  address text not null,
  request_id text,                                -- the app's request that the person came with
  expire_time timestamptz not null
);
create index mail_links_by_expiry on vibe.mail_links (expire_time);

-- Ten at a time; a used one is gone.
create table vibe.recovery_codes (
  did text not null references vibe.accounts (did),
  code_hash bytea not null,
  create_time timestamptz not null default now(),
  primary key (did, code_hash)
);

create index throttles_by_time on vibe.throttles (update_time);
create index audit_events_by_time on vibe.audit_events (create_time);
