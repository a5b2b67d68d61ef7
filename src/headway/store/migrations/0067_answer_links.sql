-- A link that answers one question, beside those that read a run: bound to attempt and wait, and made for somebody.
ALTER TABLE run_link ADD COLUMN task_id text, ADD COLUMN map_index integer, ADD COLUMN attempt integer,
    ADD COLUMN deferrals integer, ADD COLUMN recipient text,
    ADD CONSTRAINT one_question CHECK (num_nonnulls(task_id, map_index, attempt, deferrals, recipient) IN (0, 5));
GRANT SELECT (task_id, map_index, attempt, deferrals, recipient) ON run_link TO headway_app;

CREATE OR REPLACE FUNCTION open_run_link(given bytea) RETURNS TABLE (team_id integer, team text, run_id text, with_logs boolean, expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE run_link SET last_used_at = now()
    WHERE run_link.hash = given AND run_link.task_id IS NULL AND run_link.revoked_at IS NULL AND run_link.expires_at > now()
        AND coalesce(run_link.last_used_at < now() - interval '1 minute', true);
    SELECT known.team_id, team.name, known.run_id, known.with_logs, known.expires_at
    FROM run_link AS known JOIN team ON team.team_id = known.team_id AND team.deleted_at IS NULL
    WHERE known.hash = given AND known.task_id IS NULL AND known.revoked_at IS NULL AND known.expires_at > now()
$$;

CREATE FUNCTION open_answer_link(given bytea) RETURNS TABLE (
    team_id integer, team text, link_id text, run_id text, task_id text, map_index integer, question text, recipient text,
    created_by text, expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE run_link SET last_used_at = now()
    WHERE run_link.hash = given AND run_link.task_id IS NOT NULL AND run_link.revoked_at IS NULL
        AND run_link.expires_at > now() AND coalesce(run_link.last_used_at < now() - interval '1 minute', true);
    SELECT known.team_id, team.name, known.link_id, known.run_id, known.task_id, known.map_index,
        known.attempt || '.' || known.deferrals, known.recipient, known.created_by, known.expires_at
    FROM run_link AS known JOIN team ON team.team_id = known.team_id AND team.deleted_at IS NULL
    WHERE known.hash = given AND known.task_id IS NOT NULL AND known.revoked_at IS NULL AND known.expires_at > now()
$$;
REVOKE ALL ON FUNCTION open_answer_link FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_answer_link TO headway_app;
