"""Reads and writes of runs. Every function takes a connection; none commits."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import args_row, scalar_row

from headway.core.graph import Node
from headway.core.reasons import Reason
from headway.core.triggers import Trigger
from headway.store import states
from headway.store.rows import rows


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run to create, pinned to what its DAG is now unless it says to what.

    ``run_key`` is unique within the DAG, forever.
    """

    team_id: int
    run_id: str
    dag_id: str
    run_key: str
    trigger: Trigger
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    created_by: str
    params: dict[str, Any] = {}
    backfill_id: str | None = None
    version: int | None = None
    bundle_version: str | None = None
    note: str | None = None
    partition: str | None = None


class KnownRun(msgspec.Struct, frozen=True):
    """A run that a date has already."""

    run_key: str
    run_id: str
    state: str


class Claimed(msgspec.Struct, frozen=True):
    """A run locked by this transaction, as far as a tick and a grant need it."""

    team_id: int
    run_id: str
    dag_id: str
    version: int
    bundle_version: str
    trigger: str
    backfill_id: str | None
    state: str
    revision: int
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    partition: str | None
    params: str
    due_at: datetime | None
    cancelled_by: str | None
    started_at: datetime | None
    paused_by: str | None
    team: str
    has_report: bool
    shares: bool = False  # its team shares slots with others
    tasks_max: int | None = None  # the limit of its team for one run

    @property
    def key(self) -> tuple[int, str]:
        return self.team_id, self.run_id


# The DAG row is locked first: admission, which clears has_queued, cannot miss a run.
ANNOUNCE: LiteralString = """
    UPDATE dag SET has_queued = true
    WHERE (team_id, dag_id) IN (
        SELECT team_id, dag_id FROM dag
        WHERE team_id = %(team_id)s AND dag_id = ANY(%(dags)s)
        ORDER BY team_id, dag_id
        FOR NO KEY UPDATE
    )
"""

# Before the run is locked: the order is DAGs, then runs.
ANNOUNCE_AGAIN: LiteralString = """
    UPDATE dag SET has_queued = true
    WHERE team_id = %(team_id)s
        AND dag_id = (SELECT dag_id FROM run WHERE team_id = %(team_id)s AND run_id = %(run_id)s)
"""

# What is asked for at once was created in the order asked: the latest is the last of them. A canary has no history.
CREATE: LiteralString = """
    WITH wanted AS MATERIALIZED (
        SELECT * FROM ROWS FROM (json_to_recordset(%(rows)s::json) AS (
            team_id integer, run_id text, dag_id text, run_key text, trigger text, backfill_id text,
            logical_date timestamptz, interval_start timestamptz, interval_end timestamptz,
            params json, created_by text, version integer, bundle_version text, note text, partition text)
        ) WITH ORDINALITY AS wanted (team_id, run_id, dag_id, run_key, trigger, backfill_id,
            logical_date, interval_start, interval_end, params, created_by, version, bundle_version,
            note, partition, place)
    ), created AS (
        INSERT INTO run (team_id, run_id, dag_id, version, bundle_version, run_key, trigger, backfill_id,
            logical_date, interval_start, interval_end, params, created_by, note, partition, created_at)
        SELECT wanted.team_id, run_id, wanted.dag_id, coalesce(wanted.version, dag.version),
            coalesce(wanted.bundle_version, dag.bundle_version), run_key, trigger, backfill_id,
            logical_date, interval_start, interval_end, params, created_by, note, partition,
            %(now)s - (count(*) OVER () - place) * interval '1 microsecond'
        FROM wanted JOIN dag ON dag.team_id = wanted.team_id AND dag.dag_id = wanted.dag_id
        ON CONFLICT ON CONSTRAINT one_run_for_a_key DO NOTHING
        RETURNING team_id, run_id, dag_id, version, trigger, created_by, note
    ), history AS (
        INSERT INTO event (team_id, at, subject, dag_id, run_id, version, name, state, actor, reason)
        SELECT team_id, %(now)s, 'run', dag_id, run_id, version, 'create', 'queued', created_by,
            jsonb_build_object('kind', 'created', 'trigger', trigger, 'note', note)
        FROM created WHERE dag_id <> '~canary'
    )
    SELECT run_id FROM created
"""

