-- What a request id stands for: the same caller who repeats a request gets the outcome of the first.

create table vibe.requests (
  caller_did text not null,
  request_id uuid not null,
  fingerprint bytea not null,
  document_ids uuid[] not null,
  revisions bigint[] not null,
  txid xid8 not null default pg_current_xact_id(),
  create_time timestamptz not null default now(),
  constraint requests_pkey primary key (caller_did, request_id));
comment on column vibe.requests.txid is 'A repeated request gets the consistency token of the first';
create index requests_create_time on vibe.requests (create_time);

alter table vibe.requests enable row level security;
alter table vibe.requests force row level security;
create policy requests_background on vibe.requests to vibe_owner using ((select vibe.is_owner_role()));
create policy requests_own on vibe.requests to vibe_app using (caller_did = (select vibe.me()));
grant select, insert (caller_did, request_id, fingerprint, document_ids, revisions) on vibe.requests to vibe_app;
