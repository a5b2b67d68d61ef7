-- What a session is at the provider that signed somebody in: it is refreshed there, and may be ended from there.
ALTER TABLE browser_session
    ADD COLUMN source text, -- the way to sign in; null: one of ours
    ADD COLUMN provider_sid text, -- the provider's own session, if it tells one
    ADD COLUMN refresh_token bytea, -- encrypted; only claim_refresh tells it
    ADD COLUMN refresh_at timestamptz; -- when the provider is asked again
CREATE INDEX browser_session_of_provider ON browser_session (source, provider_sid) WHERE provider_sid IS NOT NULL;
CREATE POLICY end_session ON browser_session FOR DELETE TO CURRENT_USER USING (true);

-- Tokens by which providers ended sessions, until they expire: each counts once.
CREATE TABLE used_logout_token (
    source     text NOT NULL,
    hash       bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (source, hash)
);
CREATE INDEX used_logout_token_expiry ON used_logout_token (expires_at);

-- As identify_session, which processes of the version before call.
CREATE FUNCTION identify_browser(given bytea) RETURNS TABLE (
    session_id text, person_id integer, expires_at timestamptz, is_due boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE browser_session SET used_at = now()
    WHERE browser_session.hash = given AND browser_session.expires_at > now()
        AND browser_session.used_at BETWEEN now() - interval '12 hours' AND now() - interval '1 minute';
    SELECT known.session_id, known.person_id, known.expires_at, coalesce(known.refresh_at <= now(), false)
    FROM browser_session AS known
    WHERE known.hash = given AND known.expires_at > now() AND known.used_at > now() - interval '12 hours'
$$;

-- Of several requests at once one refreshes. Where the provider does not answer, the session goes on, and one asks again later.
CREATE FUNCTION claim_refresh(secret text, given bytea, hold_s double precision) RETURNS TABLE (
    home_team_id integer, session_id text, person text, source text, subject text, token bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    RETURN QUERY
        UPDATE browser_session AS session SET refresh_at = now() + make_interval(secs => hold_s)
        FROM person
        WHERE session.hash = given AND session.refresh_at <= now() AND person.person_id = session.person_id
        RETURNING session.team_id, session.session_id, person.name, session.source, person.external_id,
            session.refresh_token;
END $$;

CREATE FUNCTION keep_refresh(secret text, given bytea, token bytea, after_s double precision) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    UPDATE browser_session SET refresh_token = token, refresh_at = now() + make_interval(secs => after_s)
    WHERE browser_session.hash = given;
END $$;

-- Null: the token was used before.
CREATE FUNCTION end_provider_sessions(
    secret text, way text, sid text, subject text, token bytea, until timestamptz) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended json;
BEGIN
    PERFORM require_server(secret);
    DELETE FROM used_logout_token WHERE expires_at < now();
    INSERT INTO used_logout_token VALUES (way, token, until) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF sid IS NULL THEN
        WITH gone AS (
            DELETE FROM browser_session AS session USING person
            WHERE person.source = way AND person.external_id = subject
                AND session.person_id = person.person_id AND session.source = way
            RETURNING session.team_id, person.name)
        SELECT coalesce(json_agg(DISTINCT jsonb_build_object('team_id', team_id, 'person', name)), '[]') INTO ended FROM gone;
    ELSE
        WITH gone AS (
            DELETE FROM browser_session AS session USING person
            WHERE session.source = way AND session.provider_sid = sid AND person.person_id = session.person_id
                AND (subject IS NULL OR person.external_id = subject)
            RETURNING session.team_id, person.name)
        SELECT coalesce(json_agg(DISTINCT jsonb_build_object('team_id', team_id, 'person', name)), '[]') INTO ended FROM gone;
    END IF;
    RETURN ended;
END $$;
REVOKE ALL ON FUNCTION identify_browser, claim_refresh, keep_refresh, end_provider_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identify_browser, claim_refresh, keep_refresh, end_provider_sessions TO headway_app;
