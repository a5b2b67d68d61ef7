-- Outbound webhooks are told of partitions that are overdue, too, if they want to be. `event`: of which kind a delivery is.
ALTER TABLE outbound_webhook
    ADD COLUMN events text[] NOT NULL DEFAULT ARRAY['run.ended']
        CHECK (events <@ ARRAY['run.ended', 'partition.overdue'] AND cardinality(events) > 0);
ALTER TABLE outbound_delivery
    ADD COLUMN event text NOT NULL DEFAULT 'run.ended' CHECK (event IN ('run.ended', 'partition.overdue', 'ping')),
    ADD COLUMN partition text; -- the one that is overdue
UPDATE outbound_delivery SET event = 'ping' WHERE dag_id IS NULL;
