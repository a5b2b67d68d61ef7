-- Roles that a team defines, as sets of verbs; what a token is narrowed to; service accounts.
CREATE TABLE team_role (
    team_id     integer NOT NULL REFERENCES team,
    name        text NOT NULL CHECK (name ~ '^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$'
        AND name NOT IN ('viewer', 'operator', 'author', 'admin')),
    verbs       text[] NOT NULL CHECK (cardinality(verbs) BETWEEN 1 AND 100),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL,
    PRIMARY KEY (team_id, name)
);
ALTER TABLE team_role ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_role FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON team_role TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON team_role TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
CREATE POLICY identify ON team_role FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, DELETE, UPDATE (verbs, description) ON team_role TO headway_app;

-- The roles of a team end with it: at the commit, when nobody has one any more.
CREATE POLICY delete_team ON team_role FOR DELETE TO CURRENT_USER USING (true);
CREATE FUNCTION forget_roles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM team_role WHERE team_id = NEW.team_id;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER forget_roles AFTER UPDATE OF deleted_at ON team DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_roles();

-- A role is a built-in one, or one of the team, which then cannot be deleted.
ALTER TABLE membership DROP CONSTRAINT known_role, ADD COLUMN team_role text GENERATED ALWAYS AS (
    CASE WHEN role NOT IN ('viewer', 'operator', 'author', 'admin') THEN role END) STORED;
ALTER TABLE membership ADD CONSTRAINT known_role FOREIGN KEY (team_id, team_role) REFERENCES team_role;
CREATE INDEX membership_by_role ON membership (team_id, team_role) WHERE team_role IS NOT NULL;
ALTER TABLE api_token DROP CONSTRAINT known_role, ADD COLUMN team_role text GENERATED ALWAYS AS (
    CASE WHEN role NOT IN ('viewer', 'operator', 'author', 'admin') THEN role END) STORED,
    ADD COLUMN verbs text[], ADD COLUMN dag_ids text[]; -- null: all that the role has, every DAG
ALTER TABLE api_token ADD CONSTRAINT known_role FOREIGN KEY (team_id, team_role) REFERENCES team_role;
CREATE INDEX api_token_by_role ON api_token (team_id, team_role) WHERE team_role IS NOT NULL;
GRANT SELECT (verbs, dag_ids) ON api_token TO headway_app;

-- Of a team that is not entered yet: who asks is only about to be found.
CREATE FUNCTION verbs_of_role(team integer, wanted text) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT verbs FROM team_role WHERE team_id = team AND name = wanted
$$;

-- As identify_token, which the version before calls, with what the token is narrowed to.
CREATE FUNCTION identify_bearer(given bytea) RETURNS TABLE (
    token_id text, person_id integer, team_id integer, role text, expires_at timestamptz, verbs text[], dag_ids text[])
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET last_used_at = now()
    WHERE api_token.hash = given AND api_token.scope = 'api' AND api_token.revoked_at IS NULL
        AND api_token.expires_at > now() AND coalesce(api_token.last_used_at < now() - interval '1 minute', true);
    SELECT known.token_id, known.person_id, known.team_id, known.role, known.expires_at, known.verbs, known.dag_ids
    FROM api_token AS known
    WHERE known.hash = given AND known.scope = 'api' AND known.revoked_at IS NULL AND known.expires_at > now()
$$;

-- A program of one team: it has tokens, and no other way in.
ALTER TABLE person ADD COLUMN is_service boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT services_have_no_password CHECK (NOT is_service OR password_hash IS NULL);
GRANT SELECT (is_service), INSERT (is_service) ON person TO headway_app;
CREATE FUNCTION refuse_service() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM person WHERE person_id = NEW.person_id AND is_service) THEN
        RAISE check_violation USING MESSAGE = 'a service account cannot sign in';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_service BEFORE INSERT ON browser_session FOR EACH ROW EXECUTE FUNCTION refuse_service();
CREATE TRIGGER no_service BEFORE INSERT ON login_link FOR EACH ROW EXECUTE FUNCTION refuse_service();
CREATE FUNCTION refuse_other_team() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM person WHERE person_id = NEW.person_id AND is_service AND team_id <> NEW.team_id) THEN
        RAISE check_violation USING MESSAGE = 'a service account belongs to one team';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_team_of_service BEFORE INSERT ON membership FOR EACH ROW EXECUTE FUNCTION refuse_other_team();

REVOKE ALL ON FUNCTION forget_roles, verbs_of_role, identify_bearer, refuse_service, refuse_other_team FROM PUBLIC;
GRANT EXECUTE ON FUNCTION verbs_of_role, identify_bearer TO headway_app;
