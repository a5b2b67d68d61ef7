-- A stream of changes is open for a minute. Of those who watch, these may still: members of the team who are not disabled,
-- with a session or a token that is good. Row security shows a team no session of another team's people: the owner looks.
CREATE FUNCTION standing_of_watchers(team integer, people integer[], credentials text[]) RETURNS TABLE (
    person_id integer, credential text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.person_id, asked.credential
    FROM unnest(people, credentials) AS asked (person_id, credential)
    JOIN person ON person.person_id = asked.person_id AND person.disabled_at IS NULL
    WHERE EXISTS (
        SELECT FROM membership
        WHERE membership.team_id = team AND membership.person_id = person.person_id OFFSET 0
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
REVOKE ALL ON FUNCTION standing_of_watchers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION standing_of_watchers TO headway_app;
