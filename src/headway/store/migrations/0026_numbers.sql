-- `number` is an attempt's own and nothing else's. Views, indexes, constraints and rights follow a renamed column by themselves.

-- Which version of a DAG.
ALTER TABLE dag RENAME COLUMN number TO version;
ALTER TABLE dag_version RENAME COLUMN number TO version;
ALTER TABLE run RENAME COLUMN number TO version;

-- How many attempts a task instance has had.
ALTER TABLE task_instance RENAME COLUMN number TO attempts;

-- Which attempt a result or an event is of; an event of a DAG or of a run names the version instead.
ALTER TABLE xcom RENAME COLUMN number TO attempt;
ALTER TABLE event RENAME COLUMN number TO attempt;
ALTER TABLE event ADD COLUMN version integer;
ALTER TABLE event NO FORCE ROW LEVEL SECURITY;
UPDATE event SET version = attempt, attempt = NULL WHERE subject <> 'task_instance' AND attempt IS NOT NULL;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
