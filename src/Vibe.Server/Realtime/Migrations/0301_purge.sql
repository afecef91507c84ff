-- Traces that only somebody who catches up needs, tombstones and removed shares, go once no cursor of that age is good any
-- more. Rows say which transaction wrote them, not when: marks say which transactions were over at a time.

create table vibe.feed_marks (
  time timestamptz not null default now(),
  epoch text not null,
  horizon xid8 not null);
comment on column vibe.feed_marks.horizon is 'All transactions below had ended by then';
comment on column vibe.feed_marks.epoch is 'What the number means something in';

create index documents_tombstones on vibe.documents (txid) where delete_time is not null;

-- Catching up and throwing away look at removed shares only.
create index doc_acl_removed on vibe.doc_acl (txid) where removed;
drop index vibe.doc_acl_txid;