BY_KEY: LiteralString = """
    SELECT run_key, run_id FROM run
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND run_key = ANY(%(keys)s)
"""

KNOWN: LiteralString = """
    SELECT run_key, run_id, state FROM run
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND run_key = ANY(%(keys)s)
"""

ADOPT: LiteralString = """
    UPDATE run SET backfill_id = %(backfill_id)s, revision = revision + 1
    WHERE team_id = %(team_id)s AND run_id = ANY(%(runs)s)
"""

# Where slots are shared (``sharing``) a team is shown what its share has room for. One that has all its slots is shown
# the first that waits, so that a tick says that it is short.
CLAIM: LiteralString = """
    WITH wanted AS MATERIALIZED (
        SELECT * FROM unnest(%(teams)s::integer[], %(runs)s::text[]) AS named (team_id, run_id)
        UNION (
            SELECT team_id, run_id FROM run WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(due_max)s
        )
        UNION (
            SELECT team_id, run_id FROM report GROUP BY team_id, run_id LIMIT %(due_max)s
        )
        UNION (
            SELECT next.team_id, next.run_id
            FROM unnest(%(of_teams)s::integer[], %(executors)s::text[], %(queues)s::text[], %(free)s::integer[])
                AS offer (team_id, executor, queue, places)
            JOIN pool ON pool.team_id = offer.team_id
            CROSS JOIN LATERAL (
                SELECT team_id, run_id FROM task_instance AS instance
                WHERE instance.team_id = pool.team_id AND instance.pool = pool.name
                    AND instance.queue = offer.queue AND instance.executor = offer.executor
                    AND instance.rank IS NOT NULL AND instance.pool_slots <= pool.slots
                ORDER BY instance.rank
                LIMIT least(offer.places, greatest(0, coalesce(pool.allotted, pool.slots) - pool.used + %(ending)s),
                    CASE WHEN %(sharing)s THEN (
                        SELECT greatest(CASE WHEN short THEN 0 ELSE 1 END,
                            least(allotted, fair) - used + %(ending)s)
                        FROM share WHERE share.team_id = offer.team_id AND allotted IS NOT NULL) END)
            ) AS next
        )
    )
    SELECT locked.*, dag.paused_by, team.name,
        EXISTS (SELECT FROM report
                WHERE report.team_id = wanted.team_id AND report.run_id = wanted.run_id),
        share.allotted IS NOT NULL, (team.limits ->> 'run_tasks')::integer
    FROM wanted
    CROSS JOIN LATERAL (
        SELECT team_id, run_id, dag_id, version, bundle_version, trigger, backfill_id, state, revision,
            logical_date, interval_start, interval_end, partition, params::text, due_at, cancelled_by, started_at
        FROM run
        WHERE run.team_id = wanted.team_id AND run.run_id = wanted.run_id AND set_aside IS NULL
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS locked
    JOIN dag ON dag.team_id = locked.team_id AND dag.dag_id = locked.dag_id
    JOIN team ON team.team_id = locked.team_id
    JOIN share ON share.team_id = locked.team_id
"""

READ: LiteralString = """
    SELECT run.team_id, run_id, run.dag_id, run.version, run.bundle_version, trigger, backfill_id, state, revision,
        logical_date, interval_start, interval_end, partition, params::text, due_at, cancelled_by, started_at,
        dag.paused_by, team.name, false
    FROM run
    JOIN dag ON dag.team_id = run.team_id AND dag.dag_id = run.dag_id
    JOIN team ON team.team_id = run.team_id
    WHERE run.team_id = %(team_id)s AND run_id = %(run_id)s
"""

