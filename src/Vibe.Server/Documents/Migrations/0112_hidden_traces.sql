-- A trace of lost sight says whom a document was open to, but not who of them had been denied it all along: they were told its
-- id when it closed. A trace now says that too.

alter table vibe.doc_acl add column hidden_from text[];
comment on column vibe.doc_acl.hidden_from is
  'Of a removed row: who was denied the document whenever it was taken away from the principal, so that it is no news to them. Else NULL';
update vibe.doc_acl set hidden_from = '{}' where removed;

create policy doc_acl_read_hidden on vibe.doc_acl as restrictive for select to vibe_app using (
  hidden_from is null or not hidden_from && (select vibe.principals()));

-- By its name this trigger comes after those that write the traces.
create function vibe.documents_hide_traces() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  update vibe.doc_acl a set hidden_from = case
      when not a.removed then null
      when a.hidden_from is null then old.denied
      else array(select unnest(a.hidden_from) intersect select unnest(old.denied)) end
  where a.doc_id = new.id
    and a.principal = any (old.readers || new.readers || new.denied || case old.audience when 2 then '{*}'::text[] when 1 then '{users}' else '{}' end)
    and (a.removed and a.txid = pg_current_xact_id() or not a.removed and a.hidden_from is not null);
  return null;
end $$;
create trigger d_hide_traces after update on vibe.documents for each row
  when ((new.audience, new.readers, new.denied, new.delete_time is null) is distinct from (old.audience, old.readers, old.denied, old.delete_time is null))
  execute function vibe.documents_hide_traces();
revoke all on function vibe.documents_hide_traces() from public;
