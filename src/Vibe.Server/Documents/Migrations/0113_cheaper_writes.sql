-- What a write costs in the database. PostgreSQL reads the text form of every CHECK anew for each statement, a seventh of a
-- new document: the guard says the same of what callers give, and compiles the other columns itself. And plpgsql prepares
-- each expression it runs anew in each transaction: those for shares run where there are any.

alter table vibe.documents drop constraint documents_data, drop constraint documents_acl, drop constraint documents_edges,
  drop constraint documents_audience, drop constraint documents_readers;

-- As it was, but for the kinds of data, acl and edges.
create or replace function vibe.documents_guard() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
  me text := vibe.me();
  read_allow text[];
  write_allow text[];
  compact text;
begin
  if jsonb_typeof(new.data) <> 'object' or jsonb_typeof(new.acl) <> 'object' or jsonb_typeof(new.edges) <> 'array' then
    raise exception 'data and acl are objects, edges an array' using errcode = 'check_violation';
  end if;
  if tg_op = 'INSERT' then
    if new.key is null and get_byte(uuid_send(new.id), 6) >> 4 = 8
      or new.key is not null and new.id is distinct from vibe.keyed_id(new.owner_did, new.collection, new.key) then
      raise exception 'the id does not belong to the key' using errcode = 'VB004';
    end if;
    new.create_time := now();
    new.delete_time := null;
    new.revision := 1;
  else
    if (new.id, new.collection, new.owner_did, new.key, new.create_time)
      is distinct from (old.id, old.collection, old.owner_did, old.key, old.create_time) then
      raise exception 'immutable column' using errcode = 'VB002';
    end if;
    if new.acl is distinct from old.acl and old.owner_did is distinct from me then
      raise exception 'only the owner changes the access rules' using errcode = 'VB001';
    end if;
    new.revision := old.revision + 1;
  end if;

  new.app_did := coalesce(vibe.app(), '');
  new.update_time := now();
  new.txid := pg_current_xact_id();
  if new.delete_time is not null then
    new.delete_time := now();
    new.data := '{}';
    new.edges := '[]';
  end if;

  -- Numbers are kept in full (1e300 has 301 digits), so size is measured as text. PostgreSQL writes a space after each
  -- colon and comma outside strings, which the limit does not count.
  if pg_column_size(new.data) > 16384 and octet_length(new.data::text) > 1048576 then
    compact := regexp_replace(new.data::text, '"(\\.|[^"\\])*"', '', 'g');
    if octet_length(new.data::text) - (length(compact) - length(replace(compact, ' ', ''))) > 1048576 then
      raise exception 'the body is too large' using errcode = 'VB003';
    end if;
  end if;

  if new.acl = '{}' then
    new.audience := 0;
    new.readers := '{}';
    new.writers := '{}';
    new.denied := '{}';
    new.write_denied := '{}';
  else
    read_allow := vibe.acl_principals(new.acl, '{read,allow}');
    write_allow := vibe.acl_principals(new.acl, '{write,allow}');
    new.audience := case
      when '*' = any(read_allow) then 2
      when 'users' = any(read_allow || write_allow) then 1
      else 0 end;
    new.readers := array(select distinct p from unnest(read_allow || write_allow) p
      where p not in ('*', 'users', new.owner_did) order by p);
    new.writers := array(select p from unnest(write_allow) p where p not in ('*', new.owner_did) order by p);
    new.denied := vibe.acl_principals(new.acl, '{read,deny}');
    new.write_denied := vibe.acl_principals(new.acl, '{write,deny}');
  end if;
  return new;
end $$;

-- As it was, but that the lists for shares are set where they are used.
create or replace function vibe.documents_project() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  is_new boolean := tg_op = 'INSERT';
  rules_changed boolean := is_new or (new.audience, new.readers, new.denied) is distinct from (old.audience, old.readers, old.denied);
  had text[];
  has text[];
  lost text[];
  regained text[];
  opened text[];
  by_value boolean;
  by_text boolean;
begin
  if is_new and new.readers <> '{}' or not is_new and (rules_changed or (new.delete_time is null) <> (old.delete_time is null)) then
    has := vibe.shares(new);
    had := case when is_new then '{}' else vibe.shares(old) end;
    lost := '{}';
    regained := '{}';
    opened := '{}';
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
