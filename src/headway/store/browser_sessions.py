"""Sessions of browsers, and the links that open one once. Every function takes a connection; none
commits. The secrets themselves are not stored, only their hashes, and those never come back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection, errors
from psycopg.rows import class_row, scalar_row

from headway.errors import UsageError


@dataclass(frozen=True, slots=True)
class BrowserSession:
    session_id: str
    person_id: int
    expires_at: datetime
    is_due: bool = False  # its provider must be asked whether it goes on


@dataclass(frozen=True, slots=True)
class Provided:
    """The session at the provider that signed somebody in. ``token`` is the refresh token, encrypted."""

    source: str
    sid: str | None
    token: bytes | None = None
    refresh_s: float | None = None


OPEN: LiteralString = """
    INSERT INTO browser_session (team_id, session_id, person_id, hash, expires_at, address,
        source, provider_sid, refresh_token, refresh_at)
    VALUES (%(team_id)s, %(session_id)s, %(person_id)s, %(hash)s,
        now() + make_interval(secs => %(lifetime_s)s), %(address)s,
        %(source)s, %(sid)s, %(token)s, now() + make_interval(secs => %(refresh_s)s))
    RETURNING session_id, person_id, expires_at
"""

IDENTIFY: LiteralString = """
    SELECT session_id, person_id, expires_at, is_due FROM identify_browser(%(hash)s)
"""

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
    provided: Provided | None = None,
) -> BrowserSession:
    values: dict[str, Any] = {"team_id": team_id, "session_id": session_id, "hash": hashed}
    values |= {"person_id": person_id, "lifetime_s": lifetime_s, "address": address}
    at = provided or Provided("", None)
    values |= {"source": at.source or None, "sid": at.sid}
    values |= {"token": at.token, "refresh_s": at.refresh_s}
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
    try:
        conn.execute(OFFER, {**values, "lifetime_s": lifetime_s, "actor": actor})
    except errors.CheckViolation as error:
        raise UsageError(
            "a service account cannot sign in",
            hint="give it a token: headway token create NAME --user ACCOUNT",
        ) from error


def use_link(conn: Connection[Any], hashed: bytes) -> int | None:
    """Use a sign-in link. Returns its user, or None if it is unknown, expired or used."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(USE, {"hash": hashed}).fetchone()
        return found
