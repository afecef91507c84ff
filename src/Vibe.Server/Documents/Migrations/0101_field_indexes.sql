-- Field indexes are data: a row in field_index makes the projection keep rows in doc_fields or doc_search.
-- A composite one has up to three fields that a query compares for equality, whose values are the group of its entries, and
-- the one that gives the order. jsonb operators and @@ are not leakproof, so PostgreSQL would not use an index on them under row-level security; plain
-- columns and a function of a role under row-level security give both.

create table vibe.field_index (
  collection text not null,
  path text not null,
  kind smallint not null,
  state smallint not null,
  keys text[] not null,
  group_keys text[] not null default '{}',
  documents_done bigint not null default 0,
  documents_total bigint not null default 0,
  build_cursor uuid,
  build_after xid8,
  serving boolean not null default false,
  use_count bigint not null default 0,
  last_use_time timestamptz,
  suggestion_count bigint not null default 0,
  suggested_by text not null default '',
  create_time timestamptz not null default now(),
  drop_time timestamptz,
  error text not null default '',
  primary key (collection, path, kind),
  constraint field_index_kind check (kind in (1, 2)),
  constraint field_index_state check (state between 1 and 6));
comment on column vibe.field_index.kind is '1 value, 2 text';
comment on column vibe.field_index.state is '1 suggested, 2 building, 3 ready, 4 failed; 5 dropped, still kept for queries compiled before; 6 being removed. The projection keeps rows from 2 to 5';
comment on column vibe.field_index.path is 'The fields, with commas between';
comment on column vibe.field_index.keys is 'The keys of the last field of path after data; empty for the whole body';
comment on column vibe.field_index.group_keys is 'The keys of the fields before the last after data, a NULL after each field; empty for an index on one field';
comment on column vibe.field_index.build_cursor is 'Last document id the build has entered';
comment on column vibe.field_index.build_after is 'The build starts when every transaction below this has ended: later ones see the row and project by themselves';
comment on column vibe.field_index.serving is 'Queries use it. Stays true while a text index is rebuilt because another one of the collection was dropped';

create index field_index_work on vibe.field_index (state) where state in (2, 5, 6);

alter table vibe.field_index enable row level security;
alter table vibe.field_index force row level security;
-- Definitions are no tenant's: every signed-in caller may list them. Who may approve is the method's permission.
create policy field_index_background on vibe.field_index to vibe_owner using ((select vibe.is_owner_role()));
create policy field_index_read on vibe.field_index for select to vibe_app using (true);
create policy field_index_insert on vibe.field_index for insert to vibe_app with check ((select vibe.me()) is not null and state in (1, 2));
create policy field_index_update on vibe.field_index for update to vibe_app using ((select vibe.me()) is not null);
create policy field_index_delete on vibe.field_index for delete to vibe_app using ((select vibe.me()) is not null and state = 1);
grant select, insert, update, delete on vibe.field_index to vibe_app;

-- `->` with a text key is NULL on an array, where #> would take a position.
create function vibe.json_field(body jsonb, path text[]) returns jsonb
  language plpgsql immutable parallel safe set search_path = pg_catalog as $$
declare
  key text;
begin
  foreach key in array path loop
    body := body -> key;
  end loop;
  return body;
end $$;
comment on function vibe.json_field(jsonb, text[]) is 'The value at path, NULL when absent';

-- How values are ordered: absent and others, false, true, numbers, strings.
create function vibe.json_rank(value jsonb) returns smallint language sql immutable parallel safe
  return (case jsonb_typeof(value) when 'boolean' then case when value = 'true' then 2 else 1 end
    when 'number' then 3 when 'string' then 4 else 0 end)::smallint;
create function vibe.json_number(value jsonb) returns float8 language sql immutable parallel safe
  return case when jsonb_typeof(value) = 'number' then value::float8 else 0 end;
