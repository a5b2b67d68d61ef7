-- Assets: data that tasks update and DAGs wait for. Their events are a log; what brings runs is counted per consumer.
ALTER TABLE run DROP CONSTRAINT run_trigger_check, ADD CONSTRAINT run_trigger_check CHECK (
    trigger IN ('schedule', 'manual', 'backfill', 'asset')) NOT VALID;

CREATE TABLE asset (
    team_id     integer NOT NULL REFERENCES team,
    name        text NOT NULL,
    uri         text NOT NULL,
    asset_group text NOT NULL,
    extra       json NOT NULL, -- as the DAG that was registered last says
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (team_id, name)
);

-- Which tasks of which DAGs update and read an asset, by the current versions.
CREATE TABLE asset_use (
    team_id integer NOT NULL,
    dag_id  text NOT NULL,
    asset   text NOT NULL,
    task_id text NOT NULL,
    role    text NOT NULL CONSTRAINT known_use CHECK (role IN ('outlet', 'inlet')),
    PRIMARY KEY (team_id, dag_id, asset, task_id, role),
    FOREIGN KEY (team_id, dag_id) REFERENCES dag ON DELETE CASCADE
);
CREATE INDEX asset_use_by_asset ON asset_use (team_id, asset);

-- Numbers in the order in which events were handed to the consumers: after the commit, by one scheduler at a time. Unlike
-- event_id, which an open transaction may have taken long ago, what is "after a position" is never completed later.
CREATE SEQUENCE asset_position;

CREATE TABLE asset_event (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id         integer NOT NULL REFERENCES team,
    asset           text NOT NULL, -- no reference: an event is never refused because of what is known of its asset
    at              timestamptz NOT NULL,
    extra           json NOT NULL,
    partition       text,
    dag_id          text, -- what made it; null: it came from outside, by
    run_id          text,
    task_id         text,
    map_index       integer,
    attempt         integer,
    by              text,
    idempotency_key text,
    position        bigint, -- null: no consumer knows of it yet
    CONSTRAINT one_source CHECK (num_nulls(dag_id, run_id, task_id, map_index, attempt) IN (0, 5)
        AND (run_id IS NULL) = (by IS NOT NULL))
);
CREATE UNIQUE INDEX one_event_of_an_attempt ON asset_event (team_id, run_id, task_id, map_index, attempt, asset, partition)
    NULLS NOT DISTINCT WHERE run_id IS NOT NULL;
CREATE UNIQUE INDEX one_event_of_a_key ON asset_event (team_id, asset, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX asset_event_unrouted ON asset_event (event_id) WHERE position IS NULL;
CREATE INDEX asset_event_by_position ON asset_event (team_id, asset, position);
CREATE INDEX asset_event_by_time ON asset_event (team_id, at);

-- A DAG that waits for an asset. `consumed`: the position up to which its runs have the events; `latest`: of the last event
-- that counts for the next run; `since`, `latest_at`: the times of the first and last such; null: there is none.
CREATE TABLE asset_consumer (
    team_id   integer NOT NULL,
    dag_id    text NOT NULL,
    asset     text NOT NULL,
    consumed  bigint NOT NULL,
    latest    bigint NOT NULL,
    events    integer NOT NULL DEFAULT 0,
    since     timestamptz,
    latest_at timestamptz,
    news      boolean NOT NULL DEFAULT false, -- its condition is to be judged
    PRIMARY KEY (team_id, dag_id, asset),
    FOREIGN KEY (team_id, dag_id) REFERENCES dag ON DELETE CASCADE,
    CONSTRAINT counted CHECK ((since IS NULL) = (events = 0) AND (since IS NULL) = (latest_at IS NULL) AND consumed <= latest)
);
CREATE INDEX asset_consumer_by_asset ON asset_consumer (team_id, asset);
CREATE INDEX asset_consumer_news ON asset_consumer (team_id, dag_id) WHERE news;

-- The events that brought a run: those of the asset after one position, up to another one.
CREATE TABLE consumed_asset (
    team_id  integer NOT NULL,
    run_id   text NOT NULL,
    asset    text NOT NULL,
    consumed bigint NOT NULL,
    latest   bigint NOT NULL,
    events   integer NOT NULL,
    PRIMARY KEY (team_id, run_id, asset),
    FOREIGN KEY (team_id, run_id) REFERENCES run ON DELETE CASCADE,
    CONSTRAINT not_nothing CHECK (consumed < latest)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['asset', 'asset_use', 'asset_event', 'asset_consumer', 'consumed_asset'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY engine ON %I TO headway_engine USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY one_team ON %I TO headway_app '
            'USING (team_id = (SELECT entered_team())) WITH CHECK (team_id = (SELECT entered_team()))', name);
        EXECUTE format('GRANT SELECT ON %I TO headway_app', name);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO headway_engine', name);
    END LOOP;
END $$;
GRANT UPDATE ON asset, asset_consumer TO headway_engine;
GRANT UPDATE (position) ON asset_event TO headway_engine; -- append-only
GRANT USAGE ON SEQUENCE asset_position TO headway_engine;
GRANT INSERT ON asset_event TO headway_app;
