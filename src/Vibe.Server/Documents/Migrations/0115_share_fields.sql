-- What is shared by name, under the values of declared fields: one row for each principal a document is shared with and each
-- value index. A filter or an order over what is shared with the caller looked into every share before.

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

-- After b_project by its name: copies the rows of doc_fields that are there then. Not of an index that is being removed: what
-- is copied while the rows go would stay.
create function vibe.documents_share_fields() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  has text[] := vibe.shares(new);
begin
  if tg_op = 'UPDATE' then
    if (new.readers, new.denied, new.data, new.delete_time is null) is not distinct from (old.readers, old.denied, old.data, old.delete_time is null) then
      return null;
    end if;
    delete from vibe.share_fields s where s.doc_id = new.id and (s.principal <> all (has)
      or not exists (select from vibe.doc_fields f where f.doc_id = new.id and f.path = s.path));
  end if;
  insert into vibe.share_fields as s (principal, collection, path, grp, rank, num, str, doc_id, create_time, denied)
    select p, f.collection, f.path, f.grp, f.rank, f.num, f.str, f.doc_id, f.create_time, f.denied
    from vibe.doc_fields f
    join vibe.field_index i on i.collection = f.collection and i.path = f.path and i.kind = 1 and i.state between 2 and 5
    cross join unnest(has) p where f.doc_id = new.id order by f.path, p
  on conflict (doc_id, path, principal) do update
    set grp = excluded.grp, rank = excluded.rank, num = excluded.num, str = excluded.str, denied = excluded.denied
    where (s.grp, s.rank, s.num, s.str, s.denied) is distinct from (excluded.grp, excluded.rank, excluded.num, excluded.str, excluded.denied);
  return null;
end $$;
create trigger e_share_fields after insert on vibe.documents for each row
  when (new.readers <> '{}') execute function vibe.documents_share_fields();
create trigger e_share_fields_again after update on vibe.documents for each row
  when (new.readers <> '{}' or old.readers <> '{}') execute function vibe.documents_share_fields();
revoke all on function vibe.documents_share_fields() from public;

insert into vibe.share_fields (principal, collection, path, grp, rank, num, str, doc_id, create_time, denied)
  select p, f.collection, f.path, f.grp, f.rank, f.num, f.str, f.doc_id, f.create_time, f.denied
  from vibe.documents d
  join vibe.doc_fields f on f.doc_id = d.id
  join vibe.field_index i on i.collection = f.collection and i.path = f.path and i.kind = 1 and i.state between 2 and 5
  cross join unnest(vibe.shares(d)) p where d.readers <> '{}';
