-- Partitions that are expected by a time. `partitions_due_at`: when a scheduler has to look again for one that is overdue, null: never;
-- `partitions_due_from`: the start of the first partition that was not looked at.
ALTER TABLE dag
    ADD COLUMN partitions_due_at timestamptz,
    ADD COLUMN partitions_due_from timestamptz;
CREATE INDEX dag_partitions_due ON dag (partitions_due_at) WHERE partitions_due_at IS NOT NULL;

-- When it was due; null: it was not overdue. A partition that is overdue waits here though nothing of it has arrived.
ALTER TABLE pending_partition ADD COLUMN due_at timestamptz;
