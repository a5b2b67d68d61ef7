-- Questions that tasks ask people: a wait that an answer ends. NOT VALID: what is stored satisfies the wider rule.
ALTER TABLE wait DROP CONSTRAINT known_kind, ADD CONSTRAINT known_kind CHECK (kind IN ('time', 'run', 'trigger', 'answer')) NOT VALID;
CREATE INDEX open_question ON wait (team_id, since, run_id, task_id, map_index) WHERE kind = 'answer' AND NOT is_over;

-- An answer is written once, in the transaction that takes it, and goes with its attempt.
CREATE TABLE answer (
    team_id     integer NOT NULL,
    run_id      text NOT NULL,
    task_id     text NOT NULL,
    map_index   integer NOT NULL,
    attempt     integer NOT NULL,
    deferrals   integer NOT NULL CHECK (deferrals > 0), -- which of the attempt's waits was the question
    question    json NOT NULL,
    asked_at    timestamptz NOT NULL,
    answered_at timestamptz NOT NULL,
    answered_by text NOT NULL,
    timed_out   boolean NOT NULL, -- the default: nobody answered in time
    link_id     text, -- by which it came
    chosen      text[] NOT NULL,
    params      json NOT NULL,
    PRIMARY KEY (team_id, run_id, task_id, map_index, attempt, deferrals),
    FOREIGN KEY (team_id, run_id, task_id, map_index, attempt) REFERENCES attempt ON DELETE CASCADE
);
ALTER TABLE answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE answer FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON answer TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON answer TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, DELETE ON answer TO headway_engine;
GRANT SELECT, INSERT ON answer TO headway_app;

-- What a person's answer does to its task: the wait is over, and the result of a task that needs no process is there.
GRANT UPDATE (is_over, found, timed_out, reported, session_id) ON wait TO headway_app;
GRANT INSERT (team_id, run_id, task_id, map_index, key, attempt, value, size, length, masked) ON xcom TO headway_app;
