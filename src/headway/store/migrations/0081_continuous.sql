-- DAGs whose next run begins when the last has ended. `goes_on`: so it is, until the end date of the DAG. While a run is open it has
-- no `next_fire_at`; a scheduler sets that when none is.
ALTER TABLE dag ADD COLUMN goes_on boolean NOT NULL DEFAULT false;
CREATE INDEX dag_goes_on ON dag (team_id, dag_id) WHERE goes_on AND next_fire_at IS NULL;
