"""Runs of the past, written straight into the store's tables, for DAGs that the loader registered.

Most went well. Every ninth run of a DAG failed: at one task, and all behind it was blocked. What
chance decides is decided by a hash, so that the same installation comes out each time.
"""

from pathlib import Path
from typing import Any, Final, LiteralString

from psycopg import Connection

from headway.paths import log_path

SESSION: LiteralString = """
    INSERT INTO agent_session (team_id, session_id, agent, host, pid, slots, started_at, heartbeat_at, ended_at)
    VALUES (1, 'past', 'local', 'localhost', 1, 32, now() - interval '400 days', now(), now())
    ON CONFLICT DO NOTHING
"""

RUNS: LiteralString = """
    INSERT INTO run (team_id, run_id, dag_id, version, bundle_version, run_key, trigger, state, reason,
        logical_date, interval_start, interval_end, created_by, created_at, started_at, ended_at, revision)
    SELECT team_id, substr(md5(dag_id || past), 1, 12), dag_id, version, bundle_version,
        'slot:' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'schedule',
        CASE WHEN bad THEN 'failed' ELSE 'success' END,
        jsonb_build_object('kind', CASE WHEN bad THEN 'leaves_failed' ELSE 'leaves_succeeded' END)
            || CASE WHEN bad THEN '{"tasks": []}'::jsonb ELSE '{}' END,
        at, at - %(every)s, at, 'scheduler', at, at + interval '1 s',
        at + (%(lasts)s * (1 + (abs(hashtext(dag_id || past)) %% 100) / 300.0)), 10
    FROM dag, generate_series(1, %(runs)s) AS past,
        LATERAL (SELECT date_trunc('hour', now()) - past * %(every)s AS at, past %% 9 = 2 AS bad) AS moment
    WHERE dag_id = %(dag_id)s
"""

# The place of a task in its DAG says when it began; `span` is the share of the run it takes.
INSTANCES: LiteralString = """
    INSERT INTO task_instance (team_id, run_id, task_id, map_index, state, attempts, failures, pool, reason,
        ready_at, queued_at, started_at, ended_at)
    SELECT run.team_id, run.run_id, task_id, map_index,
        judged.state, (judged.state <> 'upstream_failed')::int, (judged.state = 'failed')::int, 'default',
        CASE judged.state WHEN 'failed' THEN jsonb_build_object('kind', 'attempt_failed',
                'cause', 'exception', 'detail', 'ValueError: row ' || map_index || ' of the source is bad')
            WHEN 'upstream_failed' THEN '{"kind": "rule_not_met", "rule": "all_success", "total": 1,
                "ends": {"failed": 1}, "tasks": []}' END,
        ready_at, queued_at, began_at, CASE WHEN judged.state = 'upstream_failed' THEN run.ended_at
            ELSE began_at + took END
    FROM run JOIN dag_version USING (team_id, dag_id, version)
    CROSS JOIN LATERAL regexp_split_to_table(task_ids, E'\\n') WITH ORDINALITY AS named (task_id, place)
    CROSS JOIN LATERAL generate_series(
        CASE WHEN task_id = %(mapped)s THEN 0 ELSE -1 END,
        CASE WHEN task_id = %(mapped)s THEN %(items)s - 1 ELSE -1 END) AS map_index
    CROSS JOIN LATERAL (
        SELECT (place - 1) / 50 AS layer, greatest(1, (dag_version.tasks + 49) / 50) AS layers,
            abs(hashtext(run.run_id || task_id || map_index)) %% 1000 AS chance
    ) AS layered
    CROSS JOIN LATERAL (
        SELECT run.started_at + (run.ended_at - run.started_at) * layer / layers AS ready_at,
            (run.ended_at - run.started_at) / layers AS span
    ) AS begun
    CROSS JOIN LATERAL (
        SELECT ready_at + span * 0.1 * chance / 1000.0 AS queued_at,
            ready_at + span * (0.12 + 0.1 * chance / 1000.0) AS began_at,
            span * (0.2 + 0.5 * chance / 1000.0) AS took
    ) AS timed
    CROSS JOIN LATERAL (
        SELECT CASE WHEN run.state = 'success' THEN 'success'
            WHEN task_id = %(mapped)s THEN CASE WHEN chance < 25 THEN 'failed' ELSE 'success' END
            WHEN place > dag_version.tasks - dag_version.tasks / 3 THEN 'upstream_failed'
            WHEN place = dag_version.tasks - dag_version.tasks / 3 AND %(mapped)s = '' THEN 'failed'
            ELSE 'success' END AS state
    ) AS judged
    WHERE dag_id = %(dag_id)s AND run.ended_at IS NOT NULL
"""

