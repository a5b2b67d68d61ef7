"""Canaries of teams: which are watched, and the run of each. Functions take a connection; none commits.

Their DAG, pool and bundle have a name that nobody else can give, and people see none of them (ADR 66).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import scalar_row

from headway.core.canary import DAG_ID, Fault, Sight
from headway.core.reason_kinds import Kind
from headway.core.reasons import Reason
from headway.core.states import RunState, State
from headway.core.stored_reasons import stored
from headway.spec.model import Dag, encode, spec_hash
from headway.store.views.present import Present

# An agent has a credential; a session of a cluster, which makes a pod for each attempt, has none.
LIVE: LiteralString = """
    ended_at IS NULL AND token_id IS NOT NULL AND heartbeat_at > %(now)s - %(lease)s
"""

WATCH: LiteralString = f"""
    INSERT INTO team_canary (team_id, period_s, watched_since, looked_at, due_at)
    SELECT DISTINCT team_id, %(period_s)s::float8, %(now)s::timestamptz, %(now)s::timestamptz, %(first)s::timestamptz
    FROM agent_session WHERE {LIVE}
    ON CONFLICT DO NOTHING
"""

DUE: LiteralString = """
    SELECT team_id FROM team_canary WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s
"""

# A gap in which no scheduler looked is nobody's fault. Between two runs there is nearly a period without a look.
CLAIM: LiteralString = """
    UPDATE team_canary SET looked_at = %(now)s, period_s = %(period_s)s, watched_since =
        CASE WHEN looked_at < %(now)s - %(period_s)s * interval '1.5 seconds' THEN %(now)s ELSE watched_since END
    WHERE team_id = (
        SELECT team_id FROM team_canary WHERE team_id = %(team_id)s AND due_at <= %(now)s
        FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING run_id
"""

QUEUES: LiteralString = f"""
    SELECT queue FROM agent_session CROSS JOIN unnest(queues) AS queue
    WHERE team_id = %(team_id)s AND {LIVE}
    GROUP BY queue ORDER BY queue <> 'default', queue LIMIT %(limit)s
"""

# None: it is gone, or a tick has it at this moment.
LOCK_RUN: LiteralString = """
    SELECT state, created_at, ended_at FROM run
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s FOR UPDATE SKIP LOCKED
"""

HAS_RUN: LiteralString = "SELECT FROM run WHERE team_id = %(team_id)s AND run_id = %(run_id)s"

TASKS: LiteralString = """
    SELECT state, blocked_reason::text, reason::text, pool, pool_slots, queue, executor FROM task_instance
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s ORDER BY task_id
"""

# Why the one before failed is known until there is something newer.
START: LiteralString = """
    UPDATE team_canary SET run_id = %(run_id)s, due_at = %(due_at)s, fault = NULL WHERE team_id = %(team_id)s
"""

TELL: LiteralString = """
    UPDATE team_canary SET due_at = %(due_at)s, fault = %(fault)s,
        reason = coalesce(%(reason)s::jsonb, reason)
    WHERE team_id = %(team_id)s
"""

END: LiteralString = """
    UPDATE team_canary SET run_id = NULL, due_at = %(due_at)s, fault = NULL,
        reason = CASE WHEN %(proved_at)s::timestamptz IS NULL THEN coalesce(%(reason)s::jsonb, reason) END,
        proved_at = coalesce(%(proved_at)s::timestamptz, proved_at)
    WHERE team_id = %(team_id)s
"""

FORGET: LiteralString = "DELETE FROM team_canary WHERE team_id = %(team_id)s"

# All that hangs on it goes by ON DELETE CASCADE. There is no history of it.
REMOVE_REPORTS: LiteralString = (
    "DELETE FROM report WHERE team_id = %(team_id)s AND run_id = %(run_id)s"
)
REMOVE_RUN: LiteralString = "DELETE FROM run WHERE team_id = %(team_id)s AND run_id = %(run_id)s"

PUT_BUNDLE: LiteralString = """
    INSERT INTO bundle (team_id, version, files, bytes, largest_file, created_at)
    VALUES (%(team_id)s, %(name)s, 0, 0, 0, %(now)s) ON CONFLICT DO NOTHING
"""

PUT_POOL: LiteralString = """
    INSERT INTO pool (team_id, name, slots) VALUES (%(team_id)s, %(name)s, %(slots)s)
    ON CONFLICT (team_id, name) DO UPDATE SET slots = excluded.slots WHERE pool.slots <> excluded.slots
"""

# One version for each set of queues that agents of the team ever had; those that no run has are removed.
PUT_VERSION: LiteralString = """
    INSERT INTO dag_version (team_id, dag_id, version, spec_hash, spec, created_at)
    SELECT %(team_id)s, %(name)s, coalesce(max(version), 0) + 1, %(hash)s, %(spec)s::json, %(now)s
    FROM dag_version WHERE team_id = %(team_id)s AND dag_id = %(name)s
    ON CONFLICT (team_id, dag_id, spec_hash) DO NOTHING
"""

# A loader of an earlier version misses its file.
PUT_DAG: LiteralString = """
    INSERT INTO dag AS known (team_id, dag_id, version, bundle_version, file, max_active_runs, updated_at)
    SELECT team_id, dag_id, version, dag_id, '', 1, %(now)s FROM dag_version
    WHERE team_id = %(team_id)s AND dag_id = %(name)s AND spec_hash = %(hash)s
    ON CONFLICT (team_id, dag_id) DO UPDATE SET version = excluded.version, missing_since = NULL,
            updated_at = excluded.updated_at
        WHERE known.version <> excluded.version OR known.missing_since IS NOT NULL
"""

OLD_VERSIONS: LiteralString = """
    DELETE FROM dag_version
    WHERE team_id = %(team_id)s AND dag_id = %(name)s AND spec_hash <> %(hash)s AND NOT EXISTS (
        SELECT FROM run
        WHERE run.team_id = %(team_id)s AND run.dag_id = %(name)s AND run.version = dag_version.version)
"""

# Runs that schedulers have left lying, of those that are watched.
IGNORED: LiteralString = """
    SELECT count(*), count(*) FILTER (WHERE left_lying), min(reason::text) FILTER (WHERE left_lying)
    FROM team_canary CROSS JOIN LATERAL (
        SELECT fault = 'scheduler' AND EXISTS (
            SELECT FROM run
            WHERE run.team_id = team_canary.team_id AND run.run_id = team_canary.run_id
                AND created_at <= %(before)s
            OFFSET 0) AS left_lying
        OFFSET 0
    ) AS found
"""


@dataclass(frozen=True, slots=True)
class LockedRun:
    """A canary's run. ``sight``: how far it has come; ``queues``: those of its tasks."""

    created_at: datetime
    ended_at: datetime | None
    sight: Sight
    queues: frozenset[str]


def watch(
    conn: Connection[Any], period_s: float, first: datetime, now: datetime, lease: timedelta
) -> None:
    """Begin to watch the teams that have agents now; ``first``: when their first runs are triggered."""
    conn.execute(WATCH, {"period_s": period_s, "first": first, "now": now, "lease": lease})


def due(conn: Connection[Any], now: datetime, limit: int) -> Sequence[int]:
    """Return the teams whose canary is to be looked at."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(DUE, {"now": now, "limit": limit}).fetchall()


def claim(
    conn: Connection[Any], team_id: int, period_s: float, now: datetime
) -> tuple[str | None] | None:
    """Take on a look and return the id of the run that goes on, if one does. None: another scheduler is at it."""
    values = {"team_id": team_id, "period_s": period_s, "now": now}
    row: tuple[str | None] | None = conn.execute(CLAIM, values).fetchone()
    return row


def queues(
    conn: Connection[Any], team_id: int, now: datetime, lease: timedelta, limit: int
) -> tuple[str, ...]:
    """Return the queues that live agents of the team serve; none: it has no agent."""
    values = {"team_id": team_id, "now": now, "lease": lease, "limit": limit}
    with conn.cursor(row_factory=scalar_row) as cursor:
        return tuple(cursor.execute(QUEUES, values).fetchall())


def lock_run(conn: Connection[Any], team_id: int, run_id: str) -> LockedRun | None:
    """Lock the run of a canary, and return how far it has come. None: it is gone, or a tick has it now."""
    values = {"team_id": team_id, "run_id": run_id}
    row = conn.execute(LOCK_RUN, values).fetchone()
    if row is None:
        return None
    state, created_at, ended_at = row
    found = conn.execute(TASKS, values).fetchall()
    present = Present(conn, team_id)
    tasks = tuple((State(task), why(present, State(task), *rest)) for task, *rest in found)
    served = frozenset(queue for *_, queue, _ in found)
    return LockedRun(created_at, ended_at, Sight(RunState(state), tasks), served)


def why(
    present: Present,
    state: State,
    blocked: str | None,
    reason: str | None,
    *needs: *tuple[str, int, str, str],
) -> Reason | None:
    """Return why a task is where it is, as it is true now. Of a ready one: None if no scheduler has said anything.

    Where there is a place by the rows, as there is in an agent that drains, what the scheduler said counts.
    """
    if state is not State.READY:
        return None if reason is None else stored(reason)
    if (text := present.text(blocked, *needs)) is None or blocked is None:
        return None
    now = stored(text)
    return stored(blocked) if now.kind is Kind.POOL_TURN else now


def has_run(conn: Connection[Any], team_id: int, run_id: str) -> bool:
    return conn.execute(HAS_RUN, {"team_id": team_id, "run_id": run_id}).fetchone() is not None


def start(conn: Connection[Any], team_id: int, run_id: str, due_at: datetime) -> None:
    """Write that a run was triggered, at which ``due_at`` is the time to look."""
    conn.execute(START, {"team_id": team_id, "run_id": run_id, "due_at": due_at})


def tell(
    conn: Connection[Any], team_id: int, due_at: datetime, fault: Fault, reason: Reason | None
) -> None:
    """Write what keeps the run that goes on from its success."""
    values = {"team_id": team_id, "due_at": due_at, "fault": fault.value}
    conn.execute(TELL, {**values, "reason": encoded(reason)})


def end(
    conn: Connection[Any],
    team_id: int,
    due_at: datetime,
    proved_at: datetime | None = None,
    reason: Reason | None = None,
) -> None:
    """Write that the run succeeded at ``proved_at``, or why it did not. The next one is ``due_at``."""
    values = {"team_id": team_id, "due_at": due_at, "proved_at": proved_at}
    conn.execute(END, {**values, "reason": encoded(reason)})


def encoded(reason: Reason | None) -> str | None:
    return None if reason is None else msgspec.json.encode(reason).decode()


def forget(conn: Connection[Any], team_id: int) -> None:
    """Watch the team no longer: it has no agent."""
    conn.execute(FORGET, {"team_id": team_id})


def remove_run(conn: Connection[Any], team_id: int, run_id: str) -> None:
    """Remove a run that is locked and holds no slot."""
    values = {"team_id": team_id, "run_id": run_id}
    conn.execute(REMOVE_REPORTS, values)
    conn.execute(REMOVE_RUN, values)


def put_dag(conn: Connection[Any], team_id: int, spec: Dag, now: datetime) -> None:
    """Make ``spec`` the DAG of the team's canary, with the pool of its tasks."""
    values = {"team_id": team_id, "name": DAG_ID, "now": now, "slots": len(spec.tasks)}
    values |= {"hash": spec_hash(spec), "spec": encode(spec).decode()}
    for statement in (PUT_BUNDLE, PUT_POOL, PUT_VERSION, PUT_DAG, OLD_VERSIONS):
        conn.execute(statement, values)


def ignored(conn: Connection[Any], before: datetime) -> tuple[int, int, Reason | None]:
    """Count the teams that are watched, and those whose run no scheduler has taken up since ``before``, with why."""
    row = conn.execute(IGNORED, {"before": before}).fetchone()
    assert row is not None
    teams, left, text = row
    return teams, left, text and stored(text)
