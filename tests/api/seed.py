"""Rows as the engine would have written them, for tests of what the API shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from headway.spec import model

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


TEAM_ID = 1
SIZE = model.Param(name="size", type="integer", default=3)


def spec(dag_id: str, tasks: int = 3, params: tuple[model.Param, ...] = (SIZE,)) -> model.Dag:
    chain = tuple(
        model.Task(task_id=f"t{i}", upstream=(f"t{i - 1}",) if i else (), line=10 + i)
        for i in range(tasks)
    )
    return model.Dag(
        dag_id=dag_id,
        file=f"{dag_id}.py",
        tasks=chain,
        schedule={"cron": "0 5 * * *"},
        tags=("demo",),
        params=params,
    )


def dag(
    conn: Connection[Any],
    dag_id: str,
    tasks: int = 3,
    params: tuple[model.Param, ...] = (SIZE,),
    team_id: int = TEAM_ID,
) -> None:
    text = spec(dag_id, tasks, params)
    with conn.transaction():
        conn.execute(
            "INSERT INTO bundle VALUES (%s, 'b1', 1, 1, %s) ON CONFLICT DO NOTHING",
            [team_id, NOON],
        )
        conn.execute(
            "INSERT INTO dag (team_id, dag_id, version, bundle_version, file, max_active_runs,"
            " updated_at) VALUES (%s, %s, 1, 'b1', %s, 16, %s)",
            [team_id, dag_id, text.file, NOON],
        )
        conn.execute(
            "INSERT INTO dag_version VALUES (%s, %s, 1, %s, %s, %s)",
            [team_id, dag_id, model.spec_hash(text), model.encode(text).decode(), NOON],
        )
        conn.execute(
            "INSERT INTO code_change VALUES (%s, %s, 1, 1, 'b1', '[]', %s)",
            [team_id, dag_id, NOON],
        )


def run(
    conn: Connection[Any],
    dag_id: str,
    run_id: str,
    minute: int = 0,
    state: str = "running",
    team_id: int = TEAM_ID,
) -> None:
    at = NOON + timedelta(minutes=minute)
    conn.execute(
        "INSERT INTO run (team_id, run_id, dag_id, version, bundle_version, run_key, trigger, state,"
        " logical_date, interval_start, interval_end, created_by, created_at, started_at, ended_at)"
        " VALUES (%(team)s, %(id)s, %(dag)s, 1, 'b1', %(id)s, 'manual', %(state)s, %(at)s, %(at)s, %(at)s,"
        " 'user:admin', %(at)s, %(at)s,"
        " CASE WHEN %(state)s IN ('success', 'failed', 'cancelled', 'skipped') THEN %(at)s END)",
        {"team": team_id, "id": run_id, "dag": dag_id, "state": state, "at": at},
    )


def instance(
    conn: Connection[Any], run_id: str, task_id: str, state: str, map_index: int = -1
) -> None:
    conn.execute(
        "INSERT INTO task_instance (team_id, run_id, task_id, map_index, state, pool, attempts,"
        " ended_at) VALUES (1, %(run)s, %(task)s, %(index)s, %(state)s, 'default', %(number)s,"
        " CASE WHEN %(state)s IN ('success', 'failed', 'skipped', 'upstream_failed',"
        " 'cancelled') THEN %(at)s::timestamptz END)",
        {
            "run": run_id,
            "task": task_id,
            "index": map_index,
            "state": state,
            "number": int(state in ("success", "failed", "running")),
            "at": NOON,
        },
    )


def attempt(
    conn: Connection[Any], run_id: str, task_id: str, map_index: int = -1, detail: str = ""
) -> None:
    """A failed one."""
    conn.execute(
        "INSERT INTO agent_session (team_id, session_id, agent, host, pid, slots, started_at,"
        " heartbeat_at) VALUES (1, 's1', 'local', 'here', 7, 4, %(at)s, %(at)s)"
        " ON CONFLICT DO NOTHING",
        {"at": NOON},
    )
    conn.execute(
        "INSERT INTO attempt (team_id, run_id, task_id, map_index, number, state, session_id,"
        " queued_at, started_at, ended_at, cause, detail, line, exit_code)"
        " VALUES (1, %(run)s, %(task)s, %(index)s, 1, 'failed', 's1', %(at)s, %(at)s, %(at)s,"
        " 'exception', %(detail)s, 11, 1)",
        {"run": run_id, "task": task_id, "index": map_index, "at": NOON, "detail": detail},
    )
