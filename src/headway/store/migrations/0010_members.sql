-- Somebody of another team can be taken in; the audit can be kept for a time instead of for ever; schedulers tell how long
-- their ticks take and what they handed out.

-- Names are of all teams, and row security shows a team its own people: whom to take in, the owner says.
CREATE FUNCTION person_named(wanted text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person_id FROM person WHERE name = wanted
$$;
REVOKE ALL ON FUNCTION person_named FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_named TO headway_app;

-- No role may delete from the audit. The owner does, the oldest first and nothing younger than 30 days, and says in the
-- audit itself up to where: the entry carries the chain on, and whoever removes more breaks it.
CREATE INDEX audit_pruned ON audit (team_id, seq) WHERE action = 'audit.prune' AND actor = 'janitor';
CREATE FUNCTION prune_audit(team integer, older_than timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    until audit;
    gone bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('headway audit'), team);
    SELECT * INTO until FROM audit WHERE team_id = team AND seq = (
        SELECT max(seq) FILTER (WHERE is_old) FROM (
            SELECT seq, bool_and(at < least(older_than, now() - interval '30 days')) OVER (ORDER BY seq) AS is_old
            FROM (SELECT seq, at FROM audit WHERE team_id = team ORDER BY seq LIMIT most) AS oldest
        ) AS judged);
    IF until.seq IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO audit (team_id, actor, via, action, subject, detail, address)
    VALUES (team, 'janitor', 'local', 'audit.prune', until.seq::text,
        json_build_object('until', until.seq, 'chain', encode(until.chain, 'hex')), '');
    DELETE FROM audit WHERE team_id = team AND seq <= until.seq;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
CREATE POLICY janitor_tells ON audit FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE POLICY janitor_deletes ON audit FOR DELETE TO CURRENT_USER USING (true);
REVOKE ALL ON FUNCTION prune_audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_audit TO headway_engine;

-- Written with the heartbeat: {"ticks": [[buckets], sum, count], …}, cumulative since the process began.
ALTER TABLE scheduler ADD COLUMN measures json;
