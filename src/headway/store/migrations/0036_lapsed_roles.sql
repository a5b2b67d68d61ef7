-- A role of the role map that has lapsed opens nothing: neither agents nor streams that are open, as standing_of says already.
CREATE OR REPLACE FUNCTION is_good_agent(given api_token, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT given.scope = 'agent' AND given.revoked_at IS NULL AND given.expires_at > at
        AND (given.token_id = 'local-agent' OR EXISTS (
            SELECT FROM membership JOIN person USING (person_id)
            WHERE membership.team_id = given.team_id AND membership.person_id = given.person_id
                AND membership.role = 'admin' AND coalesce(membership.lapses_at > at, true) AND person.disabled_at IS NULL))
$$;

CREATE OR REPLACE FUNCTION standing_of_watchers(team integer, people integer[], credentials text[]) RETURNS TABLE (
    person_id integer, credential text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.person_id, asked.credential
    FROM unnest(people, credentials) AS asked (person_id, credential)
    JOIN person ON person.person_id = asked.person_id AND person.disabled_at IS NULL
    WHERE EXISTS (
        SELECT FROM membership
        WHERE membership.team_id = team AND membership.person_id = person.person_id
            AND coalesce(membership.lapses_at > now(), true) OFFSET 0
    ) AND (EXISTS (
        SELECT FROM browser_session AS session
        WHERE session.team_id = person.team_id AND session.session_id = asked.credential
            AND session.person_id = person.person_id
            AND session.expires_at > now() AND session.used_at > now() - interval '12 hours' OFFSET 0
    ) OR EXISTS (
        SELECT FROM api_token
        WHERE api_token.team_id = team AND api_token.token_id = asked.credential
            AND api_token.person_id = person.person_id
            AND api_token.expires_at > now() AND api_token.revoked_at IS NULL OFFSET 0
    ))
$$;