LOCK: LiteralString = f"{READ} FOR NO KEY UPDATE OF run"

# Without ranks: its ready task instances would stand first in the pools' order for ever.
SET_ASIDE: LiteralString = f"""
    WITH unranked AS (
        UPDATE task_instance SET rank = NULL, blocked_reason = %(reason)s::jsonb
        WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND state = 'ready'
    ), aside AS (
        UPDATE run SET set_aside = %(error)s, reason = %(reason)s::jsonb, due_at = NULL, revision = revision + 1,
            times_set_aside = times_set_aside + 1, set_aside_until = %(until)s
        WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND state IN {states.SET_ASIDE_FROM}
        RETURNING team_id, dag_id, run_id, state
    ), history AS (
        INSERT INTO event (team_id, at, subject, dag_id, run_id, name, state, actor, reason)
        SELECT team_id, %(now)s, 'run', dag_id, run_id, 'set_aside', state, 'scheduler',
            jsonb_build_object('kind', 'set_aside', 'error', %(error)s::text) FROM aside WHERE dag_id <> '~canary'
    )
    SELECT pg_notify('headway_run', run_id) FROM aside
"""

# Why its ready task instances wait is to be said anew.
TAKE_BACK: LiteralString = """
    WITH back AS (
        UPDATE run SET set_aside = NULL, reason = NULL, set_aside_until = NULL, revision = revision + 1,
            times_set_aside = CASE WHEN %(anew)s THEN 0 ELSE times_set_aside END
        WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND set_aside IS NOT NULL
        RETURNING team_id, dag_id, run_id, state
    ), unblocked AS (
        UPDATE task_instance SET blocked_reason = NULL
        FROM back WHERE task_instance.team_id = back.team_id AND task_instance.run_id = back.run_id
            AND task_instance.state = 'ready'
    )
    INSERT INTO event (team_id, at, subject, dag_id, run_id, name, state, actor)
    SELECT team_id, %(now)s, 'run', dag_id, run_id, 'take_back', state, %(actor)s FROM back WHERE dag_id <> '~canary'
"""

# No attempt is live, so nobody holds a slot of the pool that a task instance leaves.
REPIN: LiteralString = """
    WITH pinned AS (
        UPDATE run SET version = %(version)s, bundle_version = %(bundle_version)s, params = %(params)s::json,
            first_version = coalesce(first_version, version),
            first_bundle_version = coalesce(first_bundle_version, bundle_version),
            repinned_at = %(now)s, repinned_by = %(actor)s
        WHERE team_id = %(team_id)s AND run_id = %(run_id)s
    )
    UPDATE task_instance AS instance SET
        pool = task.pool, pool_slots = task.pool_slots, queue = task.queue, executor = task.executor
    FROM json_to_recordset(%(rows)s::json)
        AS task (task_id text, pool text, pool_slots integer, queue text, executor text)
    WHERE instance.team_id = %(team_id)s AND instance.run_id = %(run_id)s AND instance.task_id = task.task_id
        AND (instance.pool, instance.pool_slots, instance.queue, instance.executor)
            IS DISTINCT FROM (task.pool, task.pool_slots, task.queue, task.executor)
"""

TIMES_SET_ASIDE: LiteralString = """
    SELECT times_set_aside FROM run WHERE team_id = %(team_id)s AND run_id = %(run_id)s
"""

TO_RETRY: LiteralString = """
    SELECT team_id, run_id FROM run WHERE set_aside_until <= %(now)s ORDER BY set_aside_until, run_id LIMIT %(limit)s
"""

RETRY_ALL: LiteralString = """
    UPDATE run SET set_aside_until = %(now)s
    FROM (
        SELECT ctid FROM run AS known WHERE set_aside_until > %(now)s
        ORDER BY set_aside_until LIMIT %(limit)s
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS paused
    WHERE run.ctid = paused.ctid
"""

