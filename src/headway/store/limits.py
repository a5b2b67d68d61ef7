"""The limits of teams, and what counts against them. Every function takes a connection; none commits."""

import math
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import scalar_row

from headway.core.limits import Limits
from headway.store.transact import secret_of

MINUTE: Final = timedelta(minutes=1)
RUNS_MAX: Final = 100  # open runs whose task instances are counted

OF_TEAM: LiteralString = "SELECT limits FROM team WHERE team_id = %(team_id)s"

# Whoever creates runs where that is bounded does so one after the other.
LOCK: LiteralString = "SELECT FROM team WHERE team_id = %(team_id)s FOR NO KEY UPDATE"

SET: LiteralString = "SELECT limit_team(%(actor)s, %(secret)s, %(team_id)s, %(limits)s::jsonb)"

# The times of those that count, the latest first.
CREATED_SINCE: LiteralString = """
    SELECT created_at FROM run
    WHERE team_id = %(team_id)s AND created_at > %(since)s AND trigger NOT IN ('schedule', 'callback')
    ORDER BY created_at DESC LIMIT %(limit)s
"""

# Without calls of callbacks, which nobody asks for: a flood of failures must not keep the team from starting runs.
OPEN_RUNS: LiteralString = """
    SELECT count(*) FROM (
        (SELECT FROM run WHERE team_id = %(team_id)s AND state = 'running' AND trigger <> 'callback'
            LIMIT %(limit)s)
        UNION ALL
        (SELECT FROM run WHERE team_id = %(team_id)s AND state = 'queued' AND trigger <> 'callback'
            LIMIT %(limit)s)
    ) AS open
"""

# The largest of the latest runs that have not ended.
RUN_TASKS: LiteralString = """
    SELECT coalesce(max(tasks), 0) FROM (
        SELECT team_id, run_id FROM run WHERE team_id = %(team_id)s AND state = 'running'
        LIMIT %(limit)s
    ) AS open CROSS JOIN LATERAL (
        SELECT count(*) AS tasks FROM task_instance AS instance
        WHERE instance.team_id = open.team_id AND instance.run_id = open.run_id
    ) AS counted
"""

LARGEST_FILE: LiteralString = """
    SELECT largest_file FROM bundle
    WHERE team_id = %(team_id)s AND version IN (
        SELECT bundle_version FROM dag WHERE team_id = %(team_id)s AND missing_since IS NULL)
    ORDER BY created_at DESC LIMIT 1
"""

LOG_BYTES: LiteralString = """
    SELECT coalesce(sum(log_bytes), 0) FROM agent_session WHERE team_id = %(team_id)s AND ended_at IS NULL
"""

RUNNING_TASKS: LiteralString = "SELECT used FROM share WHERE team_id = %(team_id)s"


def of_team(conn: Connection[Any], team_id: int) -> Limits:
    """Return the limits of a team; none for a team that the transaction does not see."""
    row = conn.execute(OF_TEAM, {"team_id": team_id}).fetchone()
    return read(row[0] if row else {})


def read(stored: dict[str, int]) -> Limits:
    """Return limits as they are stored. Those of another version are left out."""
    return msgspec.convert(stored, Limits)


def set_of(conn: Connection[Any], actor: int, team_id: int, limits: Limits) -> None:
    """Set all limits of a team, for a platform admin."""
    given = {key: value for key, value in msgspec.to_builtins(limits).items() if value is not None}
    values = {"actor": actor, "secret": secret_of(conn), "team_id": team_id}
    conn.execute(SET, {**values, "limits": msgspec.json.encode(given).decode()})


def lock(conn: Connection[Any], team_id: int) -> None:
    """Let nobody else count what this transaction is about to create, until it has ended."""
    conn.execute(LOCK, {"team_id": team_id})


def created(conn: Connection[Any], team_id: int, now: datetime, most: int) -> list[datetime]:
    """Return when runs were created in the last minute, but by timetables and for callbacks: the latest ``most``."""
    values = {"team_id": team_id, "since": now - MINUTE, "limit": most}
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(CREATED_SINCE, values).fetchall()


def open_runs(conn: Connection[Any], team_id: int, most: int) -> int:
    """Count runs that have not ended, of each state up to ``most``."""
    return counted(conn, OPEN_RUNS, {"team_id": team_id, "limit": most})


def runs_left(conn: Connection[Any], team_id: int, now: datetime) -> float:
    """Return how many runs the limits of a team allow now; without one, infinitely many."""
    bounds = of_team(conn, team_id)
    most, open_most, left = bounds.runs_per_minute, bounds.open_runs, math.inf
    if most is not None:
        left = most - len(created(conn, team_id, now, most))
    if open_most is not None:
        left = min(left, open_most - open_runs(conn, team_id, open_most))
    return max(left, 0)


def spent(conn: Connection[Any], team_id: int, now: datetime) -> str:
    """Return the name of the limit that lets a team have no more runs now; empty: there is none."""
    bounds = of_team(conn, team_id)
    if (most := bounds.open_runs) is not None and open_runs(conn, team_id, most) >= most:
        return "open_runs"
    minute = bounds.runs_per_minute
    if minute is not None and len(created(conn, team_id, now, minute)) >= minute:
        return "runs_per_minute"
    return ""


def run_tasks(conn: Connection[Any], team_id: int) -> int:
    """Return how many task instances the largest open run has, of ``RUNS_MAX`` of them."""
    return counted(conn, RUN_TASKS, {"team_id": team_id, "limit": RUNS_MAX})


def largest_file(conn: Connection[Any], team_id: int) -> int | None:
    """Return the bytes of the largest file in the latest bundle. None: there is none, or it is not known."""
    row = conn.execute(LARGEST_FILE, {"team_id": team_id}).fetchone()
    return None if row is None else row[0]


def running_tasks(conn: Connection[Any], team_id: int) -> int:
    return counted(conn, RUNNING_TASKS, {"team_id": team_id})


def log_bytes(conn: Connection[Any], team_id: int) -> int:
    """Return about how many bytes the task logs took in the last minute."""
    return counted(conn, LOG_BYTES, {"team_id": team_id})


def counted(conn: Connection[Any], statement: LiteralString, values: dict[str, int]) -> int:
    row = conn.execute(statement, values).fetchone()
    return 0 if row is None else int(row[0])
