-- Agents have credentials of their own: API tokens of another scope, which open no request, as those of people open no
-- connection of an agent. The team of an agent is that of its token.
ALTER TABLE api_token ADD COLUMN scope text NOT NULL DEFAULT 'api' CONSTRAINT known_scope CHECK (scope IN ('api', 'agent'));
ALTER TABLE agent_session ADD COLUMN token_id text, ADD COLUMN queues text[] NOT NULL DEFAULT '{default}';
GRANT SELECT (scope) ON api_token TO headway_app;
GRANT SELECT (team_id, token_id, expires_at, revoked_at) ON api_token TO headway_engine;

CREATE OR REPLACE FUNCTION identify_token(given bytea) RETURNS TABLE (
    token_id text, person_id integer, team_id integer, role text, expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET last_used_at = now()
    WHERE api_token.hash = given AND api_token.scope = 'api' AND api_token.revoked_at IS NULL
        AND api_token.expires_at > now() AND coalesce(api_token.last_used_at < now() - interval '1 minute', true);
    SELECT known.token_id, known.person_id, known.team_id, known.role, known.expires_at FROM api_token AS known
    WHERE known.hash = given AND known.scope = 'api' AND known.revoked_at IS NULL AND known.expires_at > now()
$$;

CREATE FUNCTION identify_agent(given bytea, at timestamptz) RETURNS TABLE (team_id integer, token_id text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET last_used_at = at
    WHERE api_token.hash = given AND api_token.scope = 'agent' AND api_token.revoked_at IS NULL AND api_token.expires_at > at
    RETURNING api_token.team_id, api_token.token_id
$$;
REVOKE ALL ON FUNCTION identify_agent FROM PUBLIC;

-- The token of the agent that ``headway up`` starts is made anew each time. Of no other token may anybody change the hash.
CREATE POLICY renew ON api_token FOR INSERT TO CURRENT_USER WITH CHECK (scope = 'agent');
CREATE FUNCTION renew_local_agent(person integer, given bytea, until timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO api_token (team_id, token_id, person_id, name, role, scope, hash, expires_at)
    VALUES (nullif(current_setting('app.team_id', true), '')::int, 'local-agent', person,
        'the agent of headway up', 'viewer', 'agent', given, until)
    ON CONFLICT (team_id, token_id) DO UPDATE SET hash = given, expires_at = until, revoked_at = NULL
$$;
REVOKE ALL ON FUNCTION renew_local_agent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renew_local_agent TO headway_app;
GRANT EXECUTE ON FUNCTION identify_agent TO headway_engine;

-- What a task needs of those that execute it: the ready ones that nobody here can take must not hide those behind them.
ALTER TABLE task_instance ADD COLUMN queue text NOT NULL DEFAULT 'default', ADD COLUMN executor text NOT NULL DEFAULT '';
DROP INDEX task_instance_ready;
CREATE INDEX task_instance_ready ON task_instance (team_id, pool, queue, executor, rank, run_id) WHERE rank IS NOT NULL;
