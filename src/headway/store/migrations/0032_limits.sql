-- What a team may use of what teams share: requests, runs, tasks (core/limits). A limit that is not named is none.
ALTER TABLE team ADD COLUMN limits jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object');

CREATE FUNCTION limit_team(actor integer, wanted integer, limits jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_platform_admin(actor);
    UPDATE team SET limits = limit_team.limits WHERE team_id = wanted AND deleted_at IS NULL;
END $$;
REVOKE ALL ON FUNCTION limit_team FROM PUBLIC;
GRANT EXECUTE ON FUNCTION limit_team TO headway_app;
