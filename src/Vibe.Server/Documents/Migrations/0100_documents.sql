-- Documents and who may see and change them. Everything a policy looks at stands in the row itself: a policy that asks
-- another table costs a hashed subplan over all shares for every list (measured: 500 times).
--
-- Functions here fix their search_path or have a body that is parsed once (RETURN), so that nobody can put a name of
-- theirs before ours. Calls in policies stand in (select …): evaluated once per statement.

create function vibe.is_owner_role() returns boolean language sql stable parallel safe
  return current_user = 'vibe_owner';
comment on function vibe.is_owner_role() is
  'Background work and the projections. A view owned by vibe_view or a query of vibe_app never counts: current_user is who runs it';

-- RFC 7396. The flat patch is the usual one and needs no rebuilding.
create function vibe.merge_patch(target jsonb, patch jsonb) returns jsonb
  language plpgsql immutable parallel safe set search_path = pg_catalog as $$
begin
  if jsonb_typeof(patch) <> 'object' then
    return patch;
  end if;
  if target is null or jsonb_typeof(target) <> 'object' then
    target := '{}';
  end if;
  if not exists (select from jsonb_each(patch) p where jsonb_typeof(p.value) in ('object', 'null')) then
    return target || patch;
  end if;
  return coalesce(
    (select jsonb_object_agg(m.key, m.value) from (
       select t.key, t.value from jsonb_each(target) t where not patch ? t.key
       union all
       select p.key, case jsonb_typeof(p.value) when 'object' then vibe.merge_patch(target -> p.key, p.value) else p.value end
       from jsonb_each(patch) p where jsonb_typeof(p.value) <> 'null') m),
    '{}');
end $$;
comment on function vibe.merge_patch(jsonb, jsonb) is 'RFC 7396: patch merged into target';

-- One path of an update mask. Arrays are not indexed by position: what stands in the way of the path is replaced.
create function vibe.set_field(body jsonb, path text[], value jsonb) returns jsonb
  language plpgsql immutable parallel safe set search_path = pg_catalog as $$
begin
  if body is null or jsonb_typeof(body) <> 'object' then
    if value is null then
      return body;
    end if;
    body := '{}';
  end if;
  if cardinality(path) > 1 then
    value := vibe.set_field(body -> path[1], path[2:], value);
  end if;
  return case when value is null then body - path[1] else body || jsonb_build_object(path[1], value) end;
end $$;
comment on function vibe.set_field(jsonb, text[], jsonb) is 'body with value at path; without it when value is NULL';

create function vibe.set_fields(body jsonb, changes jsonb) returns jsonb
  language plpgsql immutable parallel safe set search_path = pg_catalog as $$
declare
  change jsonb;
begin
  for change in select e.value from jsonb_array_elements(changes) with ordinality e(value, place) order by e.place loop
    body := vibe.set_field(body, array(select jsonb_array_elements_text(change -> 0)), change -> 1);
  end loop;
  return body;
end $$;
comment on function vibe.set_fields(jsonb, jsonb) is 'body after changes, [[path, value], …]; a change without value removes';

create function vibe.keyed_id(owner_did text, collection text, key text) returns uuid language sql immutable strict parallel safe
  return (select encode(set_byte(set_byte(h, 6, (get_byte(h, 6) & 15) | 128), 8, (get_byte(h, 8) & 63) | 128), 'hex')::uuid
          from (select substring(sha256(convert_to(owner_did, 'UTF8') || '\x00'::bytea || convert_to(collection, 'UTF8')
            || '\x00'::bytea || convert_to(key, 'UTF8')) from 1 for 16)) x(h));
comment on function vibe.keyed_id(text, text, text) is 'UUIDv8 of a document with a key: nobody else can take the id of someone''s key';

