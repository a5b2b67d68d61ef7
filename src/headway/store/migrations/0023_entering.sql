-- The team of a transaction is what enter_team says, and nobody else can say it: injected SQL may set app.team_id, but cannot seal it.
-- The seal holds for one backend and one transaction. Its key is the owner's; no role may read it (ADR 25).
CREATE TABLE seal_key (key bytea NOT NULL);
INSERT INTO seal_key VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
-- The API servers that may enter teams, each by a secret that it draws at its start.
CREATE TABLE api_server (
    place       text PRIMARY KEY, -- host and data directory
    hash        bytea NOT NULL,
    admitted_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION enter_team(team integer, secret text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    key bytea;
BEGIN
    -- Who may act as the owner sees everything anyway: an owner's login needs no secret.
    IF NOT pg_has_role(session_user, current_user, 'MEMBER') AND NOT EXISTS (
        SELECT FROM public.api_server WHERE hash = sha256(convert_to(secret, 'UTF8'))
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'this login may not enter a team: its secret is not known';
    END IF;
    SELECT seal_key.key INTO key FROM public.seal_key;
    PERFORM set_config('app.team_id', team::text, true), set_config('app.seal', encode(sha256(
        key || int4send(team) || int4send(pg_backend_pid()) || timestamptz_send(now()) || key), 'hex'), true);
END $$;

-- The team of this transaction; null without one, or when the seal is not right.
CREATE FUNCTION entered_team() RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER AS $$
DECLARE
    team integer := nullif(current_setting('app.team_id', true), '')::int;
    key bytea;
BEGIN
    IF team IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT seal_key.key INTO key FROM public.seal_key;
    RETURN CASE current_setting('app.seal', true) WHEN encode(sha256(
        key || int4send(team) || int4send(pg_backend_pid()) || timestamptz_send(now()) || key), 'hex') THEN team END;
END $$;
REVOKE ALL ON FUNCTION enter_team, entered_team FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enter_team, entered_team TO headway_app, headway_engine;

-- Every policy of the application compares with the sealed team: a subquery, so that it is found once for a statement and a
-- statement that changes the settings half way sees no other team.
DO $$
DECLARE
    policy record;
    plain text := '(NULLIF(current_setting(''app.team_id''::text, true), ''''::text))::integer';
    sealed text := '(SELECT entered_team())';
BEGIN
    FOR policy IN SELECT * FROM pg_policies WHERE schemaname = 'public' AND 'headway_app' = ANY (roles) LOOP
        EXECUTE format('ALTER POLICY %I ON %I', policy.policyname, policy.tablename)
            || coalesce(' USING (' || replace(policy.qual, plain, sealed) || ')', '')
            || coalesce(' WITH CHECK (' || replace(policy.with_check, plain, sealed) || ')', '');
    END LOOP;
    IF EXISTS (SELECT FROM pg_policies WHERE schemaname = 'public' AND 'headway_app' = ANY (roles)
               AND concat(qual, with_check) LIKE '%app.team_id%') THEN
        RAISE EXCEPTION 'a policy of headway_app compares with a team that is not sealed';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION renew_local_agent(given bytea, until timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_token SET hash = given, expires_at = until, revoked_at = NULL
    WHERE api_token.team_id = entered_team() AND api_token.token_id = 'local-agent' AND api_token.scope = 'agent'
$$;
