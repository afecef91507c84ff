-- Shares: how "shared with me" is listed without looking at everybody's documents, and how somebody who catches up learns
-- that a document has left their sight (a query under row-level security cannot see that).

create table vibe.doc_acl (
  principal text not null,
  collection text not null,
  doc_id uuid not null,
  create_time timestamptz not null,
  removed boolean not null default false,
  via text[] not null default '{}',
  txid xid8 not null default pg_current_xact_id(),
  primary key (principal, doc_id));
comment on table vibe.doc_acl is
  'One row per share with a named principal. removed: taken away in transaction txid; for * and users, and for who is denied, only such rows exist';
comment on column vibe.doc_acl.via is
  'Of a denial: what the document was open to before; it is news only to those who were among them. Else empty';
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
-- The label stands last: it is compared in the index, and one index serves the newest of all labels and of one.
create index doc_edges_in on vibe.doc_edges (target_id, create_time desc, source_id desc, label desc);

alter table vibe.doc_edges enable row level security;
alter table vibe.doc_edges force row level security;
create policy doc_edges_project on vibe.doc_edges to vibe_owner using ((select vibe.is_owner_role()));
create policy doc_edges_view on vibe.doc_edges for select to vibe_view using (true);
grant select on vibe.doc_edges to vibe_view;

-- An edge is seen by those who see the document that holds it. Runs as vibe_view, so that the edges are read in the order
-- of their index and each leads to one lookup by id (a barrier view would read and join all edges of the target first).
create function vibe.edges_in(in_target uuid, in_label text, in_time timestamptz, in_source uuid, in_after text, in_limit integer)
  returns table (source_id uuid, label text, target_id uuid, create_time timestamptz)
  language sql stable security definer set search_path = pg_catalog as $$
  select e.source_id, e.label, e.target_id, e.create_time
  from vibe.doc_edges e
  cross join lateral (select from vibe.documents d where d.id = e.source_id and d.delete_time is null offset 0) d
  where e.target_id = in_target and (in_label is null or e.label = in_label)
    and (e.create_time, e.source_id, e.label) < (in_time, in_source, in_after collate "C")
  order by e.create_time desc, e.source_id desc, e.label desc limit in_limit
$$;
comment on function vibe.edges_in(uuid, text, timestamptz, uuid, text, integer) is
  'Edges to in_target, newest first, that the caller may see; all labels when in_label is NULL; those that follow the place in_time, in_source, in_after';
alter function vibe.edges_in(uuid, text, timestamptz, uuid, text, integer) owner to vibe_view;
revoke all on function vibe.edges_in(uuid, text, timestamptz, uuid, text, integer) from public;
grant execute on function vibe.edges_in(uuid, text, timestamptz, uuid, text, integer) to vibe_app;
