-- A repeated request gets the consistency token of the first: that of the transaction which wrote.
alter table vibe.requests add column txid xid8 not null default pg_current_xact_id();
