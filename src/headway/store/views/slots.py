"""Users of each pool's slots, and what waits and why. Limited by current activity."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.core.reasons import stored
from headway.core.waiting import Line, why_queued
from headway.core.wording import said
from headway.store import states
from headway.store.views import pools, shares

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
    SELECT pool.name, reason::text, count(*) AS count
    FROM pool CROSS JOIN LATERAL (
        SELECT coalesce(blocked_reason, '{"kind": "not_seen"}') AS reason FROM task_instance AS instance
        WHERE instance.team_id = pool.team_id AND instance.pool = pool.name AND rank IS NOT NULL
        ORDER BY rank LIMIT %(limit)s
    ) AS waiting
    GROUP BY pool.name, reason
    ORDER BY count DESC, reason
"""

RUNS: LiteralString = """
    SELECT dag_id, waiting.queued, paused_by, max_active_runs, waiting.running,
        waiting.backfill
    FROM dag CROSS JOIN LATERAL (
        SELECT
            (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
                AND state = 'queued') AS queued,
            NOT EXISTS (SELECT FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
                AND state = 'queued' AND backfill_id IS NULL) AS backfill,
            (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
                AND state = 'running' AND backfill_id IS NULL) AS running
    ) AS waiting
    WHERE has_queued AND waiting.queued > 0
    ORDER BY waiting.queued DESC, dag_id LIMIT %(limit)s
"""


def now(conn: Connection[Any], platform_admin: int | None = None) -> wire.Slots:
    """Return what uses slots and what waits. ``platform_admin``: the person who may see all teams, or None."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        users = cursor.execute(USERS).fetchall()
        queues = cursor.execute(QUEUES, {"limit": WAITING_MAX}).fetchall()
        runs = cursor.execute(RUNS, {"limit": RUNS_MAX}).fetchall()
    return wire.Slots(
        pools=[with_users(pool, users, queues) for pool in pools.every(conn)],
        runs_waiting=[waiting_runs(*row) for row in runs],
        team=shares.own(conn),
        capacity=shares.capacity(conn),
        teams=[] if platform_admin is None else shares.every(conn, platform_admin),
    )


def with_users(
    pool: wire.Pool, users: Sequence[tuple[Any, ...]], queues: Sequence[tuple[Any, ...]]
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
        users=mine[:USERS_MAX],
        queue=[
            wire.SlotQueue(reason=said(stored(text)), count=count, why=stored(text))
            for name, text, count in queues
            if name == pool.name
        ],
    )


def waiting_runs(
    dag_id: str, queued: int, paused_by: str | None, limit: int, running: int, backfill: bool
) -> wire.WaitingRuns:
    line = Line(paused_by=paused_by, running=running, limit=limit, backfill=backfill)
    why = why_queued(line)
    return wire.WaitingRuns(dag_id=dag_id, queued=queued, reason=said(why), why=why)
