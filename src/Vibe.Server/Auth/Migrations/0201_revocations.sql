-- What ends access before its tokens expire. Every node reads new rows twice a second and keeps the live ones in memory;
-- requests never read the table, and the role vibe_app has no privilege on it.

create table vibe.revocations (
  id uuid primary key,
  kind text not null check (kind in ('grant', 'consent', 'account', 'app', 'principals')),
  subject text not null,
  app_did text,
  revoke_time timestamptz not null default clock_timestamp(),
  expire_time timestamptz not null,
  txid xid8 not null default pg_current_xact_id(),
  constraint revocations_app check ((kind = 'consent') = (app_did is not null)));
comment on table vibe.revocations is 'Access tokens that are no longer good, until they have expired';
comment on column vibe.revocations.kind is
  'grant: the tokens of a grant (claim sid). consent, account, app: the tokens issued until revoke_time to an app for a user, for a user, to an app. principals: what access rules call the account has changed';
comment on column vibe.revocations.subject is 'The grant''s id, or the DID of the account or app';
comment on column vibe.revocations.expire_time is 'No token it concerns is alive any more';
comment on column vibe.revocations.txid is 'Which rows a node has not read yet: those its last snapshot did not see';
create index revocations_txid on vibe.revocations (txid);
create index revocations_expire_time on vibe.revocations (expire_time);
