-- Live changes: a watcher goes on from where it was. Identity numbers become visible out of the order of their commits,
-- so "all events after number n" loses some. What a snapshot of transactions had not seen yet and another one sees is
-- exact instead (headway.store.views.stream). Rows of before have none: nobody watched them.
ALTER TABLE event ADD COLUMN xact xid8;
ALTER TABLE event ALTER COLUMN xact SET DEFAULT pg_current_xact_id();
CREATE INDEX event_by_transaction ON event (team_id, xact) WHERE xact IS NOT NULL;