ATTEMPTS: LiteralString = """
    INSERT INTO attempt (team_id, run_id, task_id, map_index, number, state, session_id,
        ready_at, queued_at, started_at, ended_at, waited_for, cause, detail, line, exit_code)
    SELECT team_id, run_id, task_id, map_index, instance.attempts, instance.state, 'past',
        instance.ready_at, instance.queued_at, instance.started_at, instance.ended_at,
        CASE WHEN instance.queued_at - ready_at > interval '1 s'
            THEN '{"kind": "pool_full", "pool": "default", "used": 128, "slots": 128}'::jsonb END,
        CASE WHEN instance.state = 'failed' THEN 'exception' END,
        CASE WHEN instance.state = 'failed' THEN instance.reason ->> 'detail' END,
        CASE WHEN instance.state = 'failed' THEN 21 END,
        CASE WHEN instance.state = 'failed' THEN 1 ELSE 0 END
    FROM run JOIN task_instance AS instance USING (team_id, run_id)
    WHERE dag_id = %(dag_id)s AND instance.state IN ('success', 'failed')
"""

EVENTS: LiteralString = """
    INSERT INTO event (team_id, at, subject, dag_id, run_id, name, state, actor, reason)
    SELECT team_id, CASE name WHEN 'create' THEN created_at WHEN 'start' THEN started_at ELSE ended_at END,
        'run', dag_id, run_id, name,
        CASE name WHEN 'create' THEN 'queued' WHEN 'start' THEN 'running' ELSE run.state END,
        'scheduler', CASE WHEN name IN ('create', 'start') THEN NULL ELSE run.reason END
    FROM run CROSS JOIN LATERAL unnest(ARRAY['create', 'start',
        CASE run.state WHEN 'success' THEN 'succeed' ELSE 'fail' END]) AS name
    WHERE dag_id = %(dag_id)s
"""

FAILED: LiteralString = """
    SELECT run_id, task_id, map_index, attempt.number, attempt.detail
    FROM run JOIN attempt USING (team_id, run_id)
    WHERE dag_id = %(dag_id)s AND attempt.state = 'failed' AND run_id IN (
        SELECT run_id FROM run WHERE dag_id = %(dag_id)s AND state = 'failed'
        ORDER BY logical_date DESC LIMIT 3)
"""

LOG: Final = """2026-01-01T05:00:00.100Z reading the source
2026-01-01T05:00:00.200Z 1,000 rows read
2026-01-01T05:00:00.300Z Traceback (most recent call last):
2026-01-01T05:00:00.300Z   File "/bundle/carriers.py", line 21, in summarise
2026-01-01T05:00:00.300Z     raise ValueError(f"row {n} of the source is bad")
2026-01-01T05:00:00.300Z {detail}
"""


def write(
    conn: Connection[Any],
    dag_id: str,
    *,
    runs: int,
    every: str,
    lasts: str,
    mapped: str = "",
    items: int = 0,
) -> None:
    """``runs`` ended runs of a DAG, one each ``every``, each of about ``lasts``."""
    values = {
        "dag_id": dag_id,
        "runs": runs,
        "every": every,
        "lasts": lasts,
        "mapped": mapped,
        "items": items,
    }
    typed = [
        statement.replace("%(every)s", "%(every)s::interval").replace(
            "%(lasts)s", "%(lasts)s::interval"
        )
        for statement in (SESSION, RUNS, INSTANCES, ATTEMPTS, EVENTS)
    ]
    with conn.transaction():
        for statement in typed:
            conn.execute(statement, values)


def write_logs(conn: Connection[Any], data: Path, dag_id: str) -> None:
    """Of the attempts that failed in the latest failed runs."""
    for run_id, task_id, map_index, number, detail in conn.execute(
        FAILED, {"dag_id": dag_id}
    ).fetchall():
        file = data / log_path(run_id, task_id, map_index, number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(LOG.replace("{detail}", detail))
