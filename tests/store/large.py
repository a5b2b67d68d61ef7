"""What a database has after much work, for tests of plans."""

from typing import Final

LARGE: Final = """
    SET session_replication_role = replica;
    INSERT INTO bundle SELECT 1, 'b' || n, 1, 1, now() FROM generate_series(1, 50) n;
    INSERT INTO dag (team_id, dag_id, version, bundle_version, file, max_active_runs, updated_at)
        SELECT 1, 'd' || n, 1, 'b1', 'f', 16, now() FROM generate_series(1, 100) n;
    INSERT INTO dag_version SELECT 1, 'd' || n, 1, 'h', '{}', now() FROM generate_series(1, 100) n;
    INSERT INTO agent_session SELECT 1, 's' || n, 'a', 'h', 1, 8, now(), now(), now()
        FROM generate_series(1, 50) n;
    INSERT INTO run (team_id, run_id, dag_id, version, bundle_version, run_key, trigger, state, logical_date,
            interval_start, interval_end, created_by, created_at, started_at, ended_at)
        SELECT 1, 'r' || n, 'd' || n % 100, 1, 'b' || n % 50, 'k' || n, 'manual', 'success', at, at, at, 'me', at,
            at, at
        FROM generate_series(1, 20000) n, LATERAL (SELECT now() - n * interval '1 minute') AS time (at);
    INSERT INTO task_instance (team_id, run_id, task_id, map_index, state, attempts, pool, ended_at)
        SELECT 1, 'r' || n, 't' || k, -1, 'success', 1, 'default', now()
        FROM generate_series(1, 20000) n, generate_series(1, 10) k;
    INSERT INTO attempt (team_id, run_id, task_id, map_index, number, state, session_id, queued_at, ended_at)
        SELECT 1, 'r' || n, 't' || k, -1, 1, 'success', 's' || n % 50, now(), now()
        FROM generate_series(1, 10000) n, generate_series(1, 10) k;
    INSERT INTO event (team_id, at, subject, run_id, task_id, map_index, name, actor)
        SELECT 1, now(), 'task_instance', 'r' || n, 't' || k, -1, 'succeed', 'me'
        FROM generate_series(1, 10000) n, generate_series(1, 10) k;
    INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, size)
        SELECT 1, 'r' || n, 't1', -1, 'return_value', 1, '1', 1 FROM generate_series(1, 20000) n;
    INSERT INTO wait (team_id, run_id, task_id, map_index, attempt, deferrals, kind, facts, since, overdue, reschedules,
            finishes, target_dag, target_date, queue, session_id)
        SELECT 1, 'r' || n, 't1', -1, 1, 1, CASE n % 100 WHEN 0 THEN 'run' WHEN 1 THEN 'trigger'
            WHEN 2 THEN 'asset' ELSE 'time' END, '{"asset": "a1"}',
            now(), 'fail', false, false, 'd1', now(), 'default', CASE n % 4 WHEN 0 THEN NULL ELSE 's1' END
        FROM generate_series(1, 20000) n;
    INSERT INTO asset_event (team_id, asset, at, extra, by, position)
        SELECT 1, 'a' || n % 100, now(), '{}', 'me', CASE WHEN n < 19990 THEN n END FROM generate_series(1, 20000) n;
    INSERT INTO asset_alias (team_id, alias, asset, position, created_at)
        SELECT 1, 'l' || n % 50, 'a' || n, 1, now() FROM generate_series(1, 10000) n;
    INSERT INTO answer (team_id, run_id, task_id, map_index, attempt, deferrals, question, asked_at, answered_at,
            answered_by, timed_out, chosen, params)
        SELECT 1, 'r' || n, 't', -1, 1, 1, '{}', now(), now(), 'me', false, '{}', '{}' FROM generate_series(1, 5000) n;
    INSERT INTO run_image SELECT 1, 'r' || n, 'i', 'sha256:' || repeat('1', 64), 1 FROM generate_series(1, 20000) n;
    INSERT INTO asset_consumer (team_id, dag_id, asset, consumed, latest)
        SELECT 1, 'd' || n % 100, 'a' || n, 0, 0 FROM generate_series(1, 5000) n;
    INSERT INTO asset_watcher (team_id, dag_id, asset, name, digest, facts, queue)
        SELECT 1, 'd' || n % 100, 'a' || n, 'w', 'x' || n, '{}', 'default' FROM generate_series(1, 5000) n;
    INSERT INTO watch (team_id, digest, facts, queue, shared, dag_id, file, bundle_version, wanted, session_id,
            starts_at)
        SELECT 1, 'x' || n, '{}', 'default', true, 'd1', 'f', 'b1', true,
            CASE n % 10 WHEN 0 THEN NULL ELSE 's' || n % 50 END, now()
        FROM generate_series(1, 5000) n;
    INSERT INTO task_state (team_id, run_id, task_id, map_index, key, value, size, updated_at, expires_at)
        SELECT 1, 'r' || n, 't1', -1, 'k' || k, '1', 1, now(), now() + n * interval '1 minute'
        FROM generate_series(1, 10000) n, generate_series(1, 4) k;
    INSERT INTO airflow_dag (team_id, dag_id, runs, done_until, imported_at, imported_by)
        SELECT 1, 'd' || n, 4, now(), now(), 'me' FROM generate_series(1, 5000) n;
    INSERT INTO airflow_run (team_id, dag_id, run_id, run_type, state, due_at, ended_at, tasks, instances, size, digest)
        SELECT 1, 'd' || n, 'a' || k, 'scheduled', 'success', now() + k * interval '1 day',
            now() + k * interval '1 day', 0, '[]', 2, ''
        FROM generate_series(1, 5000) n, generate_series(1, 4) k;
    INSERT INTO asset (team_id, name, uri, asset_group, extra, created_at)
        SELECT 1, 'a' || n, 'u' || n, '', '{}', now() FROM generate_series(1, 10000) n;
    INSERT INTO asset_state (team_id, asset, key, value, size, updated_at, by)
        SELECT 1, 'a' || n % 10000, 'k' || n, '1', 1, now(), 'me' FROM generate_series(1, 20000) n;
"""
