-- A pool that its team lends to others (ADR 47): each of them has a row of its own, `@owner/pool`, with the part that it may use now.
ALTER TABLE team_grant DROP CONSTRAINT known_kind, ADD CONSTRAINT known_kind CHECK (
    kind IN ('see_runs', 'start', 'wait', 'use_asset', 'use_pool')) NOT VALID;

ALTER TABLE pool
    ADD COLUMN lender_id integer REFERENCES team,     -- the team whose pool it is; null: its own
    ADD COLUMN lent_name text,                        -- the name that the pool has there
    ADD COLUMN is_open boolean NOT NULL DEFAULT true, -- false: the grant was taken back, and attempts are still running
    ADD COLUMN allotted integer CHECK (allotted >= 0), -- how many slots this team may use now; null: all, it is not lent
    ADD CONSTRAINT lent_by_a_team CHECK ((lender_id IS NULL) = (lent_name IS NULL)),
    ADD CONSTRAINT a_guest_has_a_part CHECK (lender_id IS NULL OR allotted IS NOT NULL);
CREATE INDEX pool_shared ON pool (coalesce(lender_id, team_id), coalesce(lent_name, name)) WHERE allotted IS NOT NULL;

-- What a team may use of another one's pool it does not decide itself, whatever its SQL says.
REVOKE INSERT, UPDATE ON pool FROM headway_app;
GRANT INSERT (team_id, name, slots), UPDATE (slots) ON pool TO headway_app;
CREATE POLICY own_make ON pool AS RESTRICTIVE FOR INSERT TO headway_app WITH CHECK (lender_id IS NULL AND name NOT LIKE '@%');
CREATE POLICY own_change ON pool AS RESTRICTIVE FOR UPDATE TO headway_app USING (lender_id IS NULL);
CREATE POLICY own_delete ON pool AS RESTRICTIVE FOR DELETE TO headway_app USING (lender_id IS NULL);
CREATE POLICY lend ON pool TO CURRENT_USER USING (true) WITH CHECK (true);

-- Given: the other team has a row, of which a division makes something. Taken back: it starts nothing from this moment on.
CREATE FUNCTION lend_pool() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state = 'given' THEN
        UPDATE pool SET allotted = pool.slots FROM team AS host
        WHERE host.name = NEW.owner AND host.deleted_at IS NULL AND pool.team_id = host.team_id AND pool.name = NEW.name
            AND allotted IS NULL;
        INSERT INTO pool (team_id, name, slots, lender_id, lent_name, allotted)
        SELECT guest.team_id, '@' || NEW.owner || '/' || NEW.name, own.slots, own.team_id, own.name, 0
        FROM team AS guest CROSS JOIN team AS host JOIN pool AS own ON own.team_id = host.team_id
        WHERE guest.name = NEW.grantee AND guest.deleted_at IS NULL
            AND host.name = NEW.owner AND host.deleted_at IS NULL AND own.name = NEW.name AND own.lender_id IS NULL
        ON CONFLICT (team_id, name) DO UPDATE SET slots = excluded.slots, lender_id = excluded.lender_id,
            lent_name = excluded.lent_name, is_open = true;
    ELSE
        UPDATE pool SET is_open = false, allotted = 0 FROM team AS guest
        WHERE guest.name = NEW.grantee AND guest.deleted_at IS NULL AND pool.team_id = guest.team_id
            AND pool.name = '@' || NEW.owner || '/' || NEW.name AND pool.lender_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lend_pool AFTER INSERT OR UPDATE OF state ON team_grant FOR EACH ROW
    WHEN (NEW.kind = 'use_pool') EXECUTE FUNCTION lend_pool();

CREATE FUNCTION end_loans() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM pool WHERE lender_id = NEW.team_id OR team_id = NEW.team_id AND lender_id IS NOT NULL
        ORDER BY lender_id, lent_name, team_id FOR NO KEY UPDATE;
    UPDATE pool SET is_open = false, allotted = 0
    WHERE lender_id = NEW.team_id OR team_id = NEW.team_id AND lender_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER end_loans AFTER UPDATE OF deleted_at ON team FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION end_loans();

-- A pool that shrinks is never used above its new size: nobody starts anything before it is divided anew.
CREATE FUNCTION resize_shared() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM pool WHERE lender_id = NEW.team_id AND lent_name = NEW.name ORDER BY team_id FOR NO KEY UPDATE;
    UPDATE pool SET slots = NEW.slots, allotted = CASE WHEN NEW.slots < OLD.slots THEN 0 ELSE allotted END
    WHERE lender_id = NEW.team_id AND lent_name = NEW.name;
    IF NEW.slots < OLD.slots THEN
        NEW.allotted := 0;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER resize_shared BEFORE UPDATE OF slots ON pool FOR EACH ROW
    WHEN (NEW.lender_id IS NULL AND NEW.allotted IS NOT NULL AND NEW.slots <> OLD.slots) EXECUTE FUNCTION resize_shared();

-- To whom the entered team lends its pools, and what they use.
CREATE FUNCTION lent_pools() RETURNS TABLE (pool text, team text, used integer, allotted integer, is_open boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT lent.lent_name, guest.name, lent.used, lent.allotted, lent.is_open
    FROM pool AS lent JOIN team AS guest USING (team_id)
    WHERE lent.lender_id = entered_team() AND (lent.is_open OR lent.used > 0)
    ORDER BY lent.lent_name, guest.name
$$;
REVOKE ALL ON FUNCTION lend_pool, end_loans, resize_shared, lent_pools FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lent_pools TO headway_app, headway_engine;
