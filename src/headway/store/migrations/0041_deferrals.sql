-- Deferred attempts: the process has ended, the attempt goes on in another one when what it waits for is there.
-- NOT VALID: what is stored satisfies the wider rules, and nothing has to be read for them.
ALTER TABLE task_instance DROP CONSTRAINT known_state, ADD CONSTRAINT known_state CHECK (state IN (
    'waiting', 'ready', 'queued', 'running', 'up_for_retry', 'deferred', 'up_for_reschedule',
    'success', 'failed', 'skipped', 'upstream_failed', 'cancelled')) NOT VALID;
ALTER TABLE task_instance DROP CONSTRAINT a_retry_has_an_alarm, ADD CONSTRAINT a_retry_has_an_alarm CHECK (
    (wake_at IS NULL OR state IN ('up_for_retry', 'deferred', 'up_for_reschedule'))
    AND (wake_at IS NOT NULL OR state NOT IN ('up_for_retry', 'up_for_reschedule'))) NOT VALID;

-- How often an attempt was deferred: so many processes of it lie behind.
ALTER TABLE attempt ADD COLUMN deferrals integer NOT NULL DEFAULT 0 CHECK (deferrals >= 0);
ALTER TABLE attempt DROP CONSTRAINT known_attempt_state, ADD CONSTRAINT known_attempt_state CHECK (state IN
    ('queued', 'running', 'deferred', 'success', 'failed', 'skipped', 'lost', 'cancelled')) NOT VALID;
ALTER TABLE attempt DROP CONSTRAINT ended_iff_final, ADD CONSTRAINT ended_iff_final CHECK (
    (state IN ('queued', 'running', 'deferred')) = (ended_at IS NULL)) NOT VALID;
DROP INDEX one_live_attempt;
CREATE UNIQUE INDEX one_open_attempt ON attempt (team_id, run_id, task_id, map_index)
    WHERE state IN ('queued', 'running', 'deferred');
-- A person's word ends a deferred attempt at once, because it has no process.
GRANT SELECT (deferrals), UPDATE (state, started_at, ended_at, cause, detail) ON attempt TO headway_app;

-- What the open attempt of a task instance waits for, or waited for before its present process. The row goes with the
-- attempt. Not a column of what waits: most task instances never wait, and who looks writes here without the run.
CREATE TABLE wait (
    team_id      integer NOT NULL,
    run_id       text NOT NULL,
    task_id      text NOT NULL,
    map_index    integer NOT NULL,
    attempt      integer NOT NULL,
    deferrals    integer NOT NULL CHECK (deferrals > 0), -- which of the attempt's waits
    kind         text NOT NULL CONSTRAINT known_kind CHECK (kind IN ('time', 'run')),
    facts        json NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz, -- the clock ends it
    ends_at      timestamptz, -- it takes too long
    timeout_s    double precision,
    overdue      text NOT NULL CONSTRAINT known_overdue CHECK (overdue IN ('fail', 'skip', 'resume')),
    method       text, -- what the next process calls; null: the task from the top
    kwargs       json,
    reschedules  boolean NOT NULL,
    finishes     boolean NOT NULL, -- the task ends with what is found
    is_over      boolean NOT NULL DEFAULT false, -- the next process is on its way, or runs
    found        json,
    timed_out    boolean NOT NULL DEFAULT false,
    reported     boolean NOT NULL DEFAULT false, -- that it is there, and no tick knows yet
    target_dag   text, -- of a run: its DAG and logical date
    target_date  timestamptz,
    PRIMARY KEY (team_id, run_id, task_id, map_index),
    FOREIGN KEY (team_id, run_id, task_id, map_index) REFERENCES task_instance ON DELETE CASCADE,
    CONSTRAINT a_run_is_named CHECK (kind <> 'run' OR (target_dag IS NOT NULL AND target_date IS NOT NULL))
);
CREATE INDEX wait_for_run ON wait (team_id, run_id, task_id, map_index) WHERE kind = 'run' AND NOT is_over AND NOT reported;
ALTER TABLE wait ENABLE ROW LEVEL SECURITY;
ALTER TABLE wait FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON wait TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON wait TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, UPDATE, DELETE ON wait TO headway_engine;
GRANT SELECT, DELETE ON wait TO headway_app;
