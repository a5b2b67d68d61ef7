-- State that tasks keep beside their results (ADR 74). That of a task instance is of all its attempts, and goes with its run.
CREATE TABLE task_state (
    team_id    integer NOT NULL,
    run_id     text NOT NULL,
    task_id    text NOT NULL,
    map_index  integer NOT NULL,
    key        text NOT NULL,
    value      json NOT NULL, -- json, not jsonb: the text is kept, \u0000 included
    size       integer NOT NULL CHECK (size >= 0),
    secrets    json, -- a list of those that were handed to its task and that the value reveals
    updated_at timestamptz NOT NULL,
    expires_at timestamptz, -- from then on the janitor removes it; null: not before its run
    PRIMARY KEY (team_id, run_id, task_id, map_index, key),
    FOREIGN KEY (team_id, run_id) REFERENCES run ON DELETE CASCADE
);
CREATE INDEX task_state_expires ON task_state (team_id, expires_at) WHERE expires_at IS NOT NULL;

-- That of an asset is of no run, and goes with the asset. `by`: the task instance or watcher that wrote it last.
CREATE TABLE asset_state (
    team_id    integer NOT NULL,
    asset      text NOT NULL,
    key        text NOT NULL,
    value      json NOT NULL,
    size       integer NOT NULL CHECK (size >= 0),
    secrets    json,
    updated_at timestamptz NOT NULL,
    by         text NOT NULL,
    PRIMARY KEY (team_id, asset, key),
    FOREIGN KEY (team_id, asset) REFERENCES asset ON DELETE CASCADE
);

-- The last question of the attempt that changed a state: of its process (the upper 32 bits) and its agent. One that comes
-- after a later one, or again, changes nothing.
ALTER TABLE attempt ADD COLUMN state_question bigint NOT NULL DEFAULT 0;

-- Nobody of the API reads either: a value may hold what people must not see.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['task_state', 'asset_state'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO headway_engine', name);
    END LOOP;
END $$;

-- What watchers of Airflow kept for their assets was in their cursors.
INSERT INTO asset_state (team_id, asset, key, value, size, updated_at, by)
SELECT watch.team_id, asset.name, kept.key, kept.value, octet_length(kept.value::text), now(), 'watcher:' || named.name
FROM watch
JOIN asset_watcher AS named USING (team_id, digest)
JOIN asset ON asset.team_id = named.team_id AND asset.name = named.asset
CROSS JOIN LATERAL json_each(CASE json_typeof(watch.cursor) WHEN 'object' THEN watch.cursor END) AS kept (key, value)
WHERE watch.facts ->> 'trigger' LIKE 'airflow:%' AND json_typeof(kept.value) <> 'null'
ON CONFLICT DO NOTHING;
