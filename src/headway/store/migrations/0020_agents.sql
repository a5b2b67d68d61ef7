-- Agents have credentials of their own: API tokens of another scope, which open no request, as those of people open no
-- connection of an agent. The team of an agent is that of its token.
ALTER TABLE api_token ADD COLUMN scope text NOT NULL DEFAULT 'api' CONSTRAINT known_scope CHECK (scope IN ('api', 'agent'));
ALTER TABLE agent_session ADD COLUMN token_id text, ADD COLUMN queues text[] NOT NULL DEFAULT '{default}';
GRANT SELECT (scope) ON api_token TO headway_app;
-- The ids of sessions are those of leases, in whatever team: nobody renews that of another one.
CREATE UNIQUE INDEX agent_session_id ON agent_session (session_id);
-- Whatever people call their tokens, the server's own agent gets its one.
DROP INDEX one_live_token_of_a_name;
CREATE UNIQUE INDEX one_live_token_of_a_name ON api_token (team_id, person_id, name)
    WHERE revoked_at IS NULL AND token_id <> 'local-agent';

CREATE OR REPLACE FUNCTION identify_token(given bytea) RETURNS TABLE (
    token_id text, person_id integer, team_id integer, role text, expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET last_used_at = now()
    WHERE api_token.hash = given AND api_token.scope = 'api' AND api_token.revoked_at IS NULL
        AND api_token.expires_at > now() AND coalesce(api_token.last_used_at < now() - interval '1 minute', true);
    SELECT known.token_id, known.person_id, known.team_id, known.role, known.expires_at FROM api_token AS known
    WHERE known.hash = given AND known.scope = 'api' AND known.revoked_at IS NULL AND known.expires_at > now()
$$;

-- An agent may do what an admin may let it: its token ends with the owner's role. The server's own agent is nobody's.
CREATE FUNCTION is_good_agent(given api_token, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT given.scope = 'agent' AND given.revoked_at IS NULL AND given.expires_at > at
        AND (given.token_id = 'local-agent' OR EXISTS (
            SELECT FROM membership JOIN person USING (person_id)
            WHERE membership.team_id = given.team_id AND membership.person_id = given.person_id
                AND membership.role = 'admin' AND person.disabled_at IS NULL))
$$;

CREATE FUNCTION identify_agent(given bytea, at timestamptz) RETURNS TABLE (team_id integer, token_id text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET last_used_at = at
    WHERE api_token.hash = given AND is_good_agent(api_token, at)
    RETURNING api_token.team_id, api_token.token_id
$$;

CREATE FUNCTION good_agents(teams integer[], tokens text[], at timestamptz) RETURNS TABLE (team_id integer, token_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT api_token.team_id, api_token.token_id FROM unnest(teams, tokens) AS asked (team_id, token_id)
    JOIN api_token ON api_token.team_id = asked.team_id AND api_token.token_id = asked.token_id
    WHERE is_good_agent(api_token, at)
$$;

-- The token of the agent that ``headway up`` starts is made anew each time; no other token is ever changed.
CREATE FUNCTION renew_local_agent(given bytea, until timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET hash = given, expires_at = until, revoked_at = NULL
    WHERE api_token.team_id = nullif(current_setting('app.team_id', true), '')::int
        AND api_token.token_id = 'local-agent' AND api_token.scope = 'agent'
$$;
REVOKE ALL ON FUNCTION is_good_agent, identify_agent, good_agents, renew_local_agent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identify_agent, good_agents TO headway_engine;
GRANT EXECUTE ON FUNCTION renew_local_agent TO headway_app;

-- What a task needs of those that execute it: the ready ones that nobody here can take must not hide those behind them.
ALTER TABLE task_instance ADD COLUMN queue text NOT NULL DEFAULT 'default', ADD COLUMN executor text NOT NULL DEFAULT '';
DROP INDEX task_instance_ready;
CREATE INDEX task_instance_ready ON task_instance (team_id, pool, queue, executor, rank, run_id) WHERE rank IS NOT NULL;
