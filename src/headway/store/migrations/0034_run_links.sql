-- Signed-out reading of one run, by a link: its secret is random and stored as a hash; it expires, and can be revoked.
CREATE TABLE run_link (
    team_id      integer NOT NULL,
    link_id      text NOT NULL,
    run_id       text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    with_logs    boolean NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (team_id, link_id),
    FOREIGN KEY (team_id, run_id) REFERENCES run ON DELETE CASCADE
);
CREATE INDEX run_link_of_run ON run_link (team_id, run_id);
CREATE INDEX run_link_latest ON run_link (team_id, created_at, link_id);
ALTER TABLE run_link ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_link FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON run_link TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON run_link TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
CREATE POLICY identify ON run_link FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY note_use ON run_link FOR UPDATE TO CURRENT_USER USING (true);
CREATE POLICY remove_with_run ON run_link FOR DELETE TO CURRENT_USER USING (true);
GRANT SELECT (team_id, link_id, run_id, with_logs, created_at, created_by, expires_at, last_used_at, revoked_at),
    INSERT, UPDATE (revoked_at) ON run_link TO headway_app;

-- What a secret opens, in whatever team; nothing of a team that was deleted.
CREATE FUNCTION open_run_link(given bytea) RETURNS TABLE (team_id integer, team text, run_id text, with_logs boolean, expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE run_link SET last_used_at = now()
    WHERE run_link.hash = given AND run_link.revoked_at IS NULL AND run_link.expires_at > now()
        AND coalesce(run_link.last_used_at < now() - interval '1 minute', true);
    SELECT known.team_id, team.name, known.run_id, known.with_logs, known.expires_at
    FROM run_link AS known JOIN team ON team.team_id = known.team_id AND team.deleted_at IS NULL
    WHERE known.hash = given AND known.revoked_at IS NULL AND known.expires_at > now()
$$;
REVOKE ALL ON FUNCTION open_run_link FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_run_link TO headway_app;
