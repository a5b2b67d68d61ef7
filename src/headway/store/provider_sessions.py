"""Sessions as the provider knows them that signed somebody in: refreshed and ended there. No function commits.

They are of several teams at once, so that functions of the owner do it, for an API server that proves its secret.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from headway.store.transact import secret_of

CLAIM: LiteralString = """
    SELECT home_team_id, session_id, person, source, subject, token
    FROM claim_refresh(%(secret)s, %(hash)s, %(hold_s)s)
"""

KEEP: LiteralString = "SELECT keep_refresh(%(secret)s, %(hash)s, %(token)s, %(after_s)s)"

END: LiteralString = """
    SELECT end_provider_sessions(%(secret)s, %(source)s, %(sid)s, %(subject)s, %(token)s, %(until)s)
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A session whose provider must be asked again. ``token`` is encrypted."""

    home_team_id: int
    session_id: str
    person: str
    source: str
    subject: str
    token: bytes


class Ended(msgspec.Struct, frozen=True):
    team_id: int
    person: str


def claim(conn: Connection[Any], hashed: bytes, hold_s: float) -> Claimed | None:
    """Return the session, once for everybody who asks within ``hold_s``."""
    values = {"secret": secret_of(conn), "hash": hashed, "hold_s": hold_s}
    with conn.cursor(row_factory=class_row(Claimed)) as cursor:
        return cursor.execute(CLAIM, values).fetchone()


def keep(conn: Connection[Any], hashed: bytes, token: bytes, after_s: float) -> None:
    values = {"secret": secret_of(conn), "hash": hashed, "token": token, "after_s": after_s}
    conn.execute(KEEP, values)


def end(
    conn: Connection[Any],
    source: str,
    sid: str | None,
    subject: str | None,
    token: bytes,
    until: datetime,
) -> list[Ended] | None:
    """End the sessions of a provider's session, or of a person. Returns whose; None: the token was used before."""
    values: dict[str, Any] = {"secret": secret_of(conn), "source": source, "sid": sid}
    values |= {"subject": subject, "token": token, "until": until}
    with conn.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute(END, values).fetchone()
    return msgspec.convert(found, list[Ended] | None)
