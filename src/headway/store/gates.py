"""The decisions of other runs about ready task instances (``core.gates``). No function commits.

Nothing is decided on what another transaction is about to change: the run before is locked against that, the count
of active ones by an advisory lock. Who finds one of them held looks again later, and never waits. What is seen under
the lock is read by a statement of its own, which sees all that was committed before.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import args_row

from headway.store import states
from headway.store.rows import rows


class Asking(msgspec.Struct, frozen=True):
    """A run that asks for the run before it."""

    team_id: int
    dag_id: str
    run_id: str
    logical_date: datetime
    backfill_id: str | None
    scheduled_only: bool  # runs that a person triggered do not count


class Previous(msgspec.Struct, frozen=True):
    """The run before ``asking``, if there is one. ``first``: ``asking`` is the first of its backfill."""

    asking: str
    first: bool
    run_id: str | None
    logical_date: datetime | None
    queued: bool | None  # it may have no task instances yet


class Part(msgspec.Struct, frozen=True):
    """The end of a task in a run: its instances, and the state of one that did not end well."""

    task_id: str
    instances: int
    state: str | None


# Of a backfill mostly the run before is one, too.
PREVIOUS: LiteralString = """
    SELECT asking.run_id,
        CASE WHEN asking.backfill_id IS NULL OR asking.backfill_id = previous.backfill_id THEN false
        ELSE NOT EXISTS (
            SELECT FROM run AS earlier WHERE earlier.team_id = asking.team_id
                AND earlier.backfill_id = asking.backfill_id AND earlier.logical_date < asking.logical_date
            OFFSET 0) END,
        previous.run_id, previous.logical_date, previous.state = 'queued'
    FROM json_to_recordset(%(rows)s::json) AS asking (
        team_id integer, dag_id text, run_id text, logical_date timestamptz, backfill_id text, scheduled_only boolean)
    LEFT JOIN LATERAL (
        SELECT run_id, logical_date, backfill_id, state FROM run
        WHERE run.team_id = asking.team_id AND run.dag_id = asking.dag_id
            AND run.logical_date < asking.logical_date AND (NOT asking.scheduled_only OR run.trigger <> 'manual')
        ORDER BY logical_date DESC, run_id LIMIT 1
    ) AS previous ON true
"""

HOLD: LiteralString = """
    SELECT found.team_id, found.run_id
    FROM unnest(%(teams)s::integer[], %(runs)s::text[]) AS wanted (team_id, run_id)
    CROSS JOIN LATERAL (
        SELECT team_id, run_id FROM run WHERE run.team_id = wanted.team_id AND run.run_id = wanted.run_id
        FOR SHARE SKIP LOCKED
    ) AS found
"""

PARTS: LiteralString = f"""
    SELECT wanted.task_id, found.instances, found.state
    FROM unnest(%(tasks)s::text[]) AS wanted (task_id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS instances, min(state) FILTER (WHERE state NOT IN {states.ENDED_WELL}) AS state
        FROM (
            SELECT state FROM task_instance AS instance
            WHERE instance.team_id = %(team_id)s AND instance.run_id = %(run_id)s
                AND instance.task_id = wanted.task_id
            OFFSET 0
        ) AS its
    ) AS found
"""

HAD_BEFORE: LiteralString = """
    SELECT EXISTS (
        SELECT FROM run CROSS JOIN LATERAL (
            SELECT FROM task_instance AS instance
            WHERE instance.team_id = run.team_id AND instance.run_id = run.run_id
                AND instance.task_id = %(task_id)s
            LIMIT 1
        ) AS known
        WHERE run.team_id = %(team_id)s AND run.dag_id = %(dag_id)s AND run.logical_date < %(before)s
    )
"""

# For one task of a DAG at a time, until the transaction ends.
TRY: LiteralString = """
    SELECT pg_try_advisory_xact_lock(hashtextextended(%(team_id)s::text || '/' || %(dag_id)s || '/' || %(task_id)s, 57))
"""

# What has a rank counts, too: it may be granted at any time.
ACTIVE: LiteralString = f"""
    SELECT count(*) FROM run CROSS JOIN LATERAL (
        SELECT FROM task_instance AS instance
        WHERE instance.team_id = run.team_id AND instance.run_id = run.run_id AND instance.task_id = %(task_id)s
            AND (instance.rank IS NOT NULL OR instance.state IN {states.LIVE_ATTEMPTS})
        OFFSET 0
    ) AS active
    WHERE run.team_id = %(team_id)s AND run.dag_id = %(dag_id)s AND run.state = 'running'
"""

# An empty report says no more than that the run is to be looked at. No run is locked for it.
WAKE: LiteralString = """
    INSERT INTO report (team_id, run_id, body)
    SELECT DISTINCT held.team_id, held.run_id, ''::bytea
    FROM json_to_recordset(%(rows)s::json) AS moved (team_id integer, dag_id text, run_id text)
    CROSS JOIN LATERAL (
        (SELECT instance.team_id, instance.run_id FROM task_instance AS instance
            WHERE instance.state = 'ready' AND instance.blocked_reason ->> 'kind' = 'awaits_past'
                AND instance.team_id = moved.team_id AND instance.blocked_reason ->> 'run' = moved.run_id
            OFFSET 0)
        UNION ALL
        (SELECT instance.team_id, instance.run_id FROM task_instance AS instance
            WHERE instance.state = 'ready' AND instance.blocked_reason ->> 'kind' = 'max_active_tis_per_dag'
                AND instance.team_id = moved.team_id AND instance.blocked_reason ->> 'dag' = moved.dag_id
            OFFSET 0)
    ) AS held
"""


def previous(conn: Connection[Any], asking: Sequence[Asking]) -> list[Previous]:
    with conn.cursor(row_factory=args_row(Previous)) as cursor:
        return cursor.execute(PREVIOUS, {"rows": rows(asking)}).fetchall()


def hold(conn: Connection[Any], runs: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Keep these runs as they are until the transaction ends. Returns those that nobody else is changing."""
    wanted = sorted(runs)
    values = {"teams": [team for team, _ in wanted], "runs": [run for _, run in wanted]}
    return {(team, run) for team, run in conn.execute(HOLD, values)}


def parts(conn: Connection[Any], team_id: int, run_id: str, tasks: Sequence[str]) -> list[Part]:
    values = {"team_id": team_id, "run_id": run_id, "tasks": list(tasks)}
    with conn.cursor(row_factory=args_row(Part)) as cursor:
        return cursor.execute(PARTS, values).fetchall()


def had_before(
    conn: Connection[Any], team_id: int, dag_id: str, task_id: str, before: datetime
) -> bool:
    """Return whether a run earlier than ``before`` has instances of the task."""
    values = {"team_id": team_id, "dag_id": dag_id, "task_id": task_id, "before": before}
    row = conn.execute(HAD_BEFORE, values).fetchone()
    return row is not None and bool(row[0])


def active(conn: Connection[Any], team_id: int, dag_id: str, task_id: str) -> int | None:
    """Return how many instances of the task are active over all runs; None: somebody else is adding to them."""
    values = {"team_id": team_id, "dag_id": dag_id, "task_id": task_id}
    row = conn.execute(TRY, values).fetchone()
    if row is None or not row[0]:
        return None
    row = conn.execute(ACTIVE, values).fetchone()
    return 0 if row is None else int(row[0])


def wake(conn: Connection[Any], moved: Sequence[dict[str, Any]]) -> int:
    """Have the runs looked at in which something waits for what has happened in these."""
    return conn.execute(WAKE, {"rows": rows(moved)}).rowcount
