-- Since when a file is broken; `at` is of its present error. null: since then.
ALTER TABLE import_error ADD COLUMN since timestamptz;

-- The DAGs whose runs the tasks of a version wait for, as far as its file says: not what a template or the task computes.
CREATE FUNCTION awaited_dags_of(spec json) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(json_agg(json_build_object('dag_id', task -> 'arguments' ->> 'dag_id', 'task_id', task ->> 'task_id')), '[]')
    FROM json_array_elements(spec -> 'tasks') AS task
    WHERE task ->> 'kind' = 'wait_for_run' AND json_typeof(task -> 'arguments' -> 'dag_id') = 'string'
        AND strpos(task -> 'arguments' ->> 'dag_id', '{{') = 0
$$;
ALTER TABLE dag_version ADD COLUMN awaited_dags json GENERATED ALWAYS AS (awaited_dags_of(spec)) STORED;

-- What tells something: failures, what people did, and how runs ended; not each step of each task.
CREATE INDEX event_of_note ON event (team_id, seq) WHERE starts_with(actor, 'user:')
    OR task_id IS NOT NULL AND name IN ('fail', 'refuse', 'retry', 'cancel')
    OR task_id IS NULL AND subject NOT IN ('bundle', 'retention') AND NOT (subject = 'run' AND name IN ('create', 'start'));
