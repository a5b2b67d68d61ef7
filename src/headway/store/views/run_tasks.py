"""The tasks of one run: a row each, however many instances, in the spec's topological order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.core.critical import critical_path
from headway.core.states import FINAL, State
from headway.errors import NotFound
from headway.spec import model
from headway.spec.outline import group_of, label_of, mapped_group_of
from headway.store import states
from headway.store.views import versions
from headway.store.views.memory import Memory, Version
from headway.store.views.present import Present
from headway.store.views.rounded import rounded_s
from headway.store.views.worded import why, words

PINNED: LiteralString = "SELECT team_id, dag_id, version, now() FROM run WHERE run_id = %(run_id)s"

BY_TASK: LiteralString = f"""
    SELECT task_id, json_object_agg(state, instances), bool_or(mapped),
        min(started_at), max(ended_at), max(blocked_reason),
        (array_agg(reason ORDER BY state = 'failed' DESC, state = 'up_for_retry' DESC, reason DESC)
            FILTER (WHERE reason IS NOT NULL))[1],
        min(waits_since),
        min(retry_at), max(failed_times), max(allowed), max(pool), max(pool_slots), max(queue), max(executor)
    FROM (
        SELECT task_id, state, count(*) AS instances, bool_or(map_index >= 0) AS mapped,
            min(started_at) AS started_at, max(ended_at) AS ended_at,
            min(blocked_reason::text) AS blocked_reason,
            min(ready_at) FILTER (WHERE state = 'ready') AS waits_since,
            min(wake_at) FILTER (WHERE state = 'up_for_retry') AS retry_at,
            coalesce(max(failures) FILTER (WHERE state = 'up_for_retry'), 0) AS failed_times,
            max((reason ->> 'retries')::int) FILTER (WHERE state = 'up_for_retry') AS allowed,
            max(pool) AS pool, max(pool_slots) AS pool_slots, max(queue) AS queue, max(executor) AS executor,
            min(reason::text) FILTER (WHERE state NOT IN {states.NOTHING_TO_EXPLAIN}) AS reason
        FROM task_instance WHERE run_id = %(run_id)s
        GROUP BY task_id, state
    ) AS by_state
    GROUP BY task_id
"""

# The attempts of an instance's present life: those before a clear are not part of it.
TIMES: LiteralString = f"""
    SELECT task_id,
        (SELECT extract(epoch FROM sum(upper(span) - lower(span)))::float8 FROM unnest(ran) AS span),
        (SELECT extract(epoch FROM sum(upper(span) - lower(span)))::float8 FROM unnest(waited - ran) AS span)
    FROM (
        SELECT task_id, range_agg(tstzrange(began, ended)) AS ran,
            range_agg(tstzrange(ready, began)) AS waited
        FROM (
            SELECT attempt.task_id,
                attempt.started_at AS began, greatest(attempt.ended_at, attempt.started_at) AS ended,
                least(coalesce(lag(attempt.ended_at) OVER life, attempt.ready_at, attempt.queued_at),
                    attempt.started_at) AS ready
            FROM task_instance AS instance JOIN attempt USING (team_id, run_id, task_id, map_index)
            WHERE instance.run_id = %(run_id)s AND attempt.run_id = %(run_id)s
                AND attempt.started_at IS NOT NULL AND attempt.ended_at IS NOT NULL
                AND attempt.number > instance.attempts - failures - losses
                    - CASE WHEN instance.state IN {states.ENDED_WELL} THEN 1 ELSE 0 END
            WINDOW life AS (PARTITION BY attempt.task_id, attempt.map_index ORDER BY attempt.number)
        ) AS lived
        GROUP BY task_id
    ) AS spans
"""


def of_run(conn: Connection[Any], memory: Memory, run_id: str) -> list[wire.RunTask]:
    version, now = pinned(conn, memory, run_id)
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(BY_TASK, {"run_id": run_id}).fetchall()
        times = cursor.execute(TIMES, {"run_id": run_id}).fetchall()
    present = Present(conn)
    counted = {row[0]: at_present(present, *row[1:]) for row in rows}
    timed: dict[str, tuple[float | None, float | None]] = {row[0]: row[1:] for row in times}
    path = critical_path(
        {task.task_id: task.upstream for task in version.dag.tasks},
        {
            task_id: ended_at if settled(counts) else now
            for task_id, (counts, _, started_at, ended_at, *_) in counted.items()
            if started_at is not None
        },
    )
    bounds = {loop.path: loop.max_iterations for loop in version.dag.loops}
    nothing: tuple[Any, ...] = ({}, False, *[None] * 6, 0, None)
    return [
        run_task(
            task,
            bounds,
            task.task_id in path,
            timed.get(task.task_id, (None, None)),
            *counted.get(task.task_id, nothing),
        )
        for task in version.dag.tasks
    ]


def at_present(present: Present, *row: Any) -> tuple[Any, ...]:
    """Return the facts of a task, with the reason for which it waits now."""
    (
        *facts,
        blocked_reason,
        reason,
        waits_since,
        retry_at,
        failures,
        allowed,
        pool,
        slots,
        queue,
        executor,
    ) = row
    now = present.text(blocked_reason, pool, slots, queue, executor)
    return (*facts, now, reason, waits_since, retry_at, failures, allowed)


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
    bounds: Mapping[str, int],
    critical: bool,
    times: tuple[float | None, float | None],
    counts: dict[str, int],
    mapped: bool,
    started_at: datetime | None,
    ended_at: datetime | None,
    blocked_reason: str | None,
    reason: str | None,
    waits_since: datetime | None,
    retry_at: datetime | None,
    failures: int,
    allowed: int | None,
) -> wire.RunTask:
    ended_at = ended_at if settled(counts) else None
    worked_s, waited_s = (None, None) if ended_at is None else times
    took = None if started_at is None or ended_at is None else ended_at - started_at
    return wire.RunTask(
        task_id=task.task_id,
        upstream=list(task.upstream),
        mapped=mapped or task.mapping is not None or bool(task.loop),
        counts=counts,
        started_at=started_at,
        ended_at=ended_at,
        blocked_reason=words(blocked_reason),
        reason=words(reason),
        why=why(blocked_reason or reason),
        group=group_of(task),
        mapped_group=mapped_group_of(task),
        max_iterations=bounds.get(task.loop),
        label=label_of(task),
        kind=task.kind,
        trigger_rule=task.trigger_rule,
        setup=task.setup,
        teardown=task.teardown,
        doc=task.doc,
        pool=task.pool,
        critical=critical,
        duration_s=None if took is None else rounded_s(took.total_seconds()),
        waits_since=waits_since,
        retry_at=retry_at,
        failures=failures,
        retries=task.retries if allowed is None else allowed,
        worked_s=rounded_s(worked_s),
        waited_s=rounded_s(waited_s),
    )
