-- Runs that call a callback (ADR 52), and the DAGs whose runs do.
ALTER TABLE run DROP CONSTRAINT run_trigger_check, ADD CONSTRAINT run_trigger_check CHECK (
    trigger IN ('schedule', 'manual', 'backfill', 'asset', 'callback')) NOT VALID;
CREATE INDEX dag_callbacks ON dag (team_id, dag_id) WHERE right(dag_id, 10) = '.callbacks' AND missing_since IS NULL;
