"""Users of each pool's slots, and what waits and why. Limited by current activity."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.core.stored_reasons import stored
from headway.core.strategies import Strategy, why_first_held
from headway.core.waiting import Line, why_queued
from headway.core.wording import said
from headway.store import states, strategies
from headway.store.clock import clock
from headway.store.views import pools, shares, stuck
from headway.store.views.present import Present

USERS_MAX: Final = 20  # of a pool
WAITING_MAX: Final = 20_000  # of a pool, whose reasons are counted
RUNS_MAX: Final = 100

# Attempts that are live are never more than there are slots.
USERS: LiteralString = f"""
    SELECT pool, dag_id, run_id, sum(pool_slots)::integer AS used
    FROM attempt
    CROSS JOIN LATERAL (
        SELECT pool, pool_slots FROM task_instance AS instance
        WHERE instance.team_id = attempt.team_id AND instance.run_id = attempt.run_id
            AND instance.task_id = attempt.task_id AND instance.map_index = attempt.map_index
    ) AS held
    JOIN run USING (team_id, run_id)
    WHERE attempt.state IN {states.LIVE_ATTEMPTS}
    GROUP BY pool, dag_id, run_id
    ORDER BY used DESC, run_id
"""

QUEUES: LiteralString = """
    SELECT pool.name, reason::text, needed, queue, executor, count(*) AS count, min(ready_at) AS since
    FROM pool CROSS JOIN LATERAL (
        SELECT coalesce(blocked_reason, '{"kind": "not_seen"}') AS reason, pool_slots AS needed, queue, executor,
            ready_at
        FROM task_instance AS instance
        WHERE instance.team_id = pool.team_id AND instance.pool = pool.name AND rank IS NOT NULL
        ORDER BY rank LIMIT %(limit)s
    ) AS waiting
    GROUP BY pool.name, reason, needed, queue, executor
"""

RUNS: LiteralString = """
    SELECT team_id, dag_id, run_strategy, waiting.queued, next_start_at, paused_by, max_active_runs, waiting.running,
        waiting.backfill, waiting.backfill_paused_by
    FROM dag CROSS JOIN LATERAL (
        SELECT
            (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
                AND state = 'queued') AS queued,
            NOT EXISTS (SELECT FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
                AND state = 'queued' AND backfill_id IS NULL) AS backfill,
            (SELECT min(backfill.paused_by) FROM backfill
                WHERE backfill.team_id = dag.team_id AND backfill.dag_id = dag.dag_id AND EXISTS (
                    SELECT FROM run WHERE run.team_id = backfill.team_id AND run.dag_id = backfill.dag_id
                        AND run.backfill_id = backfill.backfill_id AND run.state = 'queued' OFFSET 0)
                HAVING bool_and(backfill.paused_at IS NOT NULL)) AS backfill_paused_by,
            (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
                AND state = 'running' AND backfill_id IS NULL) AS running
    ) AS waiting
    WHERE (has_queued OR next_start_at IS NOT NULL) AND waiting.queued > 0
    ORDER BY waiting.queued DESC, dag_id LIMIT %(limit)s
"""


def now(conn: Connection[Any], platform_admin: int | None = None) -> wire.Slots:
    """Return what uses slots and what waits. ``platform_admin``: the person who may see all teams, or None."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        users = cursor.execute(USERS).fetchall()
        queues = queues_now(conn, cursor.execute(QUEUES, {"limit": WAITING_MAX}).fetchall())
    return wire.Slots(
        pools=[with_users(pool, users, queues) for pool in pools.every(conn)],
        runs_waiting=waiting_runs(conn),
        team=shares.own(conn),
        stuck=stuck.every(conn, clock(conn)),
        capacity=shares.capacity(conn),
        teams=[] if platform_admin is None else shares.every(conn, platform_admin),
    )


def queues_now(
    conn: Connection[Any], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[str, str, int, datetime]]:
    """Return pool, reason as it is now, how many wait for it, and since when the first; the most first."""
    present = Present(conn)
    found: dict[tuple[str, str], tuple[int, datetime]] = {}
    for pool, text, needed, queue, executor, count, since in rows:
        key = pool, present.text(text, pool, needed, queue, executor) or text
        before, first = found.get(key, (0, since))
        found[key] = before + count, min(first, since)
    queues = [(*key, count, since) for key, (count, since) in found.items()]
    return sorted(queues, key=lambda each: (-each[2], each[1]))


def with_users(
    pool: wire.Pool,
    users: Sequence[tuple[Any, ...]],
    queues: Sequence[tuple[str, str, int, datetime]],
) -> wire.PoolSlots:
    mine = [
        wire.SlotUser(dag_id=dag_id, run_id=run_id, used=used)
        for name, dag_id, run_id, used in users
        if name == pool.name
    ]
    return wire.PoolSlots(
        name=pool.name,
        slots=pool.slots,
        used=pool.used,
        waiting=pool.waiting,
        allotted=pool.allotted,
        lent_to=pool.lent_to,
        users=mine[:USERS_MAX],
        queue=[
            wire.SlotQueue(reason=said(stored(text)), count=count, since=since, why=stored(text))
            for name, text, count, since in queues
            if name == pool.name
        ],
    )


def waiting_runs(conn: Connection[Any]) -> list[wire.WaitingRuns]:
    """Return how many runs of each DAG are queued, and why the first of them is."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(RUNS, {"limit": RUNS_MAX}).fetchall()
    asking = [
        (team_id, dag_id, Strategy(strategy))
        for team_id, dag_id, strategy, *_ in rows
        if strategy != Strategy.PARALLEL
    ]
    held = {}
    if asking:
        lines = strategies.lines(conn, asking, clock(conn))
        held = {key: why_first_held(key[2], lines[key[:2]]) for key in asking}
    found = []
    for team_id, dag_id, strategy, queued, *facts in rows:
        line = line_of(*facts)
        if strategy != Strategy.PARALLEL:
            why = held[team_id, dag_id, Strategy(strategy)]
            line = replace(line, running=0, backfill=False, held=why)
        why = why_queued(line)
        found.append(wire.WaitingRuns(dag_id=dag_id, queued=queued, reason=said(why), why=why))
    return found


def line_of(
    until: datetime | None,
    paused_by: str | None,
    limit: int,
    running: int,
    backfill: bool,
    backfill_paused_by: str | None,
) -> Line:
    return Line(
        until=until,
        paused_by=paused_by,
        running=running,
        limit=limit,
        backfill=backfill,
        backfill_paused_by=backfill_paused_by if backfill else None,
    )
