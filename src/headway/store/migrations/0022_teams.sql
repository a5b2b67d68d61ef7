-- The platform's side of a team: what it is called, how much it may use, and when it was deleted. The row of a deleted team
-- stays, so that its id is never used again; its name is free. `slots` and `weight` are for fair shares between teams.
ALTER TABLE team
    ADD COLUMN title text CHECK (length(title) BETWEEN 1 AND 100),
    ADD COLUMN slots integer CHECK (slots >= 0), -- nominal; null: no nominal share of its own
    ADD COLUMN weight numeric NOT NULL DEFAULT 1 CHECK (weight > 0 AND weight <= 1000), -- NaN is above all numbers
    ADD COLUMN deleted_at timestamptz;
ALTER TABLE team DROP CONSTRAINT team_name_key;
CREATE UNIQUE INDEX one_live_team_of_a_name ON team (name) WHERE deleted_at IS NULL;

-- Who may create and delete teams, and change their settings. No role grants it: the local admin has it by a function.
ALTER TABLE person ADD COLUMN is_platform_admin boolean NOT NULL DEFAULT false;
ALTER TABLE person NO FORCE ROW LEVEL SECURITY;
UPDATE person SET is_platform_admin = true WHERE name = 'admin' AND created_by = 'headway up';
ALTER TABLE person FORCE ROW LEVEL SECURITY;
REVOKE INSERT ON person FROM headway_app;
GRANT SELECT (is_platform_admin), INSERT (team_id, name, display_name, password_hash, created_by) ON person TO headway_app;

CREATE FUNCTION make_platform_admin(wanted integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE person SET is_platform_admin = true
    WHERE person_id = wanted AND name = 'admin' AND created_by = 'headway up'
$$;

-- As standing, which the version before calls, with more columns.
CREATE FUNCTION standing_of(wanted integer) RETURNS TABLE (
    name text, display_name text, home_team_id integer, team_id integer, team text, role text, is_platform_admin boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.name, person.display_name, person.team_id, membership.team_id, team.name, membership.role,
        person.is_platform_admin
    FROM person
    JOIN membership ON membership.person_id = person.person_id
    JOIN team ON team.team_id = membership.team_id AND team.deleted_at IS NULL
    WHERE person.person_id = wanted AND person.disabled_at IS NULL
    ORDER BY membership.team_id
$$;

-- Row security shows the application one team. What concerns all teams the owner does, for a platform admin only.
CREATE FUNCTION require_platform_admin(actor integer) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM person
            WHERE person_id = actor AND is_platform_admin AND disabled_at IS NULL) THEN
        RAISE insufficient_privilege USING MESSAGE = 'only a platform admin may do this';
    END IF;
END $$;

CREATE FUNCTION live_teams(actor integer) RETURNS SETOF team
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_platform_admin(actor);
    RETURN QUERY SELECT * FROM team WHERE deleted_at IS NULL ORDER BY team.name;
END $$;

CREATE FUNCTION create_team(actor integer, name text, title text, slots integer, weight numeric) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made integer;
BEGIN
    PERFORM require_platform_admin(actor);
    INSERT INTO team (name, title, slots, weight) VALUES (name, title, slots, weight) RETURNING team_id INTO made;
    RETURN made;
END $$;

CREATE FUNCTION change_team(actor integer, wanted integer, title text, slots integer, weight numeric) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_platform_admin(actor);
    UPDATE team SET title = change_team.title, slots = change_team.slots, weight = change_team.weight
    WHERE team_id = wanted AND deleted_at IS NULL;
END $$;

-- Nothing opens a deleted team, from this transaction on: its tokens and memberships are gone, and so are people who were in
-- no other team. Those who were get the first of their others as their own, and sign in again.
CREATE FUNCTION delete_team(actor integer, wanted integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_platform_admin(actor);
    IF EXISTS (SELECT FROM person WHERE team_id = wanted AND is_platform_admin) THEN
        RAISE restrict_violation USING MESSAGE = 'the team manages a platform admin';
    END IF;
    UPDATE team SET deleted_at = now() WHERE team_id = wanted AND deleted_at IS NULL;
    DELETE FROM api_token WHERE team_id = wanted;
    DELETE FROM membership WHERE team_id = wanted;
    DELETE FROM browser_session WHERE team_id = wanted;
    DELETE FROM login_link WHERE team_id = wanted;
    UPDATE person SET team_id = (
        SELECT min(membership.team_id) FROM membership WHERE membership.person_id = person.person_id)
    WHERE team_id = wanted AND EXISTS (SELECT FROM membership WHERE membership.person_id = person.person_id);
    DELETE FROM api_token USING person WHERE person.team_id = wanted AND person.person_id = api_token.person_id;
    DELETE FROM person WHERE team_id = wanted;
    DELETE FROM installation WHERE team_id = wanted;
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['person', 'membership', 'api_token', 'browser_session', 'login_link', 'installation'] LOOP
        EXECUTE format('CREATE POLICY delete_team ON %I FOR DELETE TO CURRENT_USER USING (true)', name);
    END LOOP;
END $$;
CREATE POLICY identify ON installation FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY change_person ON person FOR UPDATE TO CURRENT_USER USING (true);
CREATE POLICY create_team ON team FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE POLICY change_team ON team FOR UPDATE TO CURRENT_USER USING (true);

REVOKE ALL ON FUNCTION make_platform_admin, standing_of, require_platform_admin, live_teams, create_team, change_team, delete_team
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_platform_admin, standing_of, live_teams, create_team, change_team, delete_team TO headway_app;
