"""The tasks of one run: a row each, however many instances, in the spec's topological order."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.core.critical import critical_path
from headway.core.states import FINAL, State
from headway.errors import NotFound
from headway.spec import model
from headway.spec.outline import group_of
from headway.store import states
from headway.store.views import versions
from headway.store.views.memory import Memory, Version
from headway.store.views.worded import why, words

PINNED: LiteralString = "SELECT team_id, dag_id, version, now() FROM run WHERE run_id = %(run_id)s"

BY_TASK: LiteralString = f"""
    SELECT task_id, json_object_agg(state, instances), bool_or(mapped),
        min(started_at), max(ended_at), max(blocked_reason), max(reason)
    FROM (
        SELECT task_id, state, count(*) AS instances, bool_or(map_index >= 0) AS mapped,
            min(started_at) AS started_at, max(ended_at) AS ended_at,
            min(blocked_reason::text) AS blocked_reason,
            min(reason::text) FILTER (WHERE state NOT IN {states.NOTHING_TO_EXPLAIN}) AS reason
        FROM task_instance WHERE run_id = %(run_id)s
        GROUP BY task_id, state
    ) AS by_state
    GROUP BY task_id
"""


def of_run(conn: Connection[Any], memory: Memory, run_id: str) -> list[wire.RunTask]:
    version, now = pinned(conn, memory, run_id)
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(BY_TASK, {"run_id": run_id}).fetchall()
    counted: dict[str, tuple[Any, ...]] = {row[0]: row[1:] for row in rows}
    path = critical_path(
        {task.task_id: task.upstream for task in version.dag.tasks},
        {
            task_id: ended_at if settled(counts) else now
            for task_id, (counts, _, started_at, ended_at, *_) in counted.items()
            if started_at is not None
        },
    )
    nothing: tuple[Any, ...] = ({}, False, None, None, None, None)
    return [
        run_task(task, task.task_id in path, *counted.get(task.task_id, nothing))
        for task in version.dag.tasks
    ]


def pinned(conn: Connection[Any], memory: Memory, run_id: str) -> tuple[Version, datetime]:
    """The version that the run is pinned to, and what time it is."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(PINNED, {"run_id": run_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no run {run_id!r}")
    team_id, dag_id, version, now = row
    return versions.of_dag(conn, memory, team_id, dag_id, [version])[version], now


def settled(counts: dict[str, int]) -> bool:
    return all(State(state) in FINAL for state in counts)


def run_task(
    task: model.Task,
    critical: bool,
    counts: dict[str, int],
    mapped: bool,
    started_at: datetime | None,
    ended_at: datetime | None,
    blocked_reason: str | None,
    reason: str | None,
) -> wire.RunTask:
    ended_at = ended_at if settled(counts) else None
    took = None if started_at is None or ended_at is None else ended_at - started_at
    return wire.RunTask(
        task_id=task.task_id,
        upstream=list(task.upstream),
        mapped=mapped or task.mapping is not None,
        counts=counts,
        started_at=started_at,
        ended_at=ended_at,
        blocked_reason=words(blocked_reason),
        reason=words(reason),
        why=why(blocked_reason or reason),
        group=group_of(task.task_id),
        label=task.task_id.rpartition(".")[2],
        kind=task.kind,
        trigger_rule=task.trigger_rule,
        doc=task.doc,
        pool=task.pool,
        critical=critical,
        duration_s=None if took is None else took.total_seconds(),
    )
