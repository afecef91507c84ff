-- How an app proves who it is, and who looks after it. The role of requests has no privilege here.

create table vibe.app_credentials (
  id uuid primary key,
  app_did text not null references vibe.apps (did),
  kind text not null check (kind in ('secret', 'key')),
  secret_hash bytea unique check (octet_length(secret_hash) = 32), -- SHA-256 of the secret, which nobody keeps
  jwk jsonb check (jsonb_typeof(jwk) = 'object'),                  -- a public key, RFC 7517; its kid is the RFC 7638 thumbprint
  name text not null default '',
  create_time timestamptz not null default now(),
  last_use_time timestamptz,
  expire_time timestamptz,                                         -- null: until revoked
  revoke_time timestamptz,
  check ((kind = 'secret') = (secret_hash is not null) and (kind = 'key') = (jwk is not null))
);
create index app_credentials_by_app on vibe.app_credentials (app_did, id) where revoke_time is null;

-- Accounts that look after an app. The owner, in vibe.apps.owner_did, is not among them.
create table vibe.app_admins (
  app_did text not null references vibe.apps (did),
  did text not null references vibe.accounts (did),
  create_time timestamptz not null default now(),
  primary key (app_did, did)
);
create index app_admins_by_account on vibe.app_admins (did);

-- What an app is called, folded so that names which look alike are one (Unicode TR 39); empty: not checked yet.
alter table vibe.apps add column skeleton text not null default '';
create unique index apps_one_look on vibe.apps (skeleton) where skeleton <> '' and delete_time is null;
