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
