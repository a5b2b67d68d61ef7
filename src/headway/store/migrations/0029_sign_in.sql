-- People whom somebody else signs in. They are created at the first sign-in and have no password here; the role map gives them
-- memberships, at each sign-in anew.
ALTER TABLE person
    ADD COLUMN source text, -- the way to sign in; null: a local user
    ADD COLUMN external_id text, -- who they are there
    ADD CONSTRAINT both_or_none CHECK ((source IS NULL) = (external_id IS NULL)),
    ADD CONSTRAINT no_password_of_others CHECK (source IS NULL OR password_hash IS NULL);
CREATE UNIQUE INDEX person_by_source ON person (source, external_id) WHERE source IS NOT NULL;
ALTER TABLE membership
    ADD COLUMN by_map boolean NOT NULL DEFAULT false,
    ADD COLUMN lapses_at timestamptz; -- when a role of the map ends without another sign-in
GRANT SELECT (source) ON person TO headway_app;

-- As enter_team: injected SQL cannot call what asks for the secret of an API server.
CREATE FUNCTION require_server(secret text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(session_user, current_user, 'MEMBER') AND NOT EXISTS (
        SELECT FROM api_server WHERE hash = sha256(convert_to(secret, 'UTF8'))
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'this login may not admit people: its secret is not known';
    END IF;
END $$;

CREATE FUNCTION live_team_names(secret text) RETURNS TABLE (name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    RETURN QUERY SELECT team.name FROM team WHERE deleted_at IS NULL ORDER BY team_id;
END $$;

-- A name that nobody has: never that of somebody else, who may be a local user.
CREATE FUNCTION free_name(wanted text, way text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT name FROM (
        SELECT 0 AS place, wanted AS name WHERE wanted <> 'admin'
        UNION ALL SELECT 1, left(wanted, 36) || '@' || way
        UNION ALL SELECT number, left(wanted, 36) || '-' || number || '@' || way FROM generate_series(2, 99) AS number
    ) AS candidates
    WHERE NOT EXISTS (SELECT FROM person WHERE person.name = candidates.name)
    ORDER BY place LIMIT 1
$$;

CREATE FUNCTION admit_person(secret text, given text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    asked json := given::json;
    who person;
    home integer;
    changes json;
BEGIN
    PERFORM require_server(secret);
    -- One after the other: of two first sign-ins at once the second finds the person.
    PERFORM pg_advisory_xact_lock(hashtext('headway admit'));
    SELECT * INTO who FROM person WHERE source = asked->>'way' AND external_id = asked->>'subject';
    SELECT min(team_id) INTO home FROM team JOIN json_each_text(asked->'roles') AS role ON role.key = team.name
    WHERE role.value IS NOT NULL AND deleted_at IS NULL;
    IF who.person_id IS NULL THEN
        IF home IS NULL THEN
            RETURN json_build_object('person_id', NULL);
        END IF;
        INSERT INTO person (team_id, name, display_name, created_by, source, external_id)
        VALUES (home, free_name(asked->>'name', asked->>'way'), asked->>'display_name', 'role map', asked->>'way',
            asked->>'subject')
        RETURNING * INTO who;
    END IF;
    UPDATE person SET display_name = asked->>'display_name', is_platform_admin = (asked->>'is_platform_admin')::boolean
    WHERE person_id = who.person_id;

    WITH said AS (
        SELECT team.team_id, team.name, role.value AS role
        FROM team JOIN json_each_text(asked->'roles') AS role ON role.key = team.name
        WHERE team.deleted_at IS NULL
    ), before AS (
        SELECT membership.team_id, team.name, role, by_map FROM membership JOIN team USING (team_id)
        WHERE person_id = who.person_id
    ), gone AS (
        DELETE FROM membership USING before LEFT JOIN said USING (team_id)
        WHERE membership.person_id = who.person_id AND membership.team_id = before.team_id
            AND said.role IS NULL AND (before.by_map OR said.team_id IS NOT NULL)
        RETURNING before.team_id, before.name, before.role
    ), made AS (
        INSERT INTO membership (team_id, person_id, role, created_by, by_map, lapses_at)
        SELECT team_id, who.person_id, role, 'role map', true, now() + make_interval(secs => (asked->>'lapse_s')::float)
        FROM said WHERE role IS NOT NULL
        ON CONFLICT (team_id, person_id)
            DO UPDATE SET role = excluded.role, by_map = true, lapses_at = excluded.lapses_at
        RETURNING team_id, role
    )
    SELECT coalesce(json_agg(change), '[]') INTO changes FROM (
        SELECT team_id, name AS team, role AS before, NULL AS after FROM gone
        UNION ALL
        SELECT said.team_id, said.name, before.role, made.role
        FROM made JOIN said USING (team_id) LEFT JOIN before USING (team_id)
        WHERE before.role IS DISTINCT FROM made.role
    ) AS change;

    UPDATE api_token SET revoked_at = now()
    WHERE api_token.person_id = who.person_id AND revoked_at IS NULL AND NOT EXISTS (
        SELECT FROM membership
        WHERE membership.person_id = who.person_id AND membership.team_id = api_token.team_id);
    IF NOT EXISTS (SELECT FROM membership WHERE person_id = who.person_id AND team_id = who.team_id) THEN
        DELETE FROM browser_session WHERE person_id = who.person_id;
        UPDATE person SET team_id = membership.team_id FROM (
            SELECT min(team_id) AS team_id FROM membership WHERE person_id = who.person_id) AS membership
        WHERE person_id = who.person_id AND membership.team_id IS NOT NULL;
    END IF;
    RETURN json_build_object('person_id', who.person_id, 'name', who.name, 'changes', changes);
END $$;
CREATE POLICY admit_person ON person FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE POLICY admit_person ON membership FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE POLICY change_membership ON membership FOR UPDATE TO CURRENT_USER USING (true);

CREATE OR REPLACE FUNCTION standing_of(wanted integer) RETURNS TABLE (
    name text, display_name text, home_team_id integer, team_id integer, team text, role text, is_platform_admin boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.name, person.display_name, person.team_id, membership.team_id, team.name, membership.role,
        -- A platform admin by the map is one as long as its roles last.
        person.is_platform_admin AND (person.source IS NULL OR membership.by_map)
    FROM person
    JOIN membership ON membership.person_id = person.person_id
    JOIN team ON team.team_id = membership.team_id AND team.deleted_at IS NULL
    WHERE person.person_id = wanted AND person.disabled_at IS NULL
        AND (membership.lapses_at IS NULL OR membership.lapses_at > now())
    ORDER BY membership.team_id
$$;

REVOKE ALL ON FUNCTION require_server, live_team_names, free_name, admit_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION live_team_names, admit_person TO headway_app;
