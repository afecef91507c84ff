-- Fills up to so many documents: 60 % private, 25 % public, 15 % shared by name, of 20,000 owners of whom few have much.
-- Inserted into the real table, so that triggers compile the access rules and keep the side tables.
-- Variables: total, me (whose sight is measured: 55 documents of its own, and about one share in eighty).
set role vibe_owner;
select set_config('bench.me', :'me', false), set_config('bench.total', :'total', false);
do $$
declare
  rest int := current_setting('bench.total')::int - (select count(*) from vibe.documents);
  batch int;
begin
  while rest > 0 loop
    batch := least(rest, 5000);
    insert into vibe.documents (id, collection, owner_did, data, acl)
      select
        (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid,
        'c' || floor(random() * 10)::int,
        case when n % 15000 = 0 then current_setting('bench.me') else 'did:web:vibe.localhost:users:' || lpad(floor(power(random(), 2) * 20000)::text, 12, '0') end,
        jsonb_build_object(
          'title', 'Note ' || n, 'ref', 'r' || floor(random() * 1000)::int, 'score', floor(random() * 100000) / 100, 'done', random() < 0.5,
          'tags', jsonb_build_array(substr(h, 1, 5), substr(h, 6, 5)), 'text', repeat(h || ' ', 5)),
        case
          when kind < 0.60 then '{}'::jsonb
          when kind < 0.85 then '{"read": {"allow": ["*"]}}'::jsonb
          else jsonb_build_object('read', jsonb_build_object('allow', shared)) end
      from (
        select n, md5(n::text || clock_timestamp()::text) h, random() kind from generate_series(rest - batch + 1, rest) n offset 0) x,
      lateral (
        select array(
          select case when n % 1000 < 13 and k = 1 then current_setting('bench.me')
            else 'did:web:vibe.localhost:users:' || lpad(((n::bigint * 7919 + k * 104729) % 20000)::text, 12, '0') end
          from generate_series(1, case when kind < 0.85 then 0 else 1 + floor(power(random(), 3) * 20)::int end) k) shared) s;
    rest := rest - batch;
    commit;
  end loop;
end $$;
reset role;
vacuum analyze;
