-- The state that a team keeps, in bytes, so that it has a share and no more (ADR 74). Counted where it changes, also where runs
-- and assets take their state along. In parts: who changes a state counts in one that nobody else holds, so that none waits for
-- another one; their sum is what the team has. One part alone says nothing, and may be below 0.
CREATE TABLE state_used (
    team_id integer NOT NULL REFERENCES team ON DELETE CASCADE,
    part    bigint GENERATED ALWAYS AS IDENTITY,
    bytes   bigint NOT NULL,
    PRIMARY KEY (team_id, part)
) WITH (fillfactor = 50);

-- 128: what a key takes beside its value, which many small ones would fill a disk by (`store/state_stores.ROW_BYTES`).
CREATE FUNCTION count_state() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed record;
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            FOR changed IN SELECT team_id, sum(size + 128) AS bytes FROM added GROUP BY team_id LOOP
                PERFORM count_state_of(changed.team_id, changed.bytes);
            END LOOP;
        WHEN 'DELETE' THEN
            FOR changed IN SELECT team_id, -sum(size + 128) AS bytes FROM gone GROUP BY team_id LOOP
                PERFORM count_state_of(changed.team_id, changed.bytes);
            END LOOP;
        ELSE
            FOR changed IN
                SELECT team_id, sum(bytes) AS bytes FROM (
                    SELECT team_id, size AS bytes FROM added UNION ALL SELECT team_id, -size FROM gone) AS each
                GROUP BY team_id HAVING sum(bytes) <> 0
            LOOP
                PERFORM count_state_of(changed.team_id, changed.bytes);
            END LOOP;
    END CASE;
    RETURN NULL;
END $$;

CREATE FUNCTION count_state_of(team integer, more bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE state_used SET bytes = bytes + more
    WHERE team_id = team AND part = (
        SELECT free.part FROM state_used AS free WHERE free.team_id = team
        ORDER BY free.part LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO state_used (team_id, bytes) VALUES (team, more);
    END IF;
END $$;
REVOKE ALL ON FUNCTION count_state, count_state_of FROM PUBLIC;

ALTER TABLE state_used ENABLE ROW LEVEL SECURITY;
ALTER TABLE state_used FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON state_used FOR SELECT TO headway_engine USING (true);
CREATE POLICY one_team ON state_used TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
CREATE POLICY count_state ON state_used TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON state_used TO headway_engine;

-- The triggers come first: they keep writers out until all is counted.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['task_state', 'asset_state'] LOOP
        EXECUTE format('CREATE TRIGGER count_added AFTER INSERT ON %I REFERENCING NEW TABLE AS added '
            'FOR EACH STATEMENT EXECUTE FUNCTION count_state()', name);
        EXECUTE format('CREATE TRIGGER count_changed AFTER UPDATE ON %I REFERENCING OLD TABLE AS gone NEW TABLE AS added '
            'FOR EACH STATEMENT EXECUTE FUNCTION count_state()', name);
        EXECUTE format('CREATE TRIGGER count_gone AFTER DELETE ON %I REFERENCING OLD TABLE AS gone '
            'FOR EACH STATEMENT EXECUTE FUNCTION count_state()', name);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    INSERT INTO state_used (team_id, bytes)
        SELECT team_id, sum(size + 128) FROM (
            SELECT team_id, size FROM task_state UNION ALL SELECT team_id, size FROM asset_state) AS kept
        GROUP BY team_id;
    FOREACH name IN ARRAY ARRAY['task_state', 'asset_state'] LOOP
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
END $$;