create function vibe.acl_principals(acl jsonb, list text[]) returns text[] language sql immutable parallel safe
  return coalesce(
    (select array_agg(distinct p.value order by p.value)
     from jsonb_array_elements_text(case when jsonb_typeof(acl #> list) = 'array' then acl #> list else '[]' end) p(value)),
    '{}');
comment on function vibe.acl_principals(jsonb, text[]) is 'The principals of one list of an ACL, sorted, each once';

create table vibe.documents (
  id uuid primary key,
  collection text not null,
  owner_did text not null,
  app_did text not null default '',
  key text,
  data jsonb not null default '{}',
  acl jsonb not null default '{}',
  edges jsonb not null default '[]',
  audience smallint not null default 0,
  readers text[] not null default '{}',
  writers text[] not null default '{}',
  denied text[] not null default '{}',
  write_denied text[] not null default '{}',
  create_time timestamptz not null default now(),
  update_time timestamptz not null default now(),
  delete_time timestamptz,
  revision bigint not null default 1,
  txid xid8 not null default pg_current_xact_id());
comment on column vibe.documents.app_did is 'Who wrote the current revision; empty when the owner did without an app';
comment on column vibe.documents.audience is 'Compiled from acl: 0 named principals, 1 every signed-in user, 2 everyone';
comment on column vibe.documents.readers is 'Compiled from acl: named principals let in by read or write; not the owner';
comment on column vibe.documents.writers is 'Compiled from acl: let in by write; may hold users';
comment on column vibe.documents.denied is 'Compiled from acl: kept out of reading, and so of writing';
comment on column vibe.documents.write_denied is 'Compiled from acl: kept out of writing';
comment on column vibe.documents.delete_time is 'A tombstone: no data, no edges, kept for those who follow changes';
comment on column vibe.documents.txid is 'Transaction of the current revision, for catching up';

-- No index on readers: it drags whole posting lists into every list (measured: 600 times slower).
create index documents_owner on vibe.documents (owner_did, collection, create_time desc, id desc) where delete_time is null;
create index documents_public on vibe.documents (collection, audience, create_time desc, id desc)
  where audience > 0 and delete_time is null;
-- What a caller with a privilege sees beyond everybody, in the order of lists. Nobody else's query matches its condition.
create index documents_private on vibe.documents (collection, create_time desc, id desc) where audience = 0 and delete_time is null;
create index documents_txid on vibe.documents (txid);

-- Fills in what callers may not choose and refuses what they may not change. Here and not in CHECKs: PostgreSQL reads the
-- text form of every CHECK anew for each statement (measured: a seventh of a new document). SQLSTATE class VB is translated by the
-- store: VB001 only the owner, VB002 immutable, VB003 too large, VB004 id and key do not belong together.
create function vibe.documents_guard() returns trigger language plpgsql set search_path = pg_catalog as $$
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
create trigger a_guard before insert or update on vibe.documents for each row execute function vibe.documents_guard();

alter table vibe.documents enable row level security;
alter table vibe.documents force row level security;

create policy documents_background on vibe.documents to vibe_owner using ((select vibe.is_owner_role()));

-- Apps that act as themselves may have a privilege for a collection, and count as named in the access rules of every document
-- there: so denials keep them out like anybody, scopes of the token cut them down, and only owners change rules.
create policy documents_read on vibe.documents for select to vibe_app, vibe_view using (
  (audience = 2
    or owner_did = (select vibe.me())
    or (audience = 1 and (select 'users' = any (vibe.principals())))
    or (cardinality(readers) > 0 and readers && (select vibe.principals()))
    or collection = any ((select vibe.read_privileges())::text[]))
  and not (owner_did is distinct from (select vibe.me()) and cardinality(denied) > 0 and denied && (select vibe.principals())));

create policy documents_insert on vibe.documents for insert to vibe_app with check (
  owner_did = (select vibe.me()) and delete_time is null);

-- Before: the owner, or who may write a document that is not deleted (only the owner brings one back).
-- After: still one of them, so that nobody writes a document out of their own reach.
create policy documents_update on vibe.documents for update to vibe_app
  using (
    owner_did = (select vibe.me())
    or (delete_time is null
      and ((cardinality(writers) > 0 and writers && (select vibe.principals())) or collection = any ((select vibe.write_privileges())::text[]))
      and (select vibe.me()) is not null
      and not (denied && (select vibe.principals())) and not (write_denied && (select vibe.principals()))))
  with check (
    owner_did = (select vibe.me())
    or (((cardinality(writers) > 0 and writers && (select vibe.principals())) or collection = any ((select vibe.write_privileges())::text[]))
      and (select vibe.me()) is not null));

-- What the user granted the app cuts the user's rights down. Public documents need no grant.
create policy documents_read_scope on vibe.documents as restrictive for select to vibe_app, vibe_view using (
  audience = 2
  or (select '*' = any (vibe.read_scopes()))
  or collection = any ((select vibe.read_scopes())::text[])
  or (select vibe.is_owner_role()));
create policy documents_insert_scope on vibe.documents as restrictive for insert to vibe_app with check (
  (select '*' = any (vibe.write_scopes())) or collection = any ((select vibe.write_scopes())::text[]));
create policy documents_update_scope on vibe.documents as restrictive for update to vibe_app using (
  (select '*' = any (vibe.write_scopes())) or collection = any ((select vibe.write_scopes())::text[]));

-- Column grants: nobody writes the compiled columns, times, revisions. No delete: a deletion is a tombstone.
grant select on vibe.documents to vibe_app, vibe_view;
grant insert (id, collection, owner_did, key, data, acl, edges), update (data, acl, edges, delete_time) on vibe.documents to vibe_app;

revoke all on function vibe.documents_guard() from public;
