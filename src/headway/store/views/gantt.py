"""A run on the axis of time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import args_row, tuple_row

from headway import wire
from headway.core import segments
from headway.core.segments import Life, Segment, Tried
from headway.core.states import State
from headway.core.wording import heading
from headway.store.views import expected, pages, runs
from headway.store.views.memory import Memory
from headway.store.views.present import Present
from headway.store.views.rounded import rounded_s
from headway.store.views.worded import why

# The first of the run, and all their attempts.
BARS: LiteralString = """
    SELECT task_id, map_index, rendered_map_index, state, attempts, ready_at, ended_at, blocked_reason::text,
        pool, pool_slots, queue, executor
    FROM task_instance
    WHERE run_id = %(run_id)s
    ORDER BY coalesce(ready_at, started_at, ended_at), task_id, map_index LIMIT %(limit)s
"""

ATTEMPTS: LiteralString = """
    SELECT task_id, map_index, number, state, ready_at, queued_at, started_at, ended_at, waited_for::text, deferrals
    FROM attempt WHERE run_id = %(run_id)s
    ORDER BY task_id, map_index, number LIMIT %(limit)s
"""

ATTEMPTS_MAX: Final = 50_000

OWNER: LiteralString = "SELECT team_id, now() FROM run WHERE run_id = %(run_id)s"

Key = tuple[str, int]


def of_run(conn: Connection[Any], memory: Memory, run_id: str, limit: int) -> wire.Gantt:
    limit = pages.capped(limit)
    run = runs.one(conn, run_id)
    with conn.cursor(row_factory=tuple_row) as cursor:
        owner = cursor.execute(OWNER, {"run_id": run_id}).fetchone()
        rows = cursor.execute(BARS, {"run_id": run_id, "limit": limit + 1}).fetchall()
    assert owner is not None
    team_id, now = owner
    usual = expected.by_task(conn, memory, team_id, run.dag_id)
    tried = attempts(conn, run_id)
    present = Present(conn)
    began_at = run.started_at or run.created_at
    shown = [
        (row, segments.segments(life(began_at, row, tried.get((row[0], row[1]), []), present)))
        for row in rows[:limit]
    ]
    waited = segments.waiting_by_reason((pieces for _, pieces in shown), run.ended_at or now)
    return wire.Gantt(
        run=run,
        now=now,
        bars=[bar(row, pieces, usual) for row, pieces in shown],
        waiting_by_reason=[wire.Waited(reason=name, total_s=total) for name, total in waited],
        truncated=len(rows) > limit,
    )


def attempts(conn: Connection[Any], run_id: str) -> dict[Key, list[Tried]]:
    found: dict[Key, list[Tried]] = {}
    with conn.cursor(row_factory=args_row(attempt_of_row)) as cursor:
        for key, tried in cursor.execute(ATTEMPTS, {"run_id": run_id, "limit": ATTEMPTS_MAX}):
            found.setdefault(key, []).append(tried)
    return found


def attempt_of_row(
    task_id: str,
    map_index: int,
    number: int,
    state: str,
    ready_at: datetime | None,
    queued_at: datetime,
    started_at: datetime | None,
    ended_at: datetime | None,
    waited_for: str | None,
    deferrals: int,
) -> tuple[Key, Tried]:
    return (task_id, map_index), Tried(
        number=number,
        state=state,
        ready_at=ready_at,
        queued_at=queued_at,
        started_at=started_at,
        ended_at=ended_at,
        waited_for=why(waited_for),
        deferrals=deferrals,
    )


def life(began_at: datetime, row: tuple[Any, ...], tried: list[Tried], present: Present) -> Life:
    _, _, _, state, _, ready_at, ended_at, blocked_reason, *line = row
    return Life(
        state=State(state),
        began_at=began_at,
        ready_at=ready_at,
        ended_at=ended_at,
        blocked_reason=why(present.text(blocked_reason, *line)),
        attempts=tried,
    )


def bar(row: tuple[Any, ...], pieces: list[Segment], usual: Mapping[str, float]) -> wire.Bar:
    task_id, map_index, name, state, attempts, *_ = row
    return wire.Bar(
        task_id=task_id,
        map_index=map_index,
        rendered_map_index=name,
        state=state,
        attempts=attempts,
        segments=[
            wire.Segment(
                kind=each.kind,
                reason=None if each.reason is None else heading(each.reason),
                start=each.start,
                end=each.end,
                attempt=each.attempt,
                state=each.state,
                wait=each.wait,
                why=each.reason,
            )
            for each in pieces
        ],
        expected_s=rounded_s(usual.get(task_id)),
    )
