-- Shares: how "shared with me" is listed without looking at everybody's documents, and how somebody who catches up learns
-- that a document has left their sight (a query under row-level security cannot see that).

create table vibe.doc_acl (
  principal text not null,
  collection text not null,
  doc_id uuid not null,
  create_time timestamptz not null,
  removed boolean not null default false,
  txid xid8 not null default pg_current_xact_id(),
  primary key (principal, doc_id));
comment on table vibe.doc_acl is
  'One row per share with a named principal. removed: taken away in transaction txid; for * and users, and for who is denied, only such rows exist';
comment on column vibe.doc_acl.create_time is 'The document''s, for lists';
create index doc_acl_feed on vibe.doc_acl (principal, collection, create_time desc, doc_id desc) where not removed;
create index doc_acl_txid on vibe.doc_acl (txid);

alter table vibe.doc_acl enable row level security;
alter table vibe.doc_acl force row level security;
create policy doc_acl_project on vibe.doc_acl to vibe_owner using ((select vibe.is_owner_role()));
create policy doc_acl_read on vibe.doc_acl for select to vibe_app using (
  principal = '*' or principal = any ((select vibe.principals())::text[]));
create policy doc_acl_read_scope on vibe.doc_acl as restrictive for select to vibe_app using (
  principal = '*' or (select '*' = any (vibe.read_scopes())) or collection = any ((select vibe.read_scopes())::text[]));
grant select on vibe.doc_acl to vibe_app;

-- Edges: documents.edges turned into rows, so that they can be followed against the arrow.

create table vibe.doc_edges (
  source_id uuid not null,
  label text collate "C" not null,
  target_id uuid not null,
  collection text not null,
  create_time timestamptz not null,
  primary key (source_id, label, target_id));
comment on column vibe.doc_edges.create_time is 'The source document''s, for lists';
create index doc_edges_in on vibe.doc_edges (target_id, label, create_time desc, source_id desc);

alter table vibe.doc_edges enable row level security;
alter table vibe.doc_edges force row level security;
create policy doc_edges_project on vibe.doc_edges to vibe_owner using ((select vibe.is_owner_role()));
create policy doc_edges_view on vibe.doc_edges for select to vibe_view using (true);
grant select on vibe.doc_edges to vibe_view;

-- An edge is seen by those who see the document that holds it.
create view vibe.edges with (security_barrier) as
  select e.source_id, e.label, e.target_id, e.collection, e.create_time
  from vibe.doc_edges e join vibe.documents d on d.id = e.source_id
  where d.delete_time is null;
alter view vibe.edges owner to vibe_view;
grant select on vibe.edges to vibe_app;
