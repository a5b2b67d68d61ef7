-- How many task instances of a run that has ended had failed: a run may succeed although some did, and lists show it.
ALTER TABLE run ADD COLUMN failed_instances integer NOT NULL DEFAULT 0;
ALTER TABLE run NO FORCE ROW LEVEL SECURITY;
ALTER TABLE task_instance NO FORCE ROW LEVEL SECURITY;
UPDATE run SET failed_instances = counted.failed FROM (
    SELECT team_id, run_id, count(*) AS failed FROM task_instance WHERE state = 'failed' GROUP BY team_id, run_id
) AS counted
WHERE run.team_id = counted.team_id AND run.run_id = counted.run_id AND ended_at IS NOT NULL;
ALTER TABLE run FORCE ROW LEVEL SECURITY;
ALTER TABLE task_instance FORCE ROW LEVEL SECURITY;
