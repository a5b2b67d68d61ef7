-- Watchers of assets (ADR 70): as DAGs name them, by the current versions. The same `digest` is the same watcher, whatever its
-- name and asset.
CREATE TABLE asset_watcher (
    team_id integer NOT NULL,
    dag_id  text NOT NULL,
    asset   text NOT NULL,
    name    text NOT NULL,
    digest  text NOT NULL,
    facts   json NOT NULL, -- the code and its arguments, as of a wait for a trigger
    queue   text NOT NULL,
    PRIMARY KEY (team_id, dag_id, asset, name),
    FOREIGN KEY (team_id, dag_id) REFERENCES dag ON DELETE CASCADE
);
CREATE INDEX asset_watcher_by_digest ON asset_watcher (team_id, digest);
CREATE INDEX asset_watcher_by_asset ON asset_watcher (team_id, asset);

-- One watcher, once for all assets that have it. `life` counts how often it was handed out, and `batch` what was stored in
-- this life: what a former holder tells, or tells again, is not taken. `cursor`: from where the next life goes on.
CREATE TABLE watch (
    team_id        integer NOT NULL REFERENCES team,
    digest         text NOT NULL,
    facts          json NOT NULL,
    queue          text NOT NULL,
    shared         boolean NOT NULL, -- code of Headway, which is in every version
    dag_id         text NOT NULL, -- whose file has the code
    file           text NOT NULL,
    bundle_version text NOT NULL,
    wanted         boolean NOT NULL, -- false: no DAG that runs waits for one of its assets
    session_id     text, -- of the agent that looks; null: nobody does
    life           integer NOT NULL DEFAULT 0,
    batch          integer NOT NULL DEFAULT 0,
    cursor         json,
    since          timestamptz, -- of this life
    starts_at      timestamptz NOT NULL, -- not before
    failures       integer NOT NULL DEFAULT 0, -- in a row
    error          text,
    failed_at      timestamptz,
    looks          integer NOT NULL DEFAULT 0,
    looked_at      timestamptz,
    looks_at       timestamptz,
    note           text,
    events         bigint NOT NULL DEFAULT 0,
    last_event_at  timestamptz,
    window_at      timestamptz, -- the first event of the current window, and how many since
    window_events  integer NOT NULL DEFAULT 0,
    slowed_at      timestamptz, -- when events had to wait because of their number
    PRIMARY KEY (team_id, digest),
    CONSTRAINT held_if_wanted CHECK (wanted OR session_id IS NULL)
);
CREATE INDEX watch_free ON watch (team_id, queue, digest) WHERE wanted AND session_id IS NULL;
CREATE INDEX watch_held ON watch (session_id) WHERE session_id IS NOT NULL;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['asset_watcher', 'watch'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()))', name);
        EXECUTE format('GRANT SELECT ON %I TO headway_app', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO headway_engine', name);
    END LOOP;
END $$;
