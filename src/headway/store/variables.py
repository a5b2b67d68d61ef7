"""Variables of teams; the value of a secret one is encrypted. Every function takes a connection; none commits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row

from headway.store.envelopes import Envelope

FIELDS: LiteralString = (
    "key, value, description, dags, key_id, wrapped, sealed, changed_at, changed_by"
)

ALL: LiteralString = f"SELECT {FIELDS} FROM variable WHERE team_id = %(team_id)s ORDER BY key"

LOCK: LiteralString = f"""
    SELECT {FIELDS} FROM variable WHERE team_id = %(team_id)s AND key = %(key)s FOR NO KEY UPDATE
"""

ONE: LiteralString = f"SELECT {FIELDS} FROM variable WHERE team_id = %(team_id)s AND key = %(key)s"

SET: LiteralString = """
    INSERT INTO variable (team_id, key, value, description, dags, key_id, wrapped, sealed, changed_at, changed_by)
    VALUES (%(team_id)s, %(key)s, %(value)s, %(description)s, %(dags)s, %(key_id)s, %(wrapped)s, %(sealed)s,
        %(now)s, %(actor)s)
    ON CONFLICT (team_id, key) DO UPDATE SET value = excluded.value, description = excluded.description,
        dags = excluded.dags, key_id = excluded.key_id, wrapped = excluded.wrapped, sealed = excluded.sealed,
        changed_at = excluded.changed_at, changed_by = excluded.changed_by
"""

DELETE: LiteralString = """
    DELETE FROM variable WHERE team_id = %(team_id)s AND key = %(key)s RETURNING key
"""


# Beside the key that is about to be set. The length of a long text is known without the text.
USED: LiteralString = """
    SELECT count(*), coalesce(sum(octet_length(coalesce(value, '')) + octet_length(coalesce(sealed, ''))
        + octet_length(description)), 0)::bigint
    FROM variable WHERE team_id = %(team_id)s AND key <> %(key)s
"""

# Those that a DAG may read; values stay where they are.
KEYS: LiteralString = """
    SELECT key FROM variable
    WHERE team_id = %(team_id)s AND starts_with(key, %(prefix)s) AND (dags IS NULL OR %(dag_id)s = ANY(dags))
    ORDER BY key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """``value`` is None for a secret, whose value is in ``envelope``."""

    key: str
    value: str | None = None
    envelope: Envelope | None = None
    description: str = ""
    dags: list[str] | None = None  # that may use it; None: all of the team
    changed_at: datetime | None = None
    changed_by: str = ""


class Used(NamedTuple):
    """``size``: of values and descriptions, in bytes."""

    keys: int
    size: int


def every(conn: Connection[Any], team_id: int) -> list[Stored]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return [made(row) for row in cursor.execute(ALL, {"team_id": team_id})]


def find(conn: Connection[Any], team_id: int, key: str) -> Stored | None:
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(ONE, {"team_id": team_id, "key": key}).fetchone()
    return None if row is None else made(row)


def lock(conn: Connection[Any], team_id: int, key: str) -> Stored | None:
    """Return the variable, which nobody else changes before this transaction ends."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(LOCK, {"team_id": team_id, "key": key}).fetchone()
    return None if row is None else made(row)


def used(conn: Connection[Any], team_id: int, key: str) -> Used:
    """Return what a team has beside this key."""
    ((keys, size),) = conn.execute(USED, {"team_id": team_id, "key": key})
    return Used(keys, size)


def keys(conn: Connection[Any], team_id: int, dag_id: str, prefix: str) -> list[str]:
    """Return the keys that a DAG may read and that begin so, in their order."""
    values = {"team_id": team_id, "dag_id": dag_id, "prefix": prefix}
    return [key for (key,) in conn.execute(KEYS, values)]


def made(row: dict[str, Any]) -> Stored:
    key_id, wrapped, sealed = row.pop("key_id"), row.pop("wrapped"), row.pop("sealed")
    return Stored(envelope=None if sealed is None else Envelope(key_id, wrapped, sealed), **row)


def put(conn: Connection[Any], team_id: int, wanted: Stored, actor: str, now: datetime) -> None:
    """Create a variable, or replace it as a whole."""
    known = wanted.envelope
    values = {
        "team_id": team_id,
        "key": wanted.key,
        "value": wanted.value,
        "description": wanted.description,
        "dags": wanted.dags,
        "key_id": known and known.key_id,
        "wrapped": known and known.wrapped,
        "sealed": known and known.sealed,
    }
    conn.execute(SET, {**values, "actor": actor, "now": now})


def delete(conn: Connection[Any], team_id: int, key: str) -> bool:
    """Delete the variable. Returns False if it does not exist."""
    return conn.execute(DELETE, {"team_id": team_id, "key": key}).fetchone() is not None
