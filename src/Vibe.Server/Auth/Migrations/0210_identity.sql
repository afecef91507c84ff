-- Who people and apps are, where they are signed in, and what they let each other do. As before, the role of requests has
-- no privilege here. Whatever proves something (a session, a code, a token) is kept as its SHA-256.

alter table vibe.accounts
  alter column handle drop not null,              -- null once the account is deleted
  add column display_name text not null default '',
  add column password_hash text,                  -- PBKDF2, with its parameters; null: no password
  add column locale text not null default '',     -- BCP 47; empty: what the browser says
  add column is_operator boolean not null default false,
  add column disable_time timestamptz,
  add column delete_time timestamptz,
  add column update_time timestamptz not null default now();
comment on column vibe.accounts.is_operator is 'May be given the scope admin';

-- A handle is not given to somebody else for a year.
create table vibe.released_handles (
  handle text primary key,
  release_time timestamptz not null default now()
);

alter table vibe.apps
  add column owner_did text references vibe.accounts (did),
  add column manifest jsonb not null default '{}', -- vibe.apps.v1.AppManifest as JSON
  add column approved_privileges text[] not null default '{}',
  add column verified boolean not null default false,
  add column disable_time timestamptz,
  add column delete_time timestamptz,
  add column revision bigint not null default 1,
  add column update_time timestamptz not null default now();
create index apps_by_owner on vibe.apps (owner_did);

-- A browser that is signed in on the origin of Vibe. The cookie holds the secret.
create table vibe.sessions (
  id uuid primary key,
  secret_hash bytea not null unique,
  did text not null references vibe.accounts (did),
  methods text[] not null,                        -- RFC 8176: pwd, hwk, swk, otp, mfa, user
  auth_time timestamptz not null,                 -- when the person last proved who they are
  create_time timestamptz not null default now(),
  last_use_time timestamptz not null default now(),
  expire_time timestamptz not null,
  user_agent text not null default '',
  network text not null default '',               -- an IPv4 address or the first 64 bits of an IPv6 address
  revoke_time timestamptz
);
create index sessions_by_account on vibe.sessions (did) where revoke_time is null;

-- What a person allows an app.
create table vibe.grants (
  id uuid primary key,
  did text not null references vibe.accounts (did),
  app_did text not null references vibe.apps (did),
  scopes text[] not null,                         -- as asked for: documents scopes, names of bundles, openid, profile, …
  create_time timestamptz not null default now(),
  update_time timestamptz not null default now(),
  last_use_time timestamptz not null default now(),
  expire_time timestamptz,                        -- null: until revoked
  unique (did, app_did)
);
create index grants_by_app on vibe.grants (app_did);

-- One sign-in of a person to an app, or of an app as itself. Its id is the claim sid of its tokens.
create table vibe.token_families (
  id uuid primary key,
  did text not null,
  app_did text not null references vibe.apps (did),
  grant_id uuid references vibe.grants (id) on delete cascade,
  session_id uuid references vibe.sessions (id),
  key_thumbprint text,                            -- RFC 9449: the key its tokens are bound to
  create_time timestamptz not null default now(),
  last_use_time timestamptz not null default now(),
  expire_time timestamptz not null,
  revoke_time timestamptz,
  revoke_reason text
);
create index token_families_by_grant on vibe.token_families (grant_id);
create index token_families_by_session on vibe.token_families (session_id);

-- What people and operators should be able to look up later. Never a secret.
create table vibe.audit_events (
  id uuid primary key,                            -- version 7: in order of time
  create_time timestamptz not null default now(),
  type text not null,                             -- session.create, grant.revoke, app.update, …
  did text,                                       -- the account it concerns
  app_did text,                                   -- the app it concerns
  actor_did text,                                 -- who did it; null: nobody signed in
  network text not null default '',
  details jsonb not null default '{}'
);
create index audit_events_by_account on vibe.audit_events (did, id);
create index audit_events_by_app on vibe.audit_events (app_did, id);

-- Attempts that are counted across all nodes: by account, by network, in all.
create table vibe.throttles (
  key text primary key,
  tokens double precision not null,               -- what is left in the bucket
  update_time timestamptz not null
);
