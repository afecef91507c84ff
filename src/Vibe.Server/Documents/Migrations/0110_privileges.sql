-- Privileges of apps that act as themselves: a caller who has one for a collection counts as named in the access rules of
-- every document there. So denials keep it out like anybody, scopes of the token cut it down, and only owners change rules.

alter policy documents_read on vibe.documents using (
  (audience = 2
    or owner_did = (select vibe.me())
    or (audience = 1 and (select 'users' = any (vibe.principals())))
    or (cardinality(readers) > 0 and readers && (select vibe.principals()))
    or collection = any ((select vibe.read_privileges())::text[]))
  and not (owner_did is distinct from (select vibe.me()) and cardinality(denied) > 0 and denied && (select vibe.principals())));

alter policy documents_update on vibe.documents
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

alter policy doc_fields_read on vibe.doc_fields using (
  (audience = 2 or owner_did = (select vibe.me()) or (audience = 1 and (select 'users' = any (vibe.principals())))
    or collection = any ((select vibe.read_privileges())::text[]))
  and (audience = 2 or (select '*' = any (vibe.read_scopes())) or collection = any ((select vibe.read_scopes())::text[]))
  and not (owner_did is distinct from (select vibe.me()) and cardinality(denied) > 0 and denied && (select vibe.principals())));

-- What such a caller sees beyond everybody, in the order of lists. Nobody else's query matches its condition.
create index documents_private on vibe.documents (collection, create_time desc, id desc) where audience = 0 and delete_time is null;

-- A document leaves the sight of such a caller when it is denied to them, whoever it was open to: told to who catches up, and
-- only with the privilege. By its name this trigger comes after documents_project, which tells the others.
create function vibe.documents_tell_privileged() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into vibe.doc_acl as a (principal, collection, doc_id, create_time, removed, via)
    select p, new.collection, new.id, new.create_time, true, '{privileged}'
    from unnest(new.denied) p where p <> all (old.denied) and p like 'did:%:apps:%' order by p
  on conflict (principal, doc_id) do update set removed = true, txid = pg_current_xact_id(),
    via = case when a.via = '{}' or 'privileged' = any (a.via) then a.via else a.via || '{privileged}' end;
  return null;
end $$;
create trigger c_tell_privileged after update on vibe.documents for each row
  when (new.denied is distinct from old.denied and new.denied <> '{}') execute function vibe.documents_tell_privileged();
revoke all on function vibe.documents_tell_privileged() from public;
