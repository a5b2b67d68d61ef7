"""Sessions of browsers, and the links that open one once. Every function takes a connection; none
commits. The secrets themselves are not stored, only their hashes, and those never come back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, scalar_row


@dataclass(frozen=True, slots=True)
class BrowserSession:
    session_id: str
    person_id: int
    expires_at: datetime


OPEN: LiteralString = """
    INSERT INTO browser_session (team_id, session_id, person_id, hash, expires_at, address)
    VALUES (%(team_id)s, %(session_id)s, %(person_id)s, %(hash)s,
        now() + make_interval(secs => %(lifetime_s)s), %(address)s)
    RETURNING session_id, person_id, expires_at
"""

IDENTIFY: LiteralString = "SELECT session_id, person_id, expires_at FROM identify_session(%(hash)s)"

CLOSE: LiteralString = """
    DELETE FROM browser_session WHERE team_id = %(team_id)s AND session_id = %(session_id)s
"""

CLOSE_OTHERS: LiteralString = """
    DELETE FROM browser_session
    WHERE person_id = %(person_id)s AND session_id IS DISTINCT FROM %(but)s
"""

OFFER: LiteralString = """
    INSERT INTO login_link (team_id, hash, person_id, created_by, expires_at)
    VALUES (%(team_id)s, %(hash)s, %(person_id)s, %(actor)s,
        now() + make_interval(secs => %(lifetime_s)s))
"""

USE: LiteralString = "SELECT use_login_link(%(hash)s)"


def open_session(
    conn: Connection[Any],
    team_id: int,
    session_id: str,
    person_id: int,
    hashed: bytes,
    lifetime_s: float,
    address: str,
) -> BrowserSession:
    values: dict[str, Any] = {"team_id": team_id, "session_id": session_id, "hash": hashed}
    values |= {"person_id": person_id, "lifetime_s": lifetime_s, "address": address}
    with conn.cursor(row_factory=class_row(BrowserSession)) as cursor:
        opened = cursor.execute(OPEN, values).fetchone()
    assert opened is not None
    return opened


def identify(conn: Connection[Any], hashed: bytes) -> BrowserSession | None:
    """Return the session of a secret, unless it has ended or was idle for too long."""
    with conn.cursor(row_factory=class_row(BrowserSession)) as cursor:
        return cursor.execute(IDENTIFY, {"hash": hashed}).fetchone()


def close(conn: Connection[Any], team_id: int, session_id: str) -> None:
    conn.execute(CLOSE, {"team_id": team_id, "session_id": session_id})


def close_others(conn: Connection[Any], person_id: int, but: str | None) -> None:
    """End all sessions of a user except one."""
    conn.execute(CLOSE_OTHERS, {"person_id": person_id, "but": but})


def offer_link(
    conn: Connection[Any],
    team_id: int,
    person_id: int,
    hashed: bytes,
    lifetime_s: float,
    actor: str,
) -> None:
    values: dict[str, Any] = {"team_id": team_id, "person_id": person_id, "hash": hashed}
    conn.execute(OFFER, {**values, "lifetime_s": lifetime_s, "actor": actor})


def use_link(conn: Connection[Any], hashed: bytes) -> int | None:
    """Use a sign-in link. Returns its user, or None if it is unknown, expired or used."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(USE, {"hash": hashed}).fetchone()
        return found
