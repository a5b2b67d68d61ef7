-- The slots of an installation are shared by its teams (ADR 27). A tick locks the share of its own team only; a short
-- transaction of its own divides the capacity anew, under the lock of all of them.
CREATE TABLE capacity (
    place text PRIMARY KEY, -- host and data directory that provide the slots
    slots integer NOT NULL CHECK (slots > 0)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON capacity TO headway_engine;

CREATE TABLE share (
    team_id  integer PRIMARY KEY REFERENCES team ON DELETE CASCADE,
    used     integer NOT NULL DEFAULT 0 CONSTRAINT share_used_is_counted CHECK (used >= 0), -- its live attempts
    allotted integer CHECK (allotted >= 0), -- how many it may have; all together never more than there are. null: no bound
    fair     integer CHECK (fair >= 0),     -- how many it is due; where it uses more, the others wait for its tasks to end
    short    boolean NOT NULL DEFAULT false, -- it wants more than it was allotted
    CONSTRAINT fair_iff_allotted CHECK ((allotted IS NULL) = (fair IS NULL))
) WITH (fillfactor = 50);
INSERT INTO share (team_id, used)
    SELECT team_id, (SELECT count(*) FROM attempt WHERE attempt.team_id = team.team_id AND attempt.state IN ('queued', 'running'))
    FROM team;
ALTER TABLE share ENABLE ROW LEVEL SECURITY;
ALTER TABLE share FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON share TO headway_engine USING (true) WITH CHECK (true);
CREATE POLICY one_team ON share TO headway_app
    USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()));
CREATE POLICY create_team ON share FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE POLICY all_teams ON share FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, UPDATE ON share TO headway_engine;
GRANT SELECT ON share TO headway_app;

CREATE FUNCTION begin_share() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO share (team_id) VALUES (NEW.team_id);
    RETURN NULL;
END $$;
CREATE TRIGGER team_begins_share AFTER INSERT ON team FOR EACH ROW EXECUTE FUNCTION begin_share();
REVOKE ALL ON FUNCTION begin_share FROM PUBLIC;

-- What a team may know of the whole: how many slots there are. What the other teams use, only a platform admin is told.
CREATE FUNCTION count_slots() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT sum(slots)::integer FROM capacity
$$;
CREATE FUNCTION shares_of_all(actor integer) RETURNS TABLE (
    team text, slots integer, weight numeric, used integer, allotted integer, fair integer, short boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_platform_admin(actor);
    RETURN QUERY
        SELECT known.name, known.slots, known.weight, share.used, share.allotted, share.fair, share.short
        FROM share JOIN team AS known USING (team_id)
        WHERE known.deleted_at IS NULL OR share.used > 0
        ORDER BY known.name;
END $$;
REVOKE ALL ON FUNCTION count_slots, shares_of_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_slots, shares_of_all TO headway_app;
