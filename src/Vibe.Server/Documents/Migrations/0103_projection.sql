-- Keeps the side tables in step with documents, in the same transaction. A trigger for each, called when it has something to
-- do: plpgsql prepares every expression it runs anew in each transaction.

-- Who a document is shared with by name. Nobody once it is deleted.
create function vibe.shares(doc vibe.documents) returns text[] language sql immutable parallel safe
  return case when (doc).delete_time is not null then '{}'::text[]
    else array(select p from unnest((doc).readers) p where p <> all ((doc).denied)) end;

create function vibe.documents_share() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  has text[] := vibe.shares(new);
begin
  if tg_op = 'UPDATE' then
    delete from vibe.doc_acl where doc_id = new.id and principal = any (vibe.shares(old)) and principal <> all (has);
  end if;
  insert into vibe.doc_acl (principal, collection, doc_id, create_time)
    select p, new.collection, new.id, new.create_time from unnest(has) p order by p
  on conflict do nothing;
  return null;
end $$;
create trigger b_share_new after insert on vibe.documents for each row
  when (new.readers <> '{}') execute function vibe.documents_share();
create trigger b_share after update on vibe.documents for each row
  when ((new.readers, new.denied, new.delete_time is null) is distinct from (old.readers, old.denied, old.delete_time is null))
  execute function vibe.documents_share();

create function vibe.documents_remember_rules() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into vibe.doc_past_rules (doc_id, collection, owner_did, audience, readers, denied)
    values (old.id, old.collection, old.owner_did, old.audience, old.readers, old.denied)
  on conflict do nothing;
  return null;
end $$;
-- The first row of a transaction has the rules that were in force before it: those it made itself, perhaps of a document it
-- made too, never were.
create trigger b_remember_rules after update on vibe.documents for each row
  when ((new.audience, new.readers, new.denied) is distinct from (old.audience, old.readers, old.denied)
    and not (old.txid = pg_current_xact_id() and old.create_time = now()))
  execute function vibe.documents_remember_rules();

create function vibe.documents_link() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  if tg_op = 'UPDATE' then
    delete from vibe.doc_edges e where e.source_id = new.id and not exists (
      select from jsonb_array_elements(new.edges) n where n ->> 'label' = e.label and (n ->> 'target')::uuid = e.target_id);
  end if;
  insert into vibe.doc_edges (source_id, label, target_id, collection, create_time)
    select new.id, n ->> 'label', (n ->> 'target')::uuid, new.collection, new.create_time from jsonb_array_elements(new.edges) n
  on conflict do nothing;
  return null;
end $$;
create trigger b_link_new after insert on vibe.documents for each row
  when (new.edges <> '[]') execute function vibe.documents_link();
create trigger b_link after update on vibe.documents for each row
  when (new.edges <> old.edges) execute function vibe.documents_link();

-- The words of all text indexes of a collection together: a search looks at a document, not at a field.
create function vibe.document_words(in_collection text, data jsonb) returns tsvector
  language plpgsql stable set search_path = pg_catalog as $$
declare
  field record;
  words tsvector := '';
begin
  for field in select i.keys from vibe.field_index i
    where i.collection = in_collection and i.kind = 2 and i.state in (2, 3, 4) order by i.path loop
    words := words || coalesce(vibe.search_vector(vibe.json_field(data, field.keys)), '');
  end loop;
  return words;
exception when program_limit_exceeded then
  return words;
end $$;

create function vibe.documents_index() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  by_value boolean;
  by_text boolean;
begin
  if new.delete_time is not null then
    delete from vibe.doc_fields where doc_id = new.id;
    delete from vibe.doc_search where doc_id = new.id;
    return null;
  end if;
  select bool_or(i.kind = 1), bool_or(i.kind = 2) into by_value, by_text
    from vibe.field_index i where i.collection = new.collection and i.state between 2 and 5;
  if tg_op = 'UPDATE' and (new.audience, new.denied) is distinct from (old.audience, old.denied) then
    -- An index that is being removed is not kept any more; what is left of it may not outlive the rules it was made under.
    delete from vibe.doc_fields f where f.doc_id = new.id and not exists (
      select from vibe.field_index i where i.collection = new.collection and i.path = f.path and i.kind = 1 and i.state between 2 and 5);
  end if;
  if by_value then
    insert into vibe.doc_fields as f (collection, path, grp, rank, num, str, doc_id, owner_did, audience, create_time, denied)
      select new.collection, i.path, case when i.group_keys = '{}' then '' else vibe.field_group(new.data, i.group_keys) end,
        vibe.json_rank(x.v), vibe.json_number(x.v), vibe.json_text(x.v), new.id, new.owner_did, new.audience, new.create_time, new.denied
      from vibe.field_index i, lateral (select vibe.json_field(new.data, i.keys)) x(v)
      where i.collection = new.collection and i.kind = 1 and i.state between 2 and 5
    on conflict (doc_id, path) do update
      set grp = excluded.grp, rank = excluded.rank, num = excluded.num, str = excluded.str, audience = excluded.audience,
        denied = excluded.denied
      where (f.grp, f.rank, f.num, f.str, f.audience, f.denied)
        is distinct from (excluded.grp, excluded.rank, excluded.num, excluded.str, excluded.audience, excluded.denied);
  end if;
  if by_text then
    insert into vibe.doc_search as s (doc_id, collection, tsv)
      values (new.id, new.collection, vibe.document_words(new.collection, new.data))
    on conflict (doc_id) do update set tsv = excluded.tsv where s.tsv <> excluded.tsv;
  end if;
  return null;
end $$;
create trigger b_index_new after insert on vibe.documents for each row execute function vibe.documents_index();
create trigger b_index after update on vibe.documents for each row
  when ((new.data, new.audience, new.denied, new.delete_time is null) is distinct from (old.data, old.audience, old.denied, old.delete_time is null))
  execute function vibe.documents_index();

-- After b_index by its name: copies the rows of doc_fields that are there then. Not of an index that is being removed: what is
-- copied while the rows go would stay.
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
create trigger c_share_fields_new after insert on vibe.documents for each row
  when (new.readers <> '{}') execute function vibe.documents_share_fields();
create trigger c_share_fields after update on vibe.documents for each row
  when (new.readers <> '{}' or old.readers <> '{}') execute function vibe.documents_share_fields();

revoke all on function vibe.shares(vibe.documents), vibe.documents_share(), vibe.documents_remember_rules(), vibe.documents_link(),
  vibe.documents_index(), vibe.documents_share_fields(), vibe.document_words(text, jsonb) from public;