# A pause or its end concerns the ready instances of the runs that are going on.
# In an order that the primary key does not have, or a plan would read it from end to end for that.
LOCK_RUNNING: LiteralString = """
    SELECT FROM run
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND state = 'running'
    ORDER BY run_id COLLATE "C"
    FOR NO KEY UPDATE
"""

ALARM_DAG: LiteralString = """
    UPDATE run SET due_at = least(due_at, %(now)s)
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND state = 'running' AND set_aside IS NULL
"""

ALARM: LiteralString = """
    UPDATE run SET due_at = least(due_at, %(now)s)
    FROM (
        SELECT ctid FROM run AS known WHERE known.team_id = %(team_id)s AND known.run_id = %(run_id)s OFFSET 0
    ) AS found
    WHERE run.ctid = found.ctid AND run.state = 'running' AND run.set_aside IS NULL
"""

WAKE_SCHEDULERS: LiteralString = "SELECT pg_notify('headway_scheduler', '')"


def create(conn: Connection[Any], wanted: Sequence[NewRun], now: datetime) -> set[str]:
    """Create runs of one team; answers with the ids of those that are new. The others' keys exist
    already.

    Unknown DAGs are left out: the caller has looked them up.
    """
    if not wanted:
        return set()
    conn.execute(
        ANNOUNCE, {"team_id": wanted[0].team_id, "dags": sorted({run.dag_id for run in wanted})}
    )
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(CREATE, {"rows": rows(wanted), "now": now}).fetchall())


def by_key(
    conn: Connection[Any], team_id: int, dag_id: str, keys: Collection[str]
) -> dict[str, str]:
    """Run ids by run key."""
    found = conn.execute(BY_KEY, {"team_id": team_id, "dag_id": dag_id, "keys": list(keys)})
    return dict(found.fetchall())


def known(
    conn: Connection[Any], team_id: int, dag_id: str, keys: Collection[str]
) -> list[KnownRun]:
    """Return the runs that exist for these keys."""
    with conn.cursor(row_factory=args_row(KnownRun)) as cursor:
        found = cursor.execute(KNOWN, {"team_id": team_id, "dag_id": dag_id, "keys": list(keys)})
        return found.fetchall()


def adopt(conn: Connection[Any], team_id: int, backfill_id: str, run_ids: Sequence[str]) -> None:
    """Let locked runs count to a backfill, and to its limit."""
    values = {"team_id": team_id, "backfill_id": backfill_id, "runs": list(run_ids)}
    conn.execute(ADOPT, values)


def claim(
    conn: Connection[Any],
    named: Collection[tuple[int, str]],
    now: datetime,
    *,
    due_max: int,
    offers: Mapping[tuple[int, str, str], int],
    ending: int,
    sharing: bool = True,
) -> list[Claimed]:
    """Lock the named runs, those whose timer is due, and those whose ready task instances come
    next.

    Those that another transaction holds are left out. ``offers``: how many more attempts the
    caller can start, by team, executor and queue; ``ending``: how many attempts this tick is about to end;
    ``sharing``: teams may share slots. False where they do costs nothing but runs that are locked for nothing.
    """
    wanted = sorted(named)  # in one order in every process, whatever a set makes of it
    values = {
        "teams": [team for team, _ in wanted],
        "runs": [run for _, run in wanted],
        "now": now,
        "due_max": due_max,
        "of_teams": [team for team, _, _ in offers],
        "executors": [executor for _, executor, _ in offers],
        "queues": [queue for _, _, queue in offers],
        "free": list(offers.values()),
        "ending": ending,
        "sharing": sharing,
    }
    with conn.cursor(row_factory=args_row(Claimed)) as cursor:
        return sorted(cursor.execute(CLAIM, values), key=lambda row: row.key)


def lock(conn: Connection[Any], team_id: int, run_id: str) -> Claimed | None:
    """Lock one run for a command of a person, waiting for the current holder."""
    return one(conn, LOCK, team_id, run_id)


