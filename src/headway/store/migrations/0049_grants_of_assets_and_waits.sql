-- More that a team grants: its assets, and waits for runs of its DAGs. A grant names a DAG or an asset.
ALTER TABLE team_grant RENAME COLUMN dag_id TO name;
ALTER TABLE team_grant DROP CONSTRAINT known_kind, ADD CONSTRAINT known_kind CHECK (
    kind IN ('see_runs', 'start', 'wait', 'use_asset')) NOT VALID;
GRANT SELECT ON team_grant TO headway_engine;

CREATE OR REPLACE FUNCTION tell_other_team() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Both chains, in one order: two teams that grant to each other at the same moment wait for each other, never in a ring.
    PERFORM pg_advisory_xact_lock(hashtext('headway audit'), locked.team_id) FROM (
        SELECT team_id FROM team WHERE name IN (NEW.owner, NEW.grantee) AND deleted_at IS NULL ORDER BY team_id) AS locked;
    INSERT INTO audit (team_id, actor, via, action, subject, detail, address)
    SELECT team_id, NEW.changed_by, 'team ' || NEW.changed_in, 'grants.' || NEW.state, NEW.grant_id, json_build_object(
        'owner', NEW.owner, 'grantee', NEW.grantee, 'name', NEW.name, 'kind', NEW.kind, 'state', NEW.state), ''
    FROM team
    WHERE team.name = CASE NEW.changed_in WHEN NEW.owner THEN NEW.grantee ELSE NEW.owner END AND deleted_at IS NULL;
    RETURN NULL;
END $$;

DROP FUNCTION grants_of(text, text, integer[]);
CREATE FUNCTION grants_of(secret text, wanted text, teams integer[]) RETURNS TABLE (
    owner_id integer, grantee_id integer, name text, kind text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    RETURN QUERY SELECT host.team_id, guest.team_id, given.name, given.kind
    FROM team AS guest
    JOIN team_grant AS given ON given.grantee = guest.name AND given.owner = wanted AND given.state = 'given'
    JOIN team AS host ON host.name = given.owner AND host.deleted_at IS NULL
    WHERE guest.team_id = ANY (teams) AND guest.deleted_at IS NULL;
END $$;
REVOKE ALL ON FUNCTION grants_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION grants_of TO headway_app;

-- A run of another team that is waited for; null: of the own team.
ALTER TABLE wait ADD COLUMN target_team text;
