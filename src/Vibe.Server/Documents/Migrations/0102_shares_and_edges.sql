-- Shares: how "shared with me" is listed without looking at everybody's documents.

create table vibe.doc_acl (
  principal text not null,
  collection text not null,
  doc_id uuid not null,
  create_time timestamptz not null,
  primary key (principal, doc_id));
comment on table vibe.doc_acl is 'One row per share of a live document with a named principal who is not denied it';
comment on column vibe.doc_acl.create_time is 'The document''s, for lists';
create index doc_acl_feed on vibe.doc_acl (principal, collection, create_time desc, doc_id desc);

alter table vibe.doc_acl enable row level security;
alter table vibe.doc_acl force row level security;
create policy doc_acl_project on vibe.doc_acl to vibe_owner using ((select vibe.is_owner_role()));
create policy doc_acl_read on vibe.doc_acl for select to vibe_app using (principal = any ((select vibe.principals())::text[]));
create policy doc_acl_read_scope on vibe.doc_acl as restrictive for select to vibe_app using (
  (select '*' = any (vibe.read_scopes())) or collection = any ((select vibe.read_scopes())::text[]));
grant select on vibe.doc_acl to vibe_app;

-- Past rules: how somebody who catches up learns that a document has left their sight. A query under row-level security does
-- not show what it hides, so the rules are kept that let them see it; those who saw it by them and do not now have lost it.

create table vibe.doc_past_rules (
  txid xid8 not null default pg_current_xact_id(),
  doc_id uuid not null,
  collection text not null,
  owner_did text not null,
  audience smallint not null,
  readers text[] not null,
  denied text[] not null,
  primary key (txid, doc_id));
comment on table vibe.doc_past_rules is 'The compiled access rules of documents before each transaction that changed them';
comment on column vibe.doc_past_rules.txid is 'The transaction that changed them';
create index doc_past_rules_feed on vibe.doc_past_rules (collection, txid);

alter table vibe.doc_past_rules enable row level security;
alter table vibe.doc_past_rules force row level security;
create policy doc_past_rules_project on vibe.doc_past_rules to vibe_owner using ((select vibe.is_owner_role()));
-- The whole policy of documents, by the rules of then.
create policy doc_past_rules_read on vibe.doc_past_rules for select to vibe_app using (
  (audience = 2
    or owner_did = (select vibe.me())
    or (audience = 1 and (select 'users' = any (vibe.principals())))
    or (cardinality(readers) > 0 and readers && (select vibe.principals()))
    or collection = any ((select vibe.read_privileges())::text[]))
  and (audience = 2 or (select '*' = any (vibe.read_scopes())) or collection = any ((select vibe.read_scopes())::text[]))
  and not (owner_did is distinct from (select vibe.me()) and cardinality(denied) > 0 and denied && (select vibe.principals())));
grant select on vibe.doc_past_rules to vibe_app;

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