def read(conn: Connection[Any], team_id: int, run_id: str) -> Claimed | None:
    """The same without a lock: for a dry run."""
    return one(conn, READ, team_id, run_id)


def one(
    conn: Connection[Any], statement: LiteralString, team_id: int, run_id: str
) -> Claimed | None:
    with conn.cursor(row_factory=args_row(Claimed)) as cursor:
        return cursor.execute(statement, {"team_id": team_id, "run_id": run_id}).fetchone()


def set_aside(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    *,
    error: str,
    reason: Reason,
    until: datetime,
    now: datetime,
) -> None:
    """Take a run out of every tick: planning it failed again and again."""
    values = {
        "team_id": team_id,
        "run_id": run_id,
        "error": error,
        "reason": msgspec.json.encode(reason).decode(),
    }
    conn.execute(SET_ASIDE, {**values, "until": until, "now": now})


def times_set_aside(conn: Connection[Any], team_id: int, run_id: str) -> int:
    """Since a person last took it in again."""
    row = conn.execute(TIMES_SET_ASIDE, {"team_id": team_id, "run_id": run_id}).fetchone()
    return 0 if row is None else int(row[0])


def to_retry(conn: Connection[Any], now: datetime, limit: int) -> list[tuple[int, str]]:
    """Runs whose pause is over; not locked."""
    found = conn.execute(TO_RETRY, {"now": now, "limit": limit}).fetchall()
    return [(team_id, run_id) for team_id, run_id in found]


def retry_all(conn: Connection[Any], now: datetime, limit: int) -> None:
    """End the pause of runs that were set aside, as many as that, the first to end first."""
    conn.execute(RETRY_ALL, {"now": now, "limit": limit})


def repin(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    *,
    version: int,
    bundle_version: str,
    params: dict[str, Any],
    nodes: Sequence[Node],
    actor: str,
    now: datetime,
) -> None:
    """Pin a locked run to another version, and its task instances to what their tasks need there."""
    needs = [
        {
            "task_id": node.task_id,
            "pool": node.pool,
            "pool_slots": node.pool_slots,
            "queue": node.need.queue,
            "executor": node.need.executor,
        }
        for node in nodes
    ]
    values = {
        "team_id": team_id,
        "run_id": run_id,
        "version": version,
        "bundle_version": bundle_version,
        "params": msgspec.json.encode(params).decode(),
        "actor": actor,
        "now": now,
    }
    conn.execute(REPIN, {**values, "rows": rows(needs)})


def take_back(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    actor: str,
    now: datetime,
    *,
    anew: bool = True,
) -> None:
    """Let ticks take a run again that was set aside; of any other run nothing changes. ``anew``: and
    forget how often that was.
    """
    values = {"team_id": team_id, "run_id": run_id, "actor": actor, "now": now, "anew": anew}
    conn.execute(TAKE_BACK, values)


def announce(conn: Connection[Any], team_id: int, run_id: str) -> None:
    """Before a command that may send an ended run back to the queue:

    have admission look at its DAG.
    """
    conn.execute(ANNOUNCE_AGAIN, {"team_id": team_id, "run_id": run_id})


def alarm(conn: Connection[Any], team_id: int, run_id: str, now: datetime) -> None:
    """Have a tick look at a running run at once. The caller holds its lock."""
    conn.execute(ALARM, {"team_id": team_id, "run_id": run_id, "now": now})


def alarm_dag(conn: Connection[Any], team_id: int, dag_id: str, now: datetime) -> None:
    """Have a tick look at all running runs of a DAG at once."""
    values = {"team_id": team_id, "dag_id": dag_id, "now": now}
    conn.execute(LOCK_RUNNING, values)
    conn.execute(ALARM_DAG, values)


def wake_schedulers(conn: Connection[Any]) -> None:
    """Tell the schedulers, when this transaction is committed, that there is something to do."""
    conn.execute(WAKE_SCHEDULERS)
