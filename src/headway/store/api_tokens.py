"""API tokens: only their hashes are stored, and those never come back. Every function takes a
connection; none commits.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection, errors
from psycopg.rows import class_row

from headway.errors import Conflict


@dataclass(frozen=True, slots=True)
class Bearer:
    """Of a token that is good now: whose it is, where, and as what at most."""

    token_id: str
    person_id: int
    team_id: int
    role: str
    expires_at: datetime


IDENTIFY: LiteralString = """
    SELECT token_id, person_id, team_id, role, expires_at FROM identify_token(%(hash)s)
"""

CREATE: LiteralString = """
    INSERT INTO api_token (team_id, token_id, person_id, name, role, hash, expires_at)
    VALUES (%(team_id)s, %(token_id)s, %(person_id)s, %(name)s, %(role)s, %(hash)s,
        now() + make_interval(secs => %(lifetime_s)s))
"""

REVOKE: LiteralString = """
    UPDATE api_token SET revoked_at = now()
    WHERE team_id = %(team_id)s AND token_id = %(token_id)s AND revoked_at IS NULL
"""

REVOKE_ALL: LiteralString = """
    UPDATE api_token SET revoked_at = now()
    WHERE team_id = %(team_id)s AND person_id = %(person_id)s AND revoked_at IS NULL
"""


def identify(conn: Connection[Any], hashed: bytes) -> Bearer | None:
    with conn.cursor(row_factory=class_row(Bearer)) as cursor:
        return cursor.execute(IDENTIFY, {"hash": hashed}).fetchone()


def create(
    conn: Connection[Any],
    team_id: int,
    token_id: str,
    person_id: int,
    name: str,
    role: str,
    hashed: bytes,
    lifetime_s: float,
) -> None:
    values: dict[str, Any] = {"team_id": team_id, "token_id": token_id, "person_id": person_id}
    values |= {"name": name, "role": role, "hash": hashed, "lifetime_s": lifetime_s}
    try:
        conn.execute(CREATE, values)
    except errors.UniqueViolation as error:
        raise Conflict(
            f"there is a token {name!r} already",
            hint="revoke it first, or choose another name: headway token ls",
        ) from error


def revoke(conn: Connection[Any], team_id: int, token_id: str) -> None:
    conn.execute(REVOKE, {"team_id": team_id, "token_id": token_id})


def revoke_all(conn: Connection[Any], team_id: int, person_id: int) -> None:
    """Those of a person in the team."""
    conn.execute(REVOKE_ALL, {"team_id": team_id, "person_id": person_id})
