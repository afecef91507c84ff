-- The OAuth provider: sign-ins under way, codes, refresh tokens, devices, keys that rotate.
-- Whatever proves something is kept as its SHA-256.

-- A key is published before it signs, and stays known until the last token it signed is over.
alter table vibe.signing_keys
  add column algorithm text not null default 'ES256' check (algorithm in ('ES256', 'RS256')),
  add column state text not null default 'active' check (state in ('next', 'active', 'retired')),
  add column state_time timestamptz not null default now();
update vibe.signing_keys set state = 'retired' where not active;
drop index vibe.signing_keys_one_active;
alter table vibe.signing_keys drop column active;
create unique index signing_keys_one_of_state on vibe.signing_keys (algorithm, state) where state <> 'retired';

-- A request for authorization: pushed (RFC 9126), or on its way through the hosted pages.
create table vibe.authorization_requests (
  id uuid primary key,                            -- version 4: stands in addresses of pages
  app_did text not null references vibe.apps (did),
  pushed_hash bytea unique,                       -- of the request_uri; null once it was used, or when there was none
  browser_hash bytea,                             -- of the cookie of the one browser that may go on with it
  parameters jsonb not null,
  decided_by text,                                -- the account that answered
  accepted text[],                                -- the scopes it let through; null: refused
  decide_time timestamptz,
  create_time timestamptz not null default now(),
  expire_time timestamptz not null
);
create index authorization_requests_by_end on vibe.authorization_requests (expire_time);

-- What a family of tokens is good for, and what its ID tokens say.
alter table vibe.token_families
  alter column app_did drop not null,             -- null: made by an operator with `vibe token`, for no app
  add column scopes text[] not null default '{}',
  add column auth_time timestamptz,
  add column methods text[] not null default '{}';
create index token_families_by_app on vibe.token_families (app_did);
create index token_families_by_end on vibe.token_families (expire_time);

create table vibe.authorization_codes (
  code_hash bytea primary key,
  family_id uuid not null,                        -- the family it becomes when it is redeemed
  app_did text not null references vibe.apps (did) on delete cascade,
  did text not null references vibe.accounts (did),
  grant_id uuid not null references vibe.grants (id) on delete cascade,
  session_id uuid references vibe.sessions (id) on delete set null,
  redirect_uri text,                              -- null: handed over by the browser itself (FedCM)
  code_challenge text not null,
  scopes text[] not null,
  nonce text,
  key_thumbprint text,                            -- RFC 9449 section 10: dpop_jkt
  auth_time timestamptz not null,
  methods text[] not null,
  create_time timestamptz not null default now(),
  expire_time timestamptz not null,
  use_time timestamptz                            -- kept for a day, so that a second use ends what the first one began
);
create index authorization_codes_by_end on vibe.authorization_codes (expire_time);

create table vibe.refresh_tokens (
  token_hash bytea primary key,
  family_id uuid not null references vibe.token_families (id) on delete cascade,
  create_time timestamptz not null default now(),
  expire_time timestamptz not null,
  use_time timestamptz
);
create index refresh_tokens_by_family on vibe.refresh_tokens (family_id);

-- A device that waits for somebody to type its code elsewhere (RFC 8628).
create table vibe.device_codes (
  device_hash bytea primary key,
  user_code_hash bytea not null unique,
  app_did text not null references vibe.apps (did) on delete cascade,
  scopes text[] not null,
  network text not null,                          -- where the device asked from
  decided_by text references vibe.accounts (did),
  accepted text[],                                -- null after a decision: refused
  decide_time timestamptz,
  session_id uuid references vibe.sessions (id) on delete set null,
  auth_time timestamptz,
  methods text[] not null default '{}',
  poll_time timestamptz,
  poll_interval interval not null default '5 s',
  create_time timestamptz not null default now(),
  expire_time timestamptz not null
);
create index device_codes_by_end on vibe.device_codes (expire_time);

-- Assertions and challenges that were used: none works twice, on whichever node.
create table vibe.used_assertions (
  assertion_hash bytea primary key,
  expire_time timestamptz not null
);
create index used_assertions_by_end on vibe.used_assertions (expire_time);
