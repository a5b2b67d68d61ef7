-- What one team lets another one do with one of its DAGs. Both see the row; teams stand there by their names, so that what is said
-- to a team that does not exist is stored like everything else and tells nothing.
CREATE TABLE team_grant (
    grant_id   text PRIMARY KEY,
    owner      text NOT NULL,
    grantee    text NOT NULL,
    dag_id     text NOT NULL,
    kind       text NOT NULL CONSTRAINT known_kind CHECK (kind IN ('see_runs', 'start')),
    state      text NOT NULL CONSTRAINT known_grant_state CHECK (state IN ('asked', 'given', 'refused', 'revoked')),
    note       text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    changed_in text NOT NULL, -- the team of who changed it
    CONSTRAINT two_teams CHECK (owner <> grantee),
    CONSTRAINT one_of_a_kind UNIQUE (owner, grantee, dag_id, kind)
);
CREATE INDEX team_grant_of_grantee ON team_grant (grantee, owner);
ALTER TABLE team_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_grant FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON team_grant TO headway_engine USING (true) WITH CHECK (true);

CREATE FUNCTION entered_team_name() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT name FROM team WHERE team_id = entered_team() AND deleted_at IS NULL
$$;

-- A grantee asks and hands back; whatever its SQL says, it gives itself nothing.
CREATE POLICY both_teams ON team_grant FOR SELECT TO headway_app
    USING (owner = (SELECT entered_team_name()) OR grantee = (SELECT entered_team_name()));
CREATE POLICY make ON team_grant FOR INSERT TO headway_app WITH CHECK (
    owner = (SELECT entered_team_name()) OR grantee = (SELECT entered_team_name()) AND state = 'asked');
CREATE POLICY change ON team_grant FOR UPDATE TO headway_app
    USING (owner = (SELECT entered_team_name()) OR grantee = (SELECT entered_team_name())) WITH CHECK (
        owner = (SELECT entered_team_name())
        OR grantee = (SELECT entered_team_name()) AND state IN ('asked', 'revoked'));
GRANT SELECT, INSERT, UPDATE (state, note, changed_at, changed_by, changed_in) ON team_grant TO headway_app;
CREATE POLICY identify ON team_grant FOR SELECT TO CURRENT_USER USING (true);

-- The audit of the other team tells too, if there is such a team.
CREATE FUNCTION tell_other_team() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Both chains, in one order: two teams that grant to each other at the same moment wait for each other, never in a ring.
    PERFORM pg_advisory_xact_lock(hashtext('headway audit'), locked.team_id) FROM (
        SELECT team_id FROM team WHERE name IN (NEW.owner, NEW.grantee) AND deleted_at IS NULL ORDER BY team_id) AS locked;
    INSERT INTO audit (team_id, actor, via, action, subject, detail, address)
    SELECT team_id, NEW.changed_by, 'team ' || NEW.changed_in, 'grants.' || NEW.state, NEW.grant_id, json_build_object(
        'owner', NEW.owner, 'grantee', NEW.grantee, 'dag_id', NEW.dag_id, 'kind', NEW.kind, 'state', NEW.state), ''
    FROM team
    WHERE name = CASE NEW.changed_in WHEN NEW.owner THEN NEW.grantee ELSE NEW.owner END AND deleted_at IS NULL;
    RETURN NULL;
END $$;
CREATE POLICY tell_other_team ON audit FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE TRIGGER tell_other_team AFTER INSERT OR UPDATE ON team_grant FOR EACH ROW EXECUTE FUNCTION tell_other_team();

-- A team that is created later under the same name inherits nothing.
CREATE POLICY delete_team ON team_grant FOR DELETE TO CURRENT_USER USING (true);
CREATE FUNCTION forget_grants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM team_grant WHERE owner = NEW.name OR grantee = NEW.name;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_grants AFTER UPDATE OF deleted_at ON team FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_grants();

-- What another team lets people of these teams do, asked before a team is entered. A name that no team has answers the same.
CREATE FUNCTION grants_of(secret text, wanted text, teams integer[]) RETURNS TABLE (
    owner_id integer, grantee_id integer, dag_id text, kind text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    RETURN QUERY SELECT host.team_id, guest.team_id, given.dag_id, given.kind
    FROM team AS guest
    JOIN team_grant AS given ON given.grantee = guest.name AND given.owner = wanted AND given.state = 'given'
    JOIN team AS host ON host.name = given.owner AND host.deleted_at IS NULL
    WHERE guest.team_id = ANY (teams) AND guest.deleted_at IS NULL;
END $$;
REVOKE ALL ON FUNCTION entered_team_name, tell_other_team, forget_grants, grants_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION entered_team_name, grants_of TO headway_app;
