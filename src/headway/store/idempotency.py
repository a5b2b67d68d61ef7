"""Answers to requests that name themselves. Every function takes a connection; none commits."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

# Waits for another transaction with the same key to end: then its answer is there.
CLAIM: LiteralString = """
    INSERT INTO idempotency (team_id, actor, key, fingerprint)
    VALUES (%(team_id)s, %(actor)s, %(key)s, %(fingerprint)s)
    ON CONFLICT (team_id, actor, key) DO NOTHING
"""

ANSWER: LiteralString = """
    SELECT fingerprint, answer FROM idempotency
    WHERE team_id = %(team_id)s AND actor = %(actor)s AND key = %(key)s
"""

KEEP: LiteralString = """
    UPDATE idempotency SET answer = %(answer)s
    WHERE team_id = %(team_id)s AND actor = %(actor)s AND key = %(key)s
"""

PRUNE: LiteralString = """
    DELETE FROM idempotency WHERE team_id = %(team_id)s AND created_at < %(older_than)s
"""


def claim(
    conn: Connection[Any], team_id: int, actor: str, key: str, fingerprint: bytes
) -> tuple[bytes, bytes] | None:
    """Claim the key. Returns None if it is new, else its stored fingerprint and answer."""
    values = {"team_id": team_id, "actor": actor, "key": key}
    if conn.execute(CLAIM, {**values, "fingerprint": fingerprint}).rowcount:
        return None
    row = conn.execute(ANSWER, values).fetchone()
    assert row is not None, "its row goes only with age"
    return bytes(row[0]), bytes(row[1])


def keep(conn: Connection[Any], team_id: int, actor: str, key: str, answer: bytes) -> None:
    values = {"team_id": team_id, "actor": actor, "key": key}
    conn.execute(KEEP, {**values, "answer": answer})


def prune(conn: Connection[Any], team_id: int, older_than: datetime) -> None:
    conn.execute(PRUNE, {"team_id": team_id, "older_than": older_than})
