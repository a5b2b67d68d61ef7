"""Queued runs that may start, and DAGs whose timetable is due. None of the functions commits.

Only the holder of the DAG's row starts its runs, so ``max_active_runs`` cannot be overstepped:
others only end runs meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import args_row

from headway.core.strategies import Strategy, why_held
from headway.core.waiting import Line
from headway.store import states, strategies
from headway.store.clock import clock
from headway.store.lanes import LANES

# Some of each team, one after another, from where the last look at the team ended, and at least one of every team: one
# with very many holds up no other. ``found``: how many the team has from there, up to the limit.
DAGS_WITH_QUEUED: LiteralString = """
    WITH RECURSIVE waiting AS (
        (SELECT team_id FROM dag WHERE has_queued ORDER BY team_id LIMIT 1)
        UNION ALL
        SELECT (SELECT next.team_id FROM dag AS next
            WHERE next.has_queued AND next.team_id > waiting.team_id ORDER BY next.team_id LIMIT 1)
        FROM waiting WHERE waiting.team_id IS NOT NULL
    ), chosen AS MATERIALIZED (
        SELECT next.* FROM waiting
        LEFT JOIN unnest(%(teams)s::integer[], %(dags)s::text[]) AS looked (team_id, dag_id)
            ON looked.team_id = waiting.team_id
        CROSS JOIN LATERAL (
            SELECT team_id, dag_id, row_number() OVER (ORDER BY dag_id) AS place, count(*) OVER () AS found FROM (
                SELECT team_id, dag_id FROM dag
                WHERE team_id = waiting.team_id AND has_queued AND paused_at IS NULL
                    AND dag_id > coalesce(looked.dag_id, '')
                ORDER BY dag_id LIMIT %(limit)s
            ) AS from_there
        ) AS next
        ORDER BY place, team_id LIMIT greatest(%(limit)s, (SELECT count(*) FROM waiting))
    )
    SELECT dag.team_id, dag.dag_id, run_strategy, place, found
    FROM chosen JOIN dag ON dag.team_id = chosen.team_id AND dag.dag_id = chosen.dag_id
    WHERE has_queued AND paused_at IS NULL
    ORDER BY dag.team_id, dag.dag_id
    FOR NO KEY UPDATE OF dag SKIP LOCKED
"""

# A lane for ordinary runs, which have no backfill, and one for each backfill, which has a limit of its own and does not
# count against the DAG's. Each is a stretch of an index, in its order; lanes without queued runs are not looked at.
STARTABLE: LiteralString = f"""
    WITH RECURSIVE asked AS MATERIALIZED (
        SELECT dag.team_id, dag.dag_id, dag.max_active_runs
        FROM unnest(%(teams)s::integer[], %(dags)s::text[]) AS given (team_id, dag_id)
        JOIN dag ON dag.team_id = given.team_id AND dag.dag_id = given.dag_id
    ), {LANES}
    SELECT next.* FROM asked CROSS JOIN LATERAL (
        SELECT team_id, run_id FROM run
        WHERE run.team_id = asked.team_id AND run.dag_id = asked.dag_id
            AND run.backfill_id IS NULL AND run.state = 'queued' AND run.set_aside IS NULL
            AND run.logical_date <= %(now)s
        ORDER BY backfill_id, logical_date, run_id
        LIMIT least(%(limit)s, greatest(0, asked.max_active_runs - (
            SELECT count(*) FROM run AS active
            WHERE active.team_id = asked.team_id AND active.dag_id = asked.dag_id
                AND active.backfill_id IS NULL AND active.state = 'running')))
    ) AS next
    UNION ALL
    SELECT next.* FROM lane
    JOIN backfill ON backfill.team_id = lane.team_id AND backfill.backfill_id = lane.backfill_id
    CROSS JOIN LATERAL (
        SELECT least(%(limit)s, greatest(0, backfill.max_active_runs - count(*))) AS places FROM run AS active
        WHERE active.team_id = lane.team_id AND active.dag_id = lane.dag_id
            AND active.backfill_id = lane.backfill_id AND active.state = 'running'
        OFFSET 0
    ) AS free
    CROSS JOIN LATERAL (
        (SELECT team_id, run_id FROM run
            WHERE NOT backfill.newest_first AND run.team_id = lane.team_id AND run.dag_id = lane.dag_id
                AND run.backfill_id = lane.backfill_id AND run.state = 'queued' AND run.set_aside IS NULL
                AND run.logical_date <= %(now)s
            ORDER BY logical_date, run_id LIMIT free.places)
        UNION ALL
        (SELECT team_id, run_id FROM run
            WHERE backfill.newest_first AND run.team_id = lane.team_id AND run.dag_id = lane.dag_id
                AND run.backfill_id = lane.backfill_id AND run.state = 'queued' AND run.set_aside IS NULL
                AND run.logical_date <= %(now)s
            ORDER BY logical_date DESC, run_id DESC LIMIT free.places)
    ) AS next
    WHERE backfill.paused_at IS NULL
