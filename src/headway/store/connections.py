"""Connections of teams, with their secret fields encrypted. Every function takes a connection; none commits."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import dict_row

from headway.store.envelopes import Envelope
from headway.store.rows import rows

FIELDS: LiteralString = """conn_id, conn_type, host, port, schema, login, extra, hidden, description, dags,
    key_id, wrapped, sealed, changed_at, changed_by"""

ALL: LiteralString = f"SELECT {FIELDS} FROM connection WHERE team_id = %(team_id)s ORDER BY conn_id"

ONE: LiteralString = (
    f"SELECT {FIELDS} FROM connection WHERE team_id = %(team_id)s AND conn_id = %(conn_id)s"
)

LOCK: LiteralString = f"""
    SELECT {FIELDS} FROM connection WHERE team_id = %(team_id)s AND conn_id = %(conn_id)s FOR NO KEY UPDATE
"""

SET: LiteralString = """
    INSERT INTO connection (team_id, conn_id, conn_type, host, port, schema, login, extra, hidden, description, dags,
        key_id, wrapped, sealed, changed_at, changed_by)
    VALUES (%(team_id)s, %(conn_id)s, %(conn_type)s, %(host)s, %(port)s, %(schema)s, %(login)s, %(extra)s, %(hidden)s,
        %(description)s, %(dags)s, %(key_id)s, %(wrapped)s, %(sealed)s, %(now)s, %(actor)s)
    ON CONFLICT (team_id, conn_id) DO UPDATE SET conn_type = excluded.conn_type, host = excluded.host,
        port = excluded.port, schema = excluded.schema, login = excluded.login, extra = excluded.extra,
        hidden = excluded.hidden, description = excluded.description, dags = excluded.dags, key_id = excluded.key_id,
        wrapped = excluded.wrapped, sealed = excluded.sealed, changed_at = excluded.changed_at,
        changed_by = excluded.changed_by
"""

DELETE: LiteralString = """
    DELETE FROM connection WHERE team_id = %(team_id)s AND conn_id = %(conn_id)s RETURNING conn_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    conn_id: str
    conn_type: str
    envelope: Envelope
    host: str | None = None
    port: int | None = None
    schema: str | None = None
    login: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)  # what may be shown
    hidden: list[str] = field(default_factory=list)  # names of the encrypted fields
    description: str = ""
    dags: list[str] | None = None  # that may use it; None: all of the team
    changed_at: datetime | None = None
    changed_by: str = ""


def every(conn: Connection[Any], team_id: int) -> list[Stored]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return [made(row) for row in cursor.execute(ALL, {"team_id": team_id})]


def find(conn: Connection[Any], team_id: int, conn_id: str) -> Stored | None:
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(ONE, {"team_id": team_id, "conn_id": conn_id}).fetchone()
    return None if row is None else made(row)


def lock(conn: Connection[Any], team_id: int, conn_id: str) -> Stored | None:
    """Return the connection, which nobody else changes before this transaction ends."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(LOCK, {"team_id": team_id, "conn_id": conn_id}).fetchone()
    return None if row is None else made(row)


def made(row: dict[str, Any]) -> Stored:
    envelope = Envelope(row.pop("key_id"), row.pop("wrapped"), row.pop("sealed"))
    return Stored(envelope=envelope, **row)


def put(conn: Connection[Any], team_id: int, wanted: Stored, actor: str, now: datetime) -> None:
    """Create a connection, or replace it as a whole."""
    values = {
        name: getattr(wanted, name)
        for name in (
            *("conn_id", "conn_type", "host", "port", "schema", "login"),
            *("hidden", "description", "dags"),
        )
    }
    envelope = wanted.envelope
    sealed = {"key_id": envelope.key_id, "wrapped": envelope.wrapped, "sealed": envelope.sealed}
    more = {"team_id": team_id, "extra": rows([wanted.extra])[1:-1], "actor": actor, "now": now}
    conn.execute(SET, {**values, **sealed, **more})


def delete(conn: Connection[Any], team_id: int, conn_id: str) -> bool:
    """Delete the connection. Returns False if it does not exist."""
    values = {"team_id": team_id, "conn_id": conn_id}
    return conn.execute(DELETE, values).fetchone() is not None
