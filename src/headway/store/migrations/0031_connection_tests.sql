-- Tests of connections that somebody asked for: the API writes one, a scheduler has it done by an agent of the team, and
-- the API takes the result away. No secret is ever in it.
CREATE TABLE connection_test (
    team_id      integer NOT NULL REFERENCES team,
    test_id      text NOT NULL,
    conn_id      text NOT NULL,
    requested_at timestamptz NOT NULL,
    claimed_at   timestamptz, -- null: no scheduler has it yet
    ok           boolean, -- null: it has not ended
    message      text NOT NULL DEFAULT '',
    PRIMARY KEY (team_id, test_id)
);
CREATE INDEX connection_test_open ON connection_test (requested_at) WHERE claimed_at IS NULL;

ALTER TABLE connection_test ENABLE ROW LEVEL SECURITY;
ALTER TABLE connection_test FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON connection_test TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON connection_test TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
GRANT SELECT, INSERT, DELETE ON connection_test TO headway_app;
GRANT SELECT, UPDATE ON connection_test TO headway_engine;
CREATE POLICY delete_team ON connection_test FOR DELETE TO CURRENT_USER USING (true);
CREATE POLICY identify ON connection_test FOR SELECT TO CURRENT_USER USING (true);

CREATE FUNCTION forget_connection_tests() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM connection_test WHERE team_id = NEW.team_id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_connection_tests AFTER UPDATE OF deleted_at ON team FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_connection_tests();
REVOKE ALL ON FUNCTION forget_connection_tests FROM PUBLIC;
