-- New events of assets are handed on, and due timetables asked, team by team: who has very many holds up no other.
DROP INDEX asset_event_unrouted;
CREATE INDEX asset_event_unrouted ON asset_event (team_id, event_id) WHERE position IS NULL;
CREATE INDEX dag_due_of_team ON dag (team_id, next_fire_at)
    WHERE next_fire_at IS NOT NULL AND paused_at IS NULL AND missing_since IS NULL;

-- The janitor removes tokens that ended long ago: a program that signs in has a new one each time.
GRANT SELECT (team_id, token_id, expires_at, revoked_at), DELETE ON api_token TO headway_engine;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_token', 'asset', 'asset_event'] LOOP
        EXECUTE format('CREATE POLICY entered_team ON %I AS RESTRICTIVE FOR DELETE TO headway_engine '
            'USING (coalesce(team_id = (SELECT entered_team()), true))', name);
    END LOOP;
END $$;
