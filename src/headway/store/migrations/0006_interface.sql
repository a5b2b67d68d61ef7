-- Versions by the runs that had them; when DAGs fire, without a spec being parsed; and durations for
-- everybody's own queries.

-- Not by team first: on an empty database a plan would take it for another one.
CREATE INDEX run_by_version ON run (dag_id, number, team_id, created_at);

ALTER TABLE dag_version
    ADD COLUMN start_date text GENERATED ALWAYS AS (spec ->> 'start_date') STORED,
    ADD COLUMN end_date text GENERATED ALWAYS AS (spec ->> 'end_date') STORED;

-- Stable: columns are only ever added. Whoever reads them sees what they may see of the tables below.
CREATE VIEW run_durations WITH (security_invoker = true) AS
    SELECT team_id, dag_id, run_id, number AS version, trigger, state, logical_date, created_at, started_at, ended_at,
        extract(epoch FROM started_at - created_at)::float8 AS waited_s,
        extract(epoch FROM ended_at - started_at)::float8 AS duration_s
    FROM run WHERE ended_at IS NOT NULL;
CREATE VIEW task_durations WITH (security_invoker = true) AS
    SELECT attempt.team_id, dag_id, attempt.run_id, task_id, map_index, attempt.number AS attempt, attempt.state,
        logical_date, attempt.queued_at, attempt.started_at, attempt.ended_at, attempt.cause,
        extract(epoch FROM attempt.started_at - coalesce(attempt.ready_at, attempt.queued_at))::float8 AS waited_s,
        extract(epoch FROM attempt.ended_at - attempt.started_at)::float8 AS duration_s
    FROM attempt JOIN run USING (team_id, run_id) WHERE attempt.ended_at IS NOT NULL;
CREATE VIEW dag_durations_30d WITH (security_invoker = true) AS
    SELECT team_id, dag_id, count(*) AS runs, avg(duration_s) AS mean_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_s) AS p50_s,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_s) AS p95_s
    FROM run_durations
    WHERE state = 'success' AND ended_at > now() - interval '30 days' GROUP BY team_id, dag_id;
CREATE VIEW task_durations_30d WITH (security_invoker = true) AS
    SELECT team_id, dag_id, task_id, count(*) AS attempts, avg(duration_s) AS mean_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_s) AS p50_s,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_s) AS p95_s
    FROM task_durations
    WHERE state = 'success' AND ended_at > now() - interval '30 days' GROUP BY team_id, dag_id, task_id;
GRANT SELECT ON run_durations, task_durations, dag_durations_30d, task_durations_30d TO headway_app, headway_engine;
