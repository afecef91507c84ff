-- What accounts and apps are called to the rest of the world (did:web), and what they attest to each other. As elsewhere in
-- this block, the role of requests has no privilege here.

-- Keys that the platform holds for an account or app.
create table vibe.did_keys (
  did text not null,
  purpose text not null check (purpose in ('signing', 'update')),
  key_id text not null,                           -- RFC 7638 thumbprint
  public_key jsonb not null,                      -- JWK
  private_key bytea not null,                     -- PKCS #8, encrypted with the master key
  create_time timestamptz not null default now(),
  primary key (did, purpose)
);

-- Each version of a DID document, chained: an entry names the hash of the one before and of its document, and is signed with
-- the update key that the one before named.
create table vibe.did_log (
  did text not null,
  version integer not null check (version > 0),
  entry text not null,                            -- one line of JSON, exactly as it is served
  document text not null,                         -- exactly as it is served
  create_time timestamptz not null default now(),
  primary key (did, version)
);

-- Bitstring Status Lists. Which bits are set follows from the certificates.
create table vibe.status_lists (
  id uuid primary key,                            -- version 4: stands in addresses
  issuer_did text not null,
  purpose text not null default 'revocation' check (purpose in ('revocation')),
  ordinal integer not null,
  create_time timestamptz not null default now(),
  unique (issuer_did, purpose, ordinal)
);

create table vibe.certificates (
  id uuid primary key,                            -- version 7
  issuer_did text not null,
  subject_did text not null,
  type text not null check (type ~ '^[A-Za-z0-9._-]{1,100}$'),
  claims jsonb not null default '{}',
  key_thumbprint text,                            -- RFC 7800: the key of the holder it is bound to
  token text not null,                            -- vc+jwt
  list_id uuid not null references vibe.status_lists (id),
  status_index integer not null check (status_index >= 0),
  create_time timestamptz not null default now(),
  expire_time timestamptz,                        -- null: until revoked
  revoke_time timestamptz,
  unique (list_id, status_index)
);
create index certificates_held on vibe.certificates (subject_did, id);
create index certificates_issued on vibe.certificates (issuer_did, id);
create index certificates_revoked on vibe.certificates (list_id, status_index) where revoke_time is not null;
