-- What the interface reads stays on an index however long the past is, and is parsed when it is
-- written, not each time it is shown.

ALTER TABLE run ADD COLUMN note text CONSTRAINT note_is_short CHECK (length(note) <= 10000);

ALTER TABLE backfill ADD COLUMN cancelled_at timestamptz, ADD COLUMN cancelled_by text;

-- How long this attempt could have run and did not, and why. The task instance keeps only the latest.
ALTER TABLE attempt ADD COLUMN ready_at timestamptz, ADD COLUMN waited_for text;
GRANT SELECT (ready_at, waited_for) ON attempt TO headway_app;

-- A line an id: a search looks for a text in it, and no list parses a spec.
CREATE FUNCTION task_ids_of(spec json) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(task ->> 'task_id', E'\n'), '') FROM json_array_elements(spec -> 'tasks') AS task
$$;
ALTER TABLE dag_version
    ADD COLUMN schedule json GENERATED ALWAYS AS (spec -> 'schedule') STORED,
    ADD COLUMN tags json GENERATED ALWAYS AS (coalesce(spec -> 'tags', '[]')) STORED,
    ADD COLUMN owner text GENERATED ALWAYS AS (coalesce(spec ->> 'owner', '')) STORED,
    ADD COLUMN description text GENERATED ALWAYS AS (coalesce(spec ->> 'description', '')) STORED,
    ADD COLUMN tasks integer GENERATED ALWAYS AS (coalesce(json_array_length(spec -> 'tasks'), 0)) STORED,
    ADD COLUMN task_ids text GENERATED ALWAYS AS (task_ids_of(spec)) STORED;

-- What ended when and how: for the hours of a day, and for the history of one DAG.
CREATE INDEX run_end ON run (team_id, ended_at, state, dag_id) WHERE ended_at IS NOT NULL;
CREATE INDEX run_end_of_dag ON run (team_id, dag_id, ended_at, state) WHERE ended_at IS NOT NULL;

-- The history that people read. Most rows are of task instances: those are read by their run.
CREATE INDEX event_of_no_task ON event (team_id, seq) WHERE task_id IS NULL;
CREATE INDEX event_of_dag ON event (team_id, dag_id, seq) WHERE task_id IS NULL;
CREATE INDEX event_by_people ON event (team_id, seq) WHERE starts_with(actor, 'user:');