"""

# Runs whose logical date lies in the future are for ``RING``.
FORGET_EMPTY: LiteralString = """
    UPDATE dag SET has_queued = false, next_start_at = (
        SELECT min(run.logical_date) FROM run
        WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id AND run.state = 'queued'
            AND run.set_aside IS NULL)
    WHERE (team_id, dag_id) IN (SELECT * FROM unnest(%(teams)s::integer[], %(dags)s::text[]))
        AND NOT EXISTS (
            SELECT FROM run
            WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id AND run.state = 'queued'
                AND run.set_aside IS NULL AND run.logical_date <= %(now)s
            OFFSET 0)
"""

RING: LiteralString = """
    UPDATE dag SET has_queued = true, next_start_at = NULL
    FROM (
        SELECT ctid FROM dag AS due WHERE due.next_start_at <= %(now)s
        ORDER BY next_start_at LIMIT %(limit)s
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS due
    WHERE dag.ctid = due.ctid
"""

# The longest due of each team, one after another: a team that catches up with years holds up no other.
DUE_DAGS: LiteralString = """
    WITH RECURSIVE timed AS (
        (SELECT team_id FROM dag WHERE next_fire_at IS NOT NULL AND paused_at IS NULL AND missing_since IS NULL
            ORDER BY team_id LIMIT 1)
        UNION ALL
        SELECT (SELECT team_id FROM dag
            WHERE next_fire_at IS NOT NULL AND paused_at IS NULL AND missing_since IS NULL
                AND dag.team_id > timed.team_id ORDER BY team_id LIMIT 1)
        FROM timed WHERE timed.team_id IS NOT NULL
    ), chosen AS MATERIALIZED (
        SELECT next.* FROM timed CROSS JOIN LATERAL (
            SELECT team_id, dag_id, next_fire_at, row_number() OVER (ORDER BY next_fire_at, dag_id) AS place FROM dag
            WHERE team_id = timed.team_id AND next_fire_at <= %(now)s AND paused_at IS NULL AND missing_since IS NULL
            ORDER BY next_fire_at, dag_id LIMIT %(limit)s
        ) AS next
        ORDER BY place, next_fire_at, team_id LIMIT greatest(%(limit)s, (SELECT count(*) FROM timed))
    )
    SELECT dag.team_id, dag.dag_id, version, greatest(last_fire, (
        SELECT done_until FROM airflow_dag AS past WHERE past.team_id = dag.team_id AND past.dag_id = dag.dag_id))
    FROM chosen JOIN dag ON dag.team_id = chosen.team_id AND dag.dag_id = chosen.dag_id
    WHERE dag.next_fire_at <= %(now)s AND paused_at IS NULL AND missing_since IS NULL
    ORDER BY chosen.place, chosen.next_fire_at, dag.team_id, dag.dag_id
    FOR NO KEY UPDATE OF dag SKIP LOCKED
"""

# DAGs whose next run begins when the last has ended, and which have no open run now.
CAN_GO_ON: LiteralString = """
    goes_on AND next_fire_at IS NULL AND paused_at IS NULL AND missing_since IS NULL
    AND NOT EXISTS (
        SELECT FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id AND run.backfill_id IS NULL
            AND run.state = 'queued' OFFSET 0)
    AND NOT EXISTS (
        SELECT FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id AND run.backfill_id IS NULL
            AND run.state = 'running' OFFSET 0)
"""

# One of each team after another, and in another order each time: runs that fail at once leave the others their turn.
GO_ON: LiteralString = f"""
    UPDATE dag SET next_fire_at = %(now)s
    FROM (
        SELECT dag.ctid FROM (
            SELECT team_id, dag_id, row_number() OVER (
                PARTITION BY team_id ORDER BY hashtextextended(dag_id, %(turn)s + team_id)) AS place
            FROM dag WHERE {CAN_GO_ON}
        ) AS chosen JOIN dag ON dag.team_id = chosen.team_id AND dag.dag_id = chosen.dag_id
        ORDER BY place LIMIT %(limit)s FOR NO KEY UPDATE OF dag SKIP LOCKED
    ) AS next
    WHERE dag.ctid = next.ctid
"""

HAS_OPEN_RUN: LiteralString = """
    SELECT EXISTS (
            SELECT FROM run WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND backfill_id IS NULL
                AND state = 'queued')
        OR EXISTS (
            SELECT FROM run WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND backfill_id IS NULL
                AND state = 'running')
"""

COMES_TO_AN_END: LiteralString = """
    UPDATE dag SET goes_on = false WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""

FIRES_DECIDED: LiteralString = """
    UPDATE dag SET last_fire = coalesce(%(last)s, last_fire), next_fire_at = %(next)s
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""


# What can go on without a wait's end: an attempt, a place in a pool, a place among the active runs.
# A queued run of a paused backfill waits for a person.
UNDER_WAY: LiteralString = f"""
    WITH RECURSIVE asked AS (SELECT team_id, dag_id FROM dag WHERE has_queued AND paused_at IS NULL), {LANES}
    SELECT EXISTS (
            SELECT FROM dag CROSS JOIN LATERAL (
                SELECT FROM run
                WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id AND run.state = 'queued'
                    AND run.backfill_id IS NULL AND run.set_aside IS NULL
                LIMIT 1
            ) AS first
            WHERE has_queued AND dag.paused_at IS NULL)
        OR EXISTS (
            SELECT FROM lane JOIN backfill USING (team_id, backfill_id) WHERE backfill.paused_at IS NULL)
        OR EXISTS (
            SELECT FROM pool CROSS JOIN LATERAL (
                SELECT FROM task_instance AS instance
                WHERE instance.team_id = pool.team_id AND instance.pool = pool.name
                    AND instance.rank IS NOT NULL
                ORDER BY instance.rank LIMIT 1
            ) AS next)
        OR EXISTS (
            SELECT FROM attempt CROSS JOIN LATERAL (
                SELECT FROM run
                WHERE run.team_id = attempt.team_id AND run.run_id = attempt.run_id
                    AND set_aside IS NULL
                OFFSET 0
            ) AS planned
            WHERE attempt.state IN {states.LIVE_ATTEMPTS})
"""


# Backfills stand in lines of their own, unless the DAG has a run strategy.
LINE: LiteralString = """
    SELECT paused_by, max_active_runs, run_strategy,
        (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
            AND state = 'running' AND backfill_id IS NULL),
        (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
            AND state = 'queued' AND backfill_id IS NULL AND logical_date <= %(now)s)
    FROM dag WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""


LINE_OF_BACKFILL: LiteralString = """
    SELECT backfill.max_active_runs, backfill.paused_by,
        (SELECT count(*) FROM run WHERE run.team_id = backfill.team_id AND run.dag_id = backfill.dag_id
            AND state = 'running' AND run.backfill_id = backfill.backfill_id)
    FROM backfill WHERE team_id = %(team_id)s AND backfill_id = %(backfill_id)s
"""


class DueDag(msgspec.Struct, frozen=True):
    """``last_fire``: the latest that has a run, here or in Airflow before the DAG moved."""

    team_id: int
    dag_id: str
    version: int
    last_fire: datetime | None


class Startable(NamedTuple):
    """``found``: queued runs that may start now, by team and run id; ``in_line``: DAGs with a run strategy, which
    decides for their runs; ``left``: by team the DAG behind which the next look goes on.
    """

    found: list[tuple[int, str]]
    in_line: list[tuple[int, str, Strategy]]
    left: dict[int, str]


def startable(
    conn: Connection[Any],
    *,
    after: Mapping[int, str],
    dags_max: int,
    runs_max: int,
    now: datetime,
) -> Startable:
    """Find what may start. The DAGs stay locked until the transaction ends.

    ``after``: by team the DAG behind which the look goes on, because DAGs whose runs must wait would hide those
    after them.
    """
    asked = {"teams": [*after], "dags": [*after.values()], "limit": dags_max}
    locked = conn.execute(DAGS_WITH_QUEUED, asked).fetchall()
    if not locked:
        return Startable([], [], {})
    rest = {}
    for team_id, dag_id, _, place, count in locked:
        rest[team_id] = dag_id if place < count or count == dags_max else None
    every = {"teams": [row[0] for row in locked], "dags": [row[1] for row in locked], "now": now}
    in_line = [
        (team_id, dag_id, Strategy(strategy))
        for team_id, dag_id, strategy, *_ in locked
        if strategy != Strategy.PARALLEL
    ]
    side_by_side = [row for row in locked if row[2] == Strategy.PARALLEL]
    values = {"teams": [row[0] for row in side_by_side], "dags": [row[1] for row in side_by_side]}
    asked = {**values, "limit": runs_max, "now": now}
    found = conn.execute(STARTABLE, asked).fetchall() if side_by_side else []
    if not found:
        conn.execute(FORGET_EMPTY, every)
    left = {team_id: dag_id for team_id, dag_id in rest.items() if dag_id is not None}
    return Startable([(team_id, run_id) for team_id, run_id in found], in_line, left)


def ring(conn: Connection[Any], now: datetime, limit: int) -> int:
    """Have DAGs looked at whose runs waited for their logical date. Returns how many."""
    return conn.execute(RING, {"now": now, "limit": limit}).rowcount


def is_under_way(conn: Connection[Any]) -> bool:
    """Return whether anything holds a slot or waits for one, or a queued run may start.

    Nothing else changes by itself but what the clock ends (``store.waits``).
    """
    row = conn.execute(UNDER_WAY).fetchone()
    return row is not None and bool(row[0])


def due_dags(conn: Connection[Any], now: datetime, limit: int) -> Sequence[DueDag]:
    """Lock DAGs whose timetable is due."""
    with conn.cursor(row_factory=args_row(DueDag)) as cursor:
        return cursor.execute(DUE_DAGS, {"now": now, "limit": limit}).fetchall()


def go_on(conn: Connection[Any], now: datetime, limit: int) -> None:
    """Have DAGs looked at whose next run begins when the last has ended, if it has."""
    turn = int(now.timestamp() * 1_000_000)
    conn.execute(GO_ON, {"now": now, "limit": limit, "turn": turn})


def has_open_run(conn: Connection[Any], dag: DueDag) -> bool:
    """Return whether a run of the DAG is queued or runs, but for those of backfills."""
    row = conn.execute(HAS_OPEN_RUN, {"team_id": dag.team_id, "dag_id": dag.dag_id}).fetchone()
    return row is not None and bool(row[0])


def comes_to_an_end(conn: Connection[Any], dag: DueDag) -> None:
    """Note that no run of the DAG follows the last one any more."""
    conn.execute(COMES_TO_AN_END, {"team_id": dag.team_id, "dag_id": dag.dag_id})


def fires_decided(
    conn: Connection[Any], dag: DueDag, last: datetime | None, next_at: datetime | None
) -> None:
    values = {"team_id": dag.team_id, "dag_id": dag.dag_id, "last": last, "next": next_at}
    conn.execute(FIRES_DECIDED, values)


class Waiting(NamedTuple):
    """A queued run, or one that would be created: then it has no id yet."""

    team_id: int
    dag_id: str
    logical_date: datetime
    run_id: str | None = None
    backfill_id: str | None = None


def line_of(conn: Connection[Any], run: Waiting) -> Line:
    """Return the line in which a queued run of an existing DAG stands."""
    now = clock(conn)
    values = {"team_id": run.team_id, "dag_id": run.dag_id, "now": now}
    found = conn.execute(LINE, values).fetchone()
    assert found is not None
    paused_by, limit, strategy, running, before = found
    line = Line(
        paused_by=paused_by,
        running=running,
        limit=limit,
        before=before,
        until=run.logical_date if run.logical_date > now else None,
    )
    if run.backfill_id is not None:
        line = in_backfill(conn, run.team_id, run.backfill_id, line)
    return line if strategy == Strategy.PARALLEL else one_by_one(conn, run, strategy, line, now)


def in_backfill(conn: Connection[Any], team_id: int, backfill_id: str, line: Line) -> Line:
    values = {"team_id": team_id, "backfill_id": backfill_id}
    found = conn.execute(LINE_OF_BACKFILL, values).fetchone()
    assert found is not None
    limit, paused_by, running = found
    return replace(
        line,
        running=running,
        limit=limit,
        before=0,
        backfill=running >= limit,
        backfill_paused_by=paused_by,
    )


def one_by_one(
    conn: Connection[Any], run: Waiting, strategy: str, line: Line, now: datetime
) -> Line:
    """Return the line where the run strategy decides, and no limit."""
    how = Strategy(strategy)
    found = strategies.line_for(conn, (run.team_id, run.dag_id, how), run.logical_date, now)
    return replace(line, running=0, backfill=False, held=why_held(how, found, run.run_id))
