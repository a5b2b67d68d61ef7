-- How far each follower of events has read (headway.events). A moment is a snapshot of transactions, as text
-- (headway.store.moments): numbers of events become visible out of the order of their commits, snapshots do not.
CREATE TABLE event_position (
    follower text NOT NULL CHECK (length(follower) BETWEEN 1 AND 100),
    team_id  integer REFERENCES team, -- null: events of all teams
    since    text NOT NULL,           -- what this moment had seen is handled
    since_at timestamptz NOT NULL,    -- when that was
    until    text,                    -- while a stretch is being handled in parts: its end,
    until_at timestamptz,             -- when that was,
    seq      bigint,                  -- the last event of it that is handled,
    last_seq bigint,                  -- and the last one of it
    UNIQUE NULLS NOT DISTINCT (follower, team_id),
    CONSTRAINT a_stretch_is_whole CHECK (num_nulls(until, until_at, seq, last_seq) IN (0, 4))
);
ALTER TABLE event_position ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_position FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON event_position TO headway_engine USING (true) WITH CHECK (true);
-- Those who follow all teams follow this one, too: it sees how late they are.
CREATE POLICY one_team ON event_position TO headway_app
    USING (team_id IS NULL OR team_id = nullif(current_setting('app.team_id', true), '')::int)
    WITH CHECK (team_id = nullif(current_setting('app.team_id', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON event_position TO headway_engine;
GRANT SELECT ON event_position TO headway_app;
