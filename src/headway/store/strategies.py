"""The lines in which the runs of DAGs with a run strategy stand (``core.strategies``). No function commits.

Only the holder of a DAG's row decides on what is read here: others only end runs meanwhile.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection

from headway.core.states import RunState
from headway.core.strategies import Line, Other, Strategy
from headway.core.triggers import Trigger
from headway.store.lanes import LANES
from headway.store.states import listed

SKIPPED_MAX: Final = 200  # runs of one DAG that one look has skipped

Key = tuple[int, str]
Asking = tuple[int, str, Strategy]  # a DAG

UNASKED: LiteralString = listed({Trigger.SCHEDULE, Trigger.ASSET})
PASSED_BY: LiteralString = listed({RunState.CANCELLED, RunState.SKIPPED})

# Nobody asked for it, and it has never started: what has started has task instances.
MAY_BE_SKIPPED: LiteralString = f"""(run.trigger IN {UNASKED} AND NOT EXISTS (
    SELECT FROM task_instance AS its WHERE its.team_id = run.team_id AND its.run_id = run.run_id OFFSET 0))"""
QUEUED: LiteralString = """
    run.team_id = line.team_id AND run.dag_id = line.dag_id AND run.state = 'queued' AND run.set_aside IS NULL
        AND run.logical_date <= %(now)s"""

# The next run of each backfill: the index has them by lane, so that a long one is not read as a whole.
FILLED: LiteralString = f"""FROM lane
    JOIN backfill ON backfill.team_id = lane.team_id AND backfill.backfill_id = lane.backfill_id
    CROSS JOIN LATERAL (
        SELECT run_id, logical_date, state, true FROM run WHERE {QUEUED} AND backfill_id = lane.backfill_id
        ORDER BY logical_date, run_id LIMIT 1
    ) AS first
    WHERE lane.team_id = line.team_id AND lane.dag_id = line.dag_id AND backfill.paused_at IS NULL"""

LINES: LiteralString = f"""
    WITH RECURSIVE asked AS MATERIALIZED (
        SELECT * FROM unnest(%(teams)s::integer[], %(dags)s::text[], %(skips)s::boolean[])
            AS given (team_id, dag_id, skips)
    ), {LANES}
    SELECT line.team_id, line.dag_id, found.*
    FROM asked AS line
    CROSS JOIN LATERAL (
        (SELECT 'active', run_id, logical_date, state, backfill_id IS NOT NULL FROM run
            WHERE run.team_id = line.team_id AND run.dag_id = line.dag_id AND run.state = 'running'
            ORDER BY backfill_id IS NOT NULL, logical_date, run_id LIMIT 1)
        UNION ALL
        (SELECT 'asked', first.* FROM (
            (SELECT run_id, logical_date, state, false FROM run
                WHERE {QUEUED} AND backfill_id IS NULL AND NOT (line.skips AND {MAY_BE_SKIPPED})
                ORDER BY backfill_id, logical_date, run_id LIMIT 1)
            UNION ALL
            (SELECT first.* {FILLED} AND NOT line.skips)
        ) AS first ORDER BY logical_date, run_id LIMIT 1)
        UNION ALL
        (SELECT 'filled', first.* {FILLED} AND line.skips ORDER BY first.logical_date, first.run_id LIMIT 1)
        UNION ALL
        (SELECT 'unasked', run_id, logical_date, state, false FROM run
            WHERE line.skips AND {QUEUED} AND backfill_id IS NULL AND {MAY_BE_SKIPPED}
            ORDER BY backfill_id, logical_date, run_id LIMIT %(limit)s)
    ) AS found
"""

# Of several runs for one date the newest counts: it repeats the others.
BEFORE: LiteralString = f"""
    SELECT asking.team_id, asking.dag_id, before.*
    FROM unnest(%(teams)s::integer[], %(dags)s::text[], %(dates)s::timestamptz[]) AS asking (team_id, dag_id, date)
    CROSS JOIN LATERAL (
        SELECT run_id, logical_date, state, backfill_id IS NOT NULL FROM run
        WHERE run.team_id = asking.team_id AND run.dag_id = asking.dag_id AND run.logical_date < asking.date
            AND run.state NOT IN {PASSED_BY}
        ORDER BY logical_date DESC, created_at DESC LIMIT 1
    ) AS before
"""


def lines(conn: Connection[Any], asking: Sequence[Asking], now: datetime) -> dict[Key, Line]:
    """Return the line of each of these DAGs, with the run before the one that comes first."""
    found = standing(conn, asking, now)
    firsts = {
        (team_id, dag_id): line.asked.logical_date
        for team_id, dag_id, strategy in asking
        if strategy is Strategy.STRICT_SEQUENTIAL
        and (line := found[team_id, dag_id]).asked is not None
        and line.asked is not None
    }
    for key, before in runs_before(conn, firsts).items():
        found[key] = replace(found[key], before=before)
    return found


def line_for(conn: Connection[Any], asking: Asking, date: datetime, now: datetime) -> Line:
    """Return the line as a run for this date sees it."""
    key = asking[:2]
    line = standing(conn, [asking], now)[key]
    return replace(line, before=runs_before(conn, {key: date}).get(key))


def standing(conn: Connection[Any], asking: Sequence[Asking], now: datetime) -> dict[Key, Line]:
    values = {
        "teams": [team_id for team_id, _, _ in asking],
        "dags": [dag_id for _, dag_id, _ in asking],
        "skips": [strategy.skips for _, _, strategy in asking],
        "now": now,
        "limit": SKIPPED_MAX + 1,
    }
    parts: dict[Key, dict[str, list[Other]]] = {key[:2]: {} for key in asking}
    for team_id, dag_id, part, *run in conn.execute(LINES, values):
        parts[team_id, dag_id].setdefault(part, []).append(Other(*run))
    return {key: line_of(found) for key, found in parts.items()}


def line_of(parts: dict[str, list[Other]]) -> Line:
    unasked = parts.pop("unasked", [])
    ones = {part: found[0] for part, found in parts.items()}
    return Line(unasked=unasked, more=len(unasked) > SKIPPED_MAX, **ones)


def runs_before(conn: Connection[Any], dates: dict[Key, datetime]) -> dict[Key, Other]:
    if not dates:
        return {}
    values = {
        "teams": [team_id for team_id, _ in dates],
        "dags": [dag_id for _, dag_id in dates],
        "dates": list(dates.values()),
    }
    found = conn.execute(BEFORE, values)
    return {(team_id, dag_id): Other(*run) for team_id, dag_id, *run in found}
