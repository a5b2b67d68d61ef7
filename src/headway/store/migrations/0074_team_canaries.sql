-- The canaries of teams: which are watched, the run that is going on, and what the latest ones proved (ADR 66).

-- One row for each team with live agents. `watched_since`: since when it has had some, and schedulers that looked.
-- `due_at`: when the next look is due. `run_id`: of the run that is going on. `fault`: whose it is that this one has not
-- ended; null if none goes on. `reason`: what keeps it from its success, or why the one before failed.
CREATE TABLE team_canary (
    team_id       integer PRIMARY KEY REFERENCES team,
    period_s      double precision NOT NULL CHECK (period_s > 0),
    watched_since timestamptz NOT NULL,
    looked_at     timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    run_id        text,
    proved_at     timestamptz,
    fault         text CHECK (fault IN ('scheduler', 'team')),
    reason        jsonb
);
CREATE INDEX team_canary_due ON team_canary (due_at);
ALTER TABLE team_canary ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_canary FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON team_canary TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY entered_team ON team_canary AS RESTRICTIVE FOR DELETE TO headway_engine
    USING (coalesce(team_id = (SELECT entered_team()), true));
CREATE POLICY one_team ON team_canary TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, UPDATE, DELETE ON team_canary TO headway_engine;
GRANT SELECT ON team_canary TO headway_app;

-- Their DAG, pool and bundle are called ~canary, which no author and no person can call anything, and the ids of their
-- runs begin with ~. People see none of them, by whatever statement they ask.
-- No further policies: those would bind a login that is a member of both roles, and hide rows from its backups.
ALTER POLICY one_team ON dag
    USING (team_id = (SELECT entered_team()) AND dag_id <> '~canary')
    WITH CHECK (team_id = (SELECT entered_team()) AND dag_id <> '~canary');
ALTER POLICY one_team ON dag_version
    USING (team_id = (SELECT entered_team()) AND dag_id <> '~canary')
    WITH CHECK (team_id = (SELECT entered_team()) AND dag_id <> '~canary');
ALTER POLICY one_team ON run
    USING (team_id = (SELECT entered_team()) AND dag_id <> '~canary')
    WITH CHECK (team_id = (SELECT entered_team()) AND dag_id <> '~canary');
ALTER POLICY one_team ON task_instance
    USING (team_id = (SELECT entered_team()) AND NOT starts_with(run_id, '~'))
    WITH CHECK (team_id = (SELECT entered_team()) AND NOT starts_with(run_id, '~'));
ALTER POLICY one_team ON attempt
    USING (team_id = (SELECT entered_team()) AND NOT starts_with(run_id, '~'))
    WITH CHECK (team_id = (SELECT entered_team()) AND NOT starts_with(run_id, '~'));
ALTER POLICY one_team ON pool
    USING (team_id = (SELECT entered_team()) AND name <> '~canary')
    WITH CHECK (team_id = (SELECT entered_team()) AND name <> '~canary');
ALTER POLICY one_team ON bundle
    USING (team_id = (SELECT entered_team()) AND version <> '~canary')
    WITH CHECK (team_id = (SELECT entered_team()) AND version <> '~canary');
