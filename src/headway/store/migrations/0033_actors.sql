-- What concerns all teams, the API does for a platform admin and proves itself by its secret (ADR 25), as for entering a team.
-- Without it, injected SQL could name a platform admin, whose id is in its sight, and delete a team.
CREATE FUNCTION live_teams(actor integer, secret text) RETURNS SETOF team
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    RETURN QUERY SELECT * FROM live_teams(actor);
END $$;

CREATE FUNCTION create_team(actor integer, secret text, name text, title text, slots integer, weight numeric) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    RETURN create_team(actor, name, title, slots, weight);
END $$;

CREATE FUNCTION change_team(actor integer, secret text, wanted integer, title text, slots integer, weight numeric) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    PERFORM change_team(actor, wanted, title, slots, weight);
END $$;

CREATE FUNCTION limit_team(actor integer, secret text, wanted integer, limits jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    PERFORM limit_team(actor, wanted, limits);
END $$;

CREATE FUNCTION delete_team(actor integer, secret text, wanted integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    PERFORM delete_team(actor, wanted);
END $$;

CREATE FUNCTION shares_of_all(actor integer, secret text) RETURNS TABLE (
    team text, slots integer, weight numeric, used integer, allotted integer, fair integer, short boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    RETURN QUERY SELECT * FROM shares_of_all(actor);
END $$;

REVOKE ALL ON FUNCTION live_teams(integer, text), create_team(integer, text, text, text, integer, numeric),
    change_team(integer, text, integer, text, integer, numeric), delete_team(integer, text, integer),
    limit_team(integer, text, integer, jsonb),
    shares_of_all(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION live_teams(integer, text), create_team(integer, text, text, text, integer, numeric),
    change_team(integer, text, integer, text, integer, numeric), delete_team(integer, text, integer),
    limit_team(integer, text, integer, jsonb),
    shares_of_all(integer, text) TO headway_app;
-- What believes the actor that it is given, only the functions above may call.
REVOKE ALL ON FUNCTION live_teams(integer), create_team(integer, text, text, integer, numeric),
    change_team(integer, integer, text, integer, numeric), delete_team(integer, integer), limit_team(integer, integer, jsonb),
    shares_of_all(integer)
    FROM headway_app;
