-- The janitor cleans one team after another. In a transaction that entered a team, the engine removes nothing of another one;
-- in one that entered none (ticks, the loader) all is as before. Only DELETE is narrowed: no statement of a tick gets a condition.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['run', 'bundle', 'import_error', 'backfill', 'agent_session', 'browser_session', 'login_link',
                                'idempotency'] LOOP
        EXECUTE format(
            'CREATE POLICY entered_team ON %I AS RESTRICTIVE FOR DELETE TO headway_engine '
            'USING (coalesce(team_id = nullif(current_setting(''app.team_id'', true), '''')::int, true))', name);
    END LOOP;
END $$;
GRANT SELECT (team_id) ON browser_session, login_link TO headway_engine;

-- As prune_other_events, which the version before calls, for one team.
CREATE FUNCTION prune_other_events_of_team(team integer, older_than timestamptz, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM event WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM event
            WHERE run_id IS NULL AND team_id = team AND at < least(older_than, now() - interval '7 days')
            ORDER BY at LIMIT most))
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION prune_other_events_of_team FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_other_events_of_team TO headway_engine;
