-- Warm pools of teams: what schedulers want of them, and what they found.

-- `replicas`: agents that were asked for last. `applied`: the digest of what was applied; empty: nothing was.
-- `agents`: [{"name", "since", "is_ready", "held", "idle_since"}]. `reason`: why they are not all there.
-- A row outlives its team until the pool is gone from the cluster.
CREATE TABLE warm_pool (
    team_id    integer NOT NULL REFERENCES team,
    executor   text NOT NULL,
    replicas   integer NOT NULL DEFAULT 0 CHECK (replicas >= 0),
    applied    text NOT NULL DEFAULT '',
    agents     jsonb NOT NULL DEFAULT '[]',
    reason     jsonb,
    queues     text[] NOT NULL DEFAULT '{default}', -- that its agents serve
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, executor)
);
ALTER TABLE warm_pool ENABLE ROW LEVEL SECURITY;
ALTER TABLE warm_pool FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON warm_pool TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY entered_team ON warm_pool AS RESTRICTIVE FOR DELETE TO headway_engine
    USING (coalesce(team_id = (SELECT entered_team()), true));
CREATE POLICY one_team ON warm_pool TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, UPDATE, DELETE ON warm_pool TO headway_engine;
GRANT SELECT ON warm_pool TO headway_app;
