-- Composite field indexes: up to three fields that a query compares for equality, and the one that gives the order. Their
-- entries stand in doc_fields beside the others, under the same policy; the values of the first fields are their group.

alter table vibe.field_index add column group_keys text[] not null default '{}';
comment on column vibe.field_index.path is 'The fields, with commas between';
comment on column vibe.field_index.keys is 'The keys of the last field of path after data; empty for the whole body';
comment on column vibe.field_index.group_keys is 'The keys of the fields before the last after data, a NULL after each field; empty for an index on one field';

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

alter table vibe.doc_fields add column grp text collate "C" not null default '';
comment on column vibe.doc_fields.grp is 'The values of the fields before the last of a composite index; empty for an index on one field';
drop index vibe.doc_fields_open, vibe.doc_fields_owner;
create index doc_fields_open on vibe.doc_fields (collection, path, audience, grp, rank, num, str, create_time, doc_id) where audience > 0;
create index doc_fields_owner on vibe.doc_fields (owner_did, collection, path, grp, rank, num, str, create_time, doc_id);

-- As it was, but for the group.
create or replace function vibe.documents_project() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  is_new boolean := tg_op = 'INSERT';
  rules_changed boolean := is_new or (new.audience, new.readers, new.denied) is distinct from (old.audience, old.readers, old.denied);
  had text[];
  has text[];
  lost text[] := '{}';
  regained text[] := '{}';
  opened text[] := '{}';
  by_value boolean;
  by_text boolean;
begin
  if is_new and new.readers <> '{}' or not is_new and (rules_changed or (new.delete_time is null) <> (old.delete_time is null)) then
    has := vibe.shares(new);
    had := case when is_new then '{}' else vibe.shares(old) end;
    if not is_new then
      -- What only a row here can tell somebody who catches up: a lost audience, a new denial. Nobody is told of a document
      -- that was not open to them before.
      opened := old.readers || case old.audience when 2 then '{*}'::text[] when 1 then '{users}' else '{}' end;
      lost := array(
        select case old.audience when 2 then '*' else 'users' end where new.audience < old.audience
        union select p from unnest(new.denied) p where p <> all (old.denied) and opened <> '{}');
      -- A trace goes only when everybody it is for sees the document again.
      regained := array(
        select p from unnest('{*,users}'::text[]) p
          where new.audience > old.audience and (p = 'users' or new.audience = 2) and new.denied = '{}'
        union select p from unnest(old.denied) p where p <> all (new.denied) and new.audience = 2);
    end if;
    if had <> has or lost <> '{}' then
      insert into vibe.doc_acl as a (principal, collection, doc_id, create_time, removed, via)
        select p, new.collection, new.id, new.create_time, p <> all (has),
          case when p = any (had || has || '{*,users}') and p <> all (new.denied) then '{}' else opened end
        from (select unnest(had) union select unnest(has) union select unnest(lost)) x(p)
        where (p = any (had)) <> (p = any (has)) or p = any (lost)
        order by p
      on conflict (principal, doc_id) do update set removed = excluded.removed, txid = pg_current_xact_id(),
          via = case when a.removed and a.via = '{}' then a.via else excluded.via end
        where a.removed <> excluded.removed or excluded.removed;
    end if;
    if regained <> '{}' then
      delete from vibe.doc_acl where doc_id = new.id and principal = any (regained) and principal <> all (has) and principal <> all (lost);
    end if;
  end if;

  if new.delete_time is not null then
    if not is_new and old.delete_time is null then
      delete from vibe.doc_edges where source_id = new.id;
      delete from vibe.doc_fields where doc_id = new.id;
      delete from vibe.doc_search where doc_id = new.id;
    end if;
    return null;
  end if;

  if is_new and new.edges <> '[]' or not is_new and new.edges <> old.edges then
    if not is_new then
      delete from vibe.doc_edges e where e.source_id = new.id and not exists (
        select from jsonb_array_elements(new.edges) n where n ->> 'label' = e.label and (n ->> 'target')::uuid = e.target_id);
    end if;
    insert into vibe.doc_edges (source_id, label, target_id, collection, create_time)
      select new.id, n ->> 'label', (n ->> 'target')::uuid, new.collection, new.create_time from jsonb_array_elements(new.edges) n
    on conflict do nothing;
  end if;

  if not is_new and not rules_changed and new.data = old.data and old.delete_time is null then
    return null;
  end if;
  select bool_or(i.kind = 1), bool_or(i.kind = 2) into by_value, by_text
    from vibe.field_index i where i.collection = new.collection and i.state between 2 and 5;
  if not is_new and rules_changed then
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
