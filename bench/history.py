"""A past: finished runs written straight into the store's tables."""

from typing import Final

import psycopg

RUNS: Final = 1_000
TASKS: Final = 1_000

INSERT_RUNS: Final = """
    INSERT INTO run (
        team_id, run_id, dag_id, version, bundle_version, run_key, trigger, state, logical_date,
        interval_start, interval_end, created_by, created_at, started_at, ended_at, revision
    )
    SELECT team_id, 'past-' || past, dag_id, version, bundle_version, 'manual:past-' || past,
        'manual', 'success', at, at, at, 'bench', at, at, at + interval '5 s', 10
    FROM dag, generate_series(1, %(runs)s) AS past,
        LATERAL (SELECT now() - past * interval '8 hours' AS at) AS moment
    WHERE dag_id = %(dag_id)s
"""
INSERT_TASK_INSTANCES: Final = """
    INSERT INTO task_instance (
        team_id, run_id, task_id, map_index, state, attempts, pool,
        ready_at, queued_at, started_at, ended_at
    )
    SELECT team_id, run_id, 'nothing', place, 'success', 1, 'default',
        started_at, started_at, started_at, ended_at
    FROM run, generate_series(0, %(tasks)s - 1) AS place
    WHERE run_id LIKE 'past-%%'
"""
INSERT_ATTEMPTS: Final = """
    INSERT INTO attempt (
        team_id, run_id, task_id, map_index, number, state, session_id,
        queued_at, started_at, ended_at
    )
    SELECT team_id, run_id, task_id, map_index, attempts, 'success',
        (SELECT session_id FROM agent_session LIMIT 1), queued_at, started_at, ended_at
    FROM task_instance
    WHERE run_id LIKE 'past-%%'
"""
INSERT_EVENTS: Final = """
    INSERT INTO event (team_id, at, subject, dag_id, run_id, task_id, map_index, attempt, name,
        state, actor)
    SELECT team_id, ended_at, 'task_instance', %(dag_id)s, run_id, task_id, map_index, attempts,
        'succeed', state, 'scheduler'
    FROM task_instance
    WHERE run_id LIKE 'past-%%'
"""


def seed(dsn: str, dag_id: str) -> None:
    """A million finished task instances of one DAG, each with its attempt and an event."""
    values = {"dag_id": dag_id, "runs": RUNS, "tasks": TASKS}
    with psycopg.connect(dsn, autocommit=True) as conn:
        with conn.transaction():
            for statement in (
                INSERT_RUNS,
                INSERT_TASK_INSTANCES,
                INSERT_ATTEMPTS,
                INSERT_EVENTS,
            ):
                conn.execute(statement, values)
        # What autovacuum and checkpoints would have done over the year, so that they do not do it
        # meanwhile: a gigabyte written at once is no part of a year's history.
        conn.execute("VACUUM ANALYZE")
        conn.execute("CHECKPOINT")
