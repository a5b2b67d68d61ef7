-- Which data directory, and so which DAG folder, a team's DAGs come from. Its loader renews the row; another one may
-- take it when it is let go, or was not renewed for a while.
CREATE TABLE installation (
    team_id  integer PRIMARY KEY REFERENCES team,
    host     text NOT NULL,
    data     text NOT NULL,
    dags     text NOT NULL,
    seen_at  timestamptz NOT NULL
);
ALTER TABLE installation ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON installation TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON installation TO headway_app
    USING (team_id = nullif(current_setting('app.team_id', true), '')::int)
    WITH CHECK (team_id = nullif(current_setting('app.team_id', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON installation TO headway_engine;
GRANT SELECT ON installation TO headway_app;

-- Where the logs and large results of its attempts are: the data directory on its host.
ALTER TABLE agent_session ADD COLUMN data text; -- null: not known
