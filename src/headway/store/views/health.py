"""The schedulers and agents that are alive, by the database's clock."""

from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.core import canary
from headway.store.installations import LEASE_S
from headway.store.views import canaries
from headway.store.views.worded import words

ALIVE: Final = timedelta(seconds=15)

SCHEDULERS: LiteralString = """
    SELECT host, pid, heartbeat_at, now() - heartbeat_at, canary_s,
        extract(epoch FROM now() - coalesce(proved_at, started_at))::float8, coalesce(unproved, '')
    FROM scheduler
    WHERE ended_at IS NULL ORDER BY heartbeat_at DESC LIMIT 10
"""

AGENTS: LiteralString = """
    SELECT host, pid, heartbeat_at, now() - heartbeat_at FROM agent_session
    WHERE ended_at IS NULL ORDER BY heartbeat_at DESC LIMIT 10
"""

# By what it renews: its claim to provide the DAGs of the team.
LOADERS: LiteralString = """
    SELECT host, dags, seen_at, now() - seen_at FROM installation WHERE team_id = %(team_id)s
"""

ROW_BYTES: Final = 8000
FILL: LiteralString = """
    WITH filling AS MATERIALIZED (SELECT repeat('x', 8000) FROM generate_series(1, %s))
    SELECT count(*) FROM filling
"""


def components(conn: Connection[Any]) -> list[wire.Component]:
    found = [wire.Component(name="database", healthy=True, detail="answers")]
    with conn.cursor(row_factory=tuple_row) as cursor:
        agents = [component("agent", *row) for row in cursor.execute(AGENTS).fetchall()]
    healthy = [each for each in agents if each.healthy]
    return found + schedulers(conn) + (healthy or agents[:1] or [none_of("agent")]) + of_team(conn)


def of_team(conn: Connection[Any]) -> list[wire.Component]:
    """Return what the canary of the entered team has proven, if it is watched and has proven something or is late."""
    found = canaries.proof(conn)
    if found is None:
        return []
    late = canary.is_late(found.period_s, found.silent_s)
    if not late and not found.is_proved:
        return []
    said = canary.told(found.period_s, found.silent_s, words(found.reason) or "")
    return [wire.Component(name="canary", healthy=not late, detail=f"the team {said}")]


def schedulers(conn: Connection[Any]) -> list[wire.Component]:
    """Return the schedulers that give a sign of life, late ones as unhealthy; or the one that was silent last."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(SCHEDULERS).fetchall()
    alive = [scheduler(*row) for row in rows if row[3] < ALIVE]
    return alive or [component("scheduler", *row[:4]) for row in rows[:1]] or [none_of("scheduler")]


def scheduler(
    host: str,
    pid: int,
    seen: datetime,
    silent_for: timedelta,
    canary_s: float | None,
    unproved_s: float,
    why: str,
) -> wire.Component:
    """Return a scheduler that gives a sign of life: it is healthy if it gets runs to success."""
    found = component("scheduler", host, pid, seen, silent_for)
    said = canary.told(canary_s, unproved_s, why)
    return msgspec.structs.replace(
        found,
        healthy=not canary.is_late(canary_s, unproved_s),
        detail=f"{found.detail}, {said}" if said else found.detail,
    )


def loaders(conn: Connection[Any], team_id: int) -> list[wire.Component]:
    """Return the loader of a team, which nobody but the database tells of."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(LOADERS, {"team_id": team_id}).fetchone()
    if row is None:
        return [none_of("loader")]
    host, dags, seen, silent_for = row
    healthy = silent_for < timedelta(seconds=LEASE_S)
    silence = "" if healthy else f", silent for {silent_for.total_seconds():.0f} s"
    detail = f"reads {dags} for {host}{silence}"
    return [wire.Component(name="loader", healthy=healthy, detail=detail, last_seen_at=seen)]


def use_disk(conn: Connection[Any], size: int) -> None:
    """Write about as much on the database's disk, and take it away again; no row and no log of it.

    A list that memory has no room for goes to a temporary file. Raises StorageFull.
    """
    conn.execute("SET LOCAL work_mem = '64kB'")
    conn.execute(FILL, [size // ROW_BYTES])


def component(
    kind: str, host: str, pid: int, seen: datetime, silent_for: timedelta
) -> wire.Component:
    healthy = silent_for < ALIVE
    silence = "" if healthy else f", silent for {silent_for.total_seconds():.0f} s"
    return wire.Component(
        name=kind, healthy=healthy, detail=f"process {pid} on {host}{silence}", last_seen_at=seen
    )


def none_of(kind: str) -> wire.Component:
    return wire.Component(name=kind, healthy=False, detail="none is running")
