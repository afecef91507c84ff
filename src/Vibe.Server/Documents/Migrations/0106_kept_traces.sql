-- Traces of lost sight (rows of doc_acl that say removed) are what tells somebody who catches up or polls. They went too early:
-- a document that went from everyone to nobody and from there to users is still gone for who is no user; one that is closed and
-- opens again to all but one is gone for that one; and to be denied no more is not to be let in. And who saw a document
-- because everybody did, without the scope for its collection, is told of a denial as well. Otherwise the function is as it was.

alter policy doc_acl_read_scope on vibe.doc_acl using (
  principal = '*' or (select '*' = any (vibe.read_scopes())) or collection = any ((select vibe.read_scopes())::text[]) or '*' = any (via));

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
    insert into vibe.doc_fields as f (collection, path, rank, num, str, doc_id, owner_did, audience, create_time, denied)
      select new.collection, i.path, vibe.json_rank(x.v), vibe.json_number(x.v), vibe.json_text(x.v), new.id, new.owner_did, new.audience,
        new.create_time, new.denied
      from vibe.field_index i, lateral (select vibe.json_field(new.data, i.keys)) x(v)
      where i.collection = new.collection and i.kind = 1 and i.state between 2 and 5
    on conflict (doc_id, path) do update
      set rank = excluded.rank, num = excluded.num, str = excluded.str, audience = excluded.audience, denied = excluded.denied
      where (f.rank, f.num, f.str, f.audience, f.denied) is distinct from (excluded.rank, excluded.num, excluded.str, excluded.audience, excluded.denied);
  end if;
  if by_text then
    insert into vibe.doc_search as s (doc_id, collection, tsv)
      values (new.id, new.collection, vibe.document_words(new.collection, new.data))
    on conflict (doc_id) do update set tsv = excluded.tsv where s.tsv <> excluded.tsv;
  end if;
  return null;
end $$;
