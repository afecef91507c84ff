-- The change feed reads committed transactions through logical replication. With the old row in the log, whether a
-- document entered, changed within, or left a query is known without keeping what each subscriber has seen; and large
-- values that an update left alone need not be fetched again (docs/decisions/0007-change-feed.md).
alter table vibe.documents replica identity full;
create publication vibe_feed for table vibe.documents;

-- What catching up can no longer tell.
create table vibe.feed (
  only_row boolean primary key default true check (only_row),
  floor xid8 not null);
comment on column vibe.feed.floor is 'Traces of transactions below may be gone: a cursor that has not seen all of them has expired';
insert into vibe.feed (floor) values (pg_current_xact_id());

-- Traces that only somebody who catches up needs, tombstones and past rules, go once no cursor of that age is good any
-- more. Rows say which transaction wrote them, not when: marks say which transactions were over at a time.

create table vibe.feed_marks (
  time timestamptz not null default now(),
  epoch text not null,
  horizon xid8 not null);
comment on column vibe.feed_marks.horizon is 'All transactions below had ended by then';
comment on column vibe.feed_marks.epoch is 'What the number means something in';

create index documents_tombstones on vibe.documents (txid) where delete_time is not null;
