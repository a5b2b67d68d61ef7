-- Partitions of assets. A run may be of one; a DAG that runs on partitions keeps for each the keys that have arrived.
ALTER TABLE run ADD COLUMN partition text;
CREATE INDEX run_by_partition ON run (team_id, dag_id, partition, created_at) WHERE partition IS NOT NULL;

-- `refused_…`: the last key that its mapper could not read, and why.
ALTER TABLE asset_consumer
    ADD COLUMN partitioned boolean NOT NULL DEFAULT false,
    ADD COLUMN refused_key text,
    ADD COLUMN refused_why text,
    ADD COLUMN refused_at timestamptz;

-- A partition of a DAG of which keys have arrived and that has no run yet. `mapping`: a digest of the schedule that
-- mapped them; `late`: since when the keys arrive again, after its last run.
CREATE TABLE pending_partition (
    team_id   integer NOT NULL,
    dag_id    text NOT NULL,
    partition text NOT NULL,
    since     timestamptz NOT NULL,
    latest_at timestamptz NOT NULL,
    mapping   text NOT NULL,
    news      boolean NOT NULL DEFAULT true, -- it is to be judged
    late      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (team_id, dag_id, partition),
    FOREIGN KEY (team_id, dag_id) REFERENCES dag ON DELETE CASCADE
);
CREATE INDEX pending_partition_news ON pending_partition (team_id, dag_id, partition) WHERE news;
CREATE INDEX pending_partition_by_time ON pending_partition (team_id, latest_at);

CREATE TABLE arrived_partition (
    team_id   integer NOT NULL,
    dag_id    text NOT NULL,
    partition text NOT NULL,
    asset     text NOT NULL,
    key       text NOT NULL, -- of the asset's partition
    position  bigint NOT NULL, -- of its last event
    events    integer NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (team_id, dag_id, partition, asset, key),
    FOREIGN KEY (team_id, dag_id, partition) REFERENCES pending_partition ON DELETE CASCADE
);

-- The keys that a run of a partition has, with the position of the last event of each.
CREATE TABLE consumed_partition (
    team_id  integer NOT NULL,
    run_id   text NOT NULL,
    asset    text NOT NULL,
    key      text NOT NULL,
    position bigint NOT NULL,
    events   integer NOT NULL,
    PRIMARY KEY (team_id, run_id, asset, key),
    FOREIGN KEY (team_id, run_id) REFERENCES run ON DELETE CASCADE
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['pending_partition', 'arrived_partition', 'consumed_partition'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()))', name);
        EXECUTE format('GRANT SELECT ON %I TO headway_app', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO headway_engine', name);
    END LOOP;
END $$;

-- The partitions of an asset, one after another.
CREATE INDEX asset_event_by_partition ON asset_event (team_id, asset, partition, event_id) WHERE partition IS NOT NULL;
