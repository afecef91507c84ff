-- Accounts of users and apps, and the keys that sign their tokens. Requests never read these tables themselves: the
-- role vibe_app has no privilege on them.

create table vibe.accounts (
  did text primary key,
  handle text not null unique check (handle ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  create_time timestamptz not null default now()
);

create table vibe.apps (
  did text primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  create_time timestamptz not null default now()
);

create table vibe.signing_keys (
  key_id text primary key,                        -- RFC 7638 thumbprint
  private_key bytea not null,                     -- PKCS #8, encrypted with the master key
  active boolean not null,
  create_time timestamptz not null default now()
);
create unique index signing_keys_one_active on vibe.signing_keys (active) where active;

-- What the server is called: DIDs and tokens carry it.
create table vibe.server_identity (
  only_one boolean primary key default true check (only_one),
  issuer text not null
);
