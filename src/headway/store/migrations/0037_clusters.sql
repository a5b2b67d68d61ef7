-- What a team has in a cluster: its settings, and what schedulers found and made there.

-- core/cluster. A setting that is not named is that of the executor.
ALTER TABLE team ADD COLUMN cluster jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(cluster) = 'object');

CREATE FUNCTION set_team_cluster(actor integer, secret text, wanted integer, cluster jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    PERFORM require_platform_admin(actor);
    UPDATE team SET cluster = set_team_cluster.cluster WHERE team_id = wanted AND deleted_at IS NULL;
    PERFORM pg_notify('headway_scheduler', '');
END $$;
REVOKE ALL ON FUNCTION set_team_cluster FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_team_cluster TO headway_app;

-- `applied`: the digest of the objects that were applied last; empty: none yet, or they are another install's.
-- A row outlives its team until nothing of it is left in the cluster.
CREATE TABLE team_cluster (
    team_id     integer NOT NULL REFERENCES team,
    executor    text NOT NULL,
    namespace   text NOT NULL,
    state       text NOT NULL CHECK (state IN ('applying', 'ready', 'trouble', 'deleting')),
    applied     text NOT NULL DEFAULT '',
    trouble     text,
    quota       jsonb NOT NULL DEFAULT '[]', -- [{"name", "used", "hard"}]
    checked_at  timestamptz NOT NULL,
    repaired_at timestamptz,
    PRIMARY KEY (team_id, executor)
);
ALTER TABLE team_cluster ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_cluster FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON team_cluster TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY entered_team ON team_cluster AS RESTRICTIVE FOR DELETE TO headway_engine
    USING (coalesce(team_id = (SELECT entered_team()), true));
CREATE POLICY one_team ON team_cluster TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, UPDATE, DELETE ON team_cluster TO headway_engine;
GRANT SELECT ON team_cluster TO headway_app;