create function vibe.json_text(value jsonb) returns text language sql immutable parallel safe
  return case when jsonb_typeof(value) = 'string' then left(value #>> '{}', 500) else '' end collate "C";

-- FieldGroup of the server says the same of the values of a filter. Exact up to 64 bytes, which keeps an entry within the
-- third of a page that an index takes: the longest has 500 characters of text beside it.
create function vibe.field_group(data jsonb, keys text[]) returns text
  language plpgsql immutable parallel safe set search_path = pg_catalog as $$
declare
  value jsonb := data;
  key text;
  found text := '';
begin
  foreach key in array keys loop
    if key is not null then
      value := value -> key;
    else
      found := found || vibe.json_rank(value) || case jsonb_typeof(value)
        when 'number' then encode(float8send(vibe.json_number(value)), 'hex')
        when 'string' then octet_length(vibe.json_text(value)) || ':' || vibe.json_text(value)
        else '' end;
      value := data;
    end if;
  end loop;
  return case when octet_length(found) <= 64 then found else '#' || left(encode(sha256(convert_to(found, 'UTF8')), 'hex'), 32) end;
end $$;
comment on function vibe.field_group(jsonb, text[]) is 'The values of fields as one text; equal when a filter holds the values for equal';

create table vibe.doc_fields (
  collection text not null,
  path text not null,
  grp text collate "C" not null,
  rank smallint not null,
  num float8 not null,
  str text collate "C" not null,
  doc_id uuid not null,
  owner_did text not null,
  audience smallint not null,
  create_time timestamptz not null,
  denied text[] not null,
  primary key (doc_id, path));
comment on table vibe.doc_fields is 'One row per live document and value-indexed path, also when the field is absent: ordering by it loses no document';
comment on column vibe.doc_fields.grp is 'The values of the fields before the last of a composite index; empty for an index on one field';
comment on column vibe.doc_fields.create_time is 'The document''s, for lists';
comment on column vibe.doc_fields.denied is 'The document''s, for the policy';
-- Audience stands before the value: with it behind, a search for the rare audience walks all entries of the common one.
-- Creation time and id stand after it: one index serves the order by a field, where equal values order by them, and the
-- newest with one value. With a second index for one of the two, estimates would choose between them.
create index doc_fields_open on vibe.doc_fields (collection, path, audience, grp, rank, num, str, create_time, doc_id) where audience > 0;
create index doc_fields_owner on vibe.doc_fields (owner_did, collection, path, grp, rank, num, str, create_time, doc_id);

alter table vibe.doc_fields enable row level security;
alter table vibe.doc_fields force row level security;
create policy doc_fields_project on vibe.doc_fields to vibe_owner using ((select vibe.is_owner_role()));
-- The whole policy of documents but for shares by name, which lists reach through doc_acl: who sees an entry sees the
-- document, and so the value. An entry's values are as safe from leaky conditions as a document's.
create policy doc_fields_read on vibe.doc_fields for select to vibe_app using (
  (audience = 2 or owner_did = (select vibe.me()) or (audience = 1 and (select 'users' = any (vibe.principals())))
    or collection = any ((select vibe.read_privileges())::text[]))
  and (audience = 2 or (select '*' = any (vibe.read_scopes())) or collection = any ((select vibe.read_scopes())::text[]))
  and not (owner_did is distinct from (select vibe.me()) and cardinality(denied) > 0 and denied && (select vibe.principals())));
grant select on vibe.doc_fields to vibe_app;

-- What is shared by name: one row for each principal. A filter or an order over it would look into every share otherwise.
create table vibe.share_fields (
  principal text not null,
  collection text not null,
  path text not null,
  grp text collate "C" not null,
  rank smallint not null,
  num float8 not null,
  str text collate "C" not null,
  doc_id uuid not null,
  create_time timestamptz not null,
  denied text[] not null,
  primary key (doc_id, path, principal));
comment on table vibe.share_fields is 'The row of doc_fields of the same document and path, for each principal the document is shared with by name';
create index share_fields_values on vibe.share_fields (principal, collection, path, grp, rank, num, str, create_time, doc_id);

alter table vibe.share_fields enable row level security;
alter table vibe.share_fields force row level security;
create policy share_fields_project on vibe.share_fields to vibe_owner using ((select vibe.is_owner_role()));
-- Who is among the principals, granted the collection and not denied sees the document by its own policy, too.
create policy share_fields_read on vibe.share_fields for select to vibe_app using (
  principal = any ((select vibe.principals())::text[])
  and ((select '*' = any (vibe.read_scopes())) or collection = any ((select vibe.read_scopes())::text[]))
  and not (cardinality(denied) > 0 and denied && (select vibe.principals())));
grant select on vibe.share_fields to vibe_app;

create table vibe.doc_search (
  doc_id uuid primary key,
  collection text not null,
  tsv tsvector not null);
create index doc_search_tsv on vibe.doc_search using gin (tsv);

alter table vibe.doc_search enable row level security;
alter table vibe.doc_search force row level security;
create policy doc_search_project on vibe.doc_search to vibe_owner using ((select vibe.is_owner_role()));
create policy doc_search_function on vibe.doc_search for select to vibe_view using (true);
grant select on vibe.doc_search to vibe_view;

-- A tsvector holds 1 MiB. Of a body with more distinct words the first 200,000 characters are searchable, instead of
-- the write failing.
create function vibe.search_vector(value jsonb) returns tsvector
  language plpgsql immutable parallel safe set search_path = pg_catalog as $$
begin
  return jsonb_to_tsvector('simple', value, '["string"]');
exception when program_limit_exceeded then
  return to_tsvector('simple', left(
    (select string_agg(s.value #>> '{}', ' ') from jsonb_path_query(value, 'strict $.** ? (@.type() == "string")') s(value)),
    200000));
end $$;
comment on function vibe.search_vector(jsonb) is 'The words of every string in value';

-- Runs as vibe_view: the index finds candidates of everybody, the join to documents under row-level security keeps those
-- of the caller, and nothing else leaves the function.
create function vibe.search(in_collection text, in_query text) returns table (id uuid, rank real)
  language sql stable security definer set search_path = pg_catalog set enable_bitmapscan = on as $$
  select d.id, ts_rank(s.tsv, q.query)
  from websearch_to_tsquery('simple', in_query) q(query)
  join vibe.doc_search s on s.tsv @@ q.query
  cross join lateral (select d.id from vibe.documents d where d.id = s.doc_id and d.delete_time is null offset 0) d
  where s.collection = in_collection
$$;
alter function vibe.search(text, text) owner to vibe_view;
revoke all on function vibe.search(text, text) from public;
grant execute on function vibe.search(text, text) to vibe_app;
