-- What an app that acts as itself may do with the documents of others. Not set for anybody else, and then nothing.

create function vibe.read_privileges() returns text[] language sql stable parallel safe
  as $$ select coalesce(nullif(current_setting('vibe.read_privileges', true), ''), '{}')::text[] $$;
comment on function vibe.read_privileges() is 'Collections whose documents the caller reads as if named in their access rules; never *';

create function vibe.write_privileges() returns text[] language sql stable parallel safe
  as $$ select coalesce(nullif(current_setting('vibe.write_privileges', true), ''), '{}')::text[] $$;
comment on function vibe.write_privileges() is 'Collections whose documents the caller writes as if named in their access rules; never *';
