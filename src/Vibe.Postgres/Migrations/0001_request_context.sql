-- The request context as row policies see it. Settings are local to one transaction; a setting that was set once on a connection reads as an
-- empty string afterwards, not as NULL, hence nullif everywhere. Wrap calls in policies as (select vibe.me()): evaluated once per statement.

create function vibe.me() returns text language sql stable parallel safe
  as $$ select nullif(current_setting('vibe.me', true), '') $$;
comment on function vibe.me() is 'DID on whose behalf the transaction runs; NULL when signed out';

create function vibe.app() returns text language sql stable parallel safe
  as $$ select nullif(current_setting('vibe.app', true), '') $$;
comment on function vibe.app() is 'DID of the calling app; NULL for a first-party tool';

create function vibe.principals() returns text[] language sql stable parallel safe
  as $$ select coalesce(nullif(current_setting('vibe.principals', true), ''), '{}')::text[] $$;
comment on function vibe.principals() is 'What the caller counts as besides itself and everyone';

create function vibe.read_scopes() returns text[] language sql stable parallel safe
  as $$ select coalesce(nullif(current_setting('vibe.read_scopes', true), ''), '{}')::text[] $$;
comment on function vibe.read_scopes() is 'Collections that may be read; * for all; empty for none';

create function vibe.write_scopes() returns text[] language sql stable parallel safe
  as $$ select coalesce(nullif(current_setting('vibe.write_scopes', true), ''), '{}')::text[] $$;
comment on function vibe.write_scopes() is 'Collections that may be written; * for all; empty for none';
