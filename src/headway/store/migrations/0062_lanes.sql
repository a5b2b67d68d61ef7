-- The lanes of a DAG, each in its own order: its ordinary runs, which are of no backfill, and those of each backfill.
DROP INDEX run_queued;
CREATE INDEX run_queued ON run (team_id, dag_id, backfill_id, logical_date, run_id) WHERE state = 'queued';
DROP INDEX run_running;
CREATE INDEX run_running ON run (team_id, dag_id, backfill_id) WHERE state = 'running';
