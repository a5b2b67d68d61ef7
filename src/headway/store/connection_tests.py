"""Tests of connections on their way from the API to an agent and back. None of these functions commits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from headway.store import notices, runs

CLAIMED_MAX: Final = 10  # at once, by one scheduler
# What waits for so long is nobody's any more: the API has told that there was no answer.
KEPT: Final = timedelta(minutes=2)

INSERT: LiteralString = """
    INSERT INTO connection_test (team_id, test_id, conn_id, requested_at)
    VALUES (%(team_id)s, %(test_id)s, %(conn_id)s, %(now)s)
"""

CLAIM: LiteralString = """
    UPDATE connection_test SET claimed_at = %(now)s FROM team
    WHERE team.team_id = connection_test.team_id AND (connection_test.team_id, test_id) IN (
        SELECT team_id, test_id FROM connection_test
        WHERE claimed_at IS NULL AND requested_at > %(since)s AND team_id = ANY(%(teams)s)
        ORDER BY requested_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING connection_test.team_id, team.name AS team, test_id, conn_id
"""

FINISH: LiteralString = """
    UPDATE connection_test SET ok = %(ok)s, message = %(message)s WHERE team_id = %(team_id)s AND test_id = %(test_id)s
"""

RESULT: LiteralString = """
    SELECT ok, message FROM connection_test
    WHERE team_id = %(team_id)s AND test_id = %(test_id)s AND ok IS NOT NULL
"""

FORGET: LiteralString = """
    DELETE FROM connection_test WHERE team_id = %(team_id)s AND (test_id = %(test_id)s OR requested_at < %(before)s)
"""

AGENTS: LiteralString = """
    SELECT EXISTS (SELECT FROM agent_session
        WHERE ended_at IS NULL AND heartbeat_at > %(now)s - %(lease)s AND team_id = %(team_id)s)
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    team_id: int
    team: str
    test_id: str
    conn_id: str


def ask(conn: Connection[Any], team_id: int, test_id: str, conn_id: str, now: datetime) -> None:
    conn.execute(INSERT, {"team_id": team_id, "test_id": test_id, "conn_id": conn_id, "now": now})
    runs.wake_schedulers(conn)


def claim(conn: Connection[Any], teams: Collection[int], now: datetime) -> list[Claimed]:
    """Return tests of these teams that nobody has taken yet, and take them."""
    values = {"teams": list(teams), "now": now, "since": now - KEPT, "limit": CLAIMED_MAX}
    with conn.cursor(row_factory=class_row(Claimed)) as cursor:
        return cursor.execute(CLAIM, values).fetchall()


def finish(conn: Connection[Any], team_id: int, test_id: str, ok: bool, message: str) -> None:
    conn.execute(FINISH, {"team_id": team_id, "test_id": test_id, "ok": ok, "message": message})
    notices.tell_run(conn, test_id)


def result(conn: Connection[Any], team_id: int, test_id: str) -> tuple[bool, str] | None:
    """Return whether the connection works and a sentence about it, or None before the end."""
    return conn.execute(RESULT, {"team_id": team_id, "test_id": test_id}).fetchone()


def forget(conn: Connection[Any], team_id: int, test_id: str, now: datetime) -> None:
    """Delete a test, and those of the team that nobody came back for."""
    conn.execute(FORGET, {"team_id": team_id, "test_id": test_id, "before": now - KEPT})


def has_agents(conn: Connection[Any], team_id: int, now: datetime, lease: timedelta) -> bool:
    """Return whether an agent of the team is connected."""
    row = conn.execute(AGENTS, {"team_id": team_id, "now": now, "lease": lease}).fetchone()
    return row is not None and bool(row[0])
