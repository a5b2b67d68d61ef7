"""Encrypted values as their rows hold them, and their rotation. Every function takes a connection; none commits."""

from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg import Connection

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Envelope:
    key_id: str  # of the master key
    wrapped: bytes  # the row's key
    sealed: bytes


# Locked, so that nobody sets a value meanwhile.
OLD_CONNECTIONS: LiteralString = """
    SELECT conn_id, key_id, wrapped, sealed FROM connection
    WHERE team_id = %(team_id)s AND key_id <> %(key_id)s ORDER BY conn_id LIMIT %(limit)s FOR UPDATE
"""

OLD_VARIABLES: LiteralString = """
    SELECT key, key_id, wrapped, sealed FROM variable
    WHERE team_id = %(team_id)s AND key_id <> %(key_id)s ORDER BY key LIMIT %(limit)s FOR UPDATE
"""

OLD_WEBHOOKS: LiteralString = """
    SELECT name, key_id, wrapped, sealed FROM webhook
    WHERE team_id = %(team_id)s AND key_id <> %(key_id)s ORDER BY name LIMIT %(limit)s FOR UPDATE
"""

OLD_OUTBOUND: LiteralString = """
    SELECT name, key_id, wrapped, sealed FROM outbound_webhook
    WHERE team_id = %(team_id)s AND key_id <> %(key_id)s ORDER BY name LIMIT %(limit)s FOR UPDATE
"""

WRAP_CONNECTION: LiteralString = """
    UPDATE connection SET key_id = %(key_id)s, wrapped = %(wrapped)s
    WHERE team_id = %(team_id)s AND conn_id = %(name)s
"""

WRAP_VARIABLE: LiteralString = """
    UPDATE variable SET key_id = %(key_id)s, wrapped = %(wrapped)s
    WHERE team_id = %(team_id)s AND key = %(name)s
"""

WRAP_WEBHOOK: LiteralString = """
    UPDATE webhook SET key_id = %(key_id)s, wrapped = %(wrapped)s
    WHERE team_id = %(team_id)s AND name = %(name)s
"""

WRAP_OUTBOUND: LiteralString = """
    UPDATE outbound_webhook SET key_id = %(key_id)s, wrapped = %(wrapped)s
    WHERE team_id = %(team_id)s AND name = %(name)s
"""

OLD: Final[dict[str, LiteralString]] = {
    "connection": OLD_CONNECTIONS,
    "variable": OLD_VARIABLES,
    "webhook": OLD_WEBHOOKS,
    "outbound_webhook": OLD_OUTBOUND,
}
WRAP: Final[dict[str, LiteralString]] = {
    "connection": WRAP_CONNECTION,
    "variable": WRAP_VARIABLE,
    "webhook": WRAP_WEBHOOK,
    "outbound_webhook": WRAP_OUTBOUND,
}


def of_other_keys(
    conn: Connection[Any], team_id: int, kind: str, key_id: str
) -> list[tuple[str, Envelope]]:
    """Return the next names whose envelopes another key wrapped. They are locked."""
    values = {"team_id": team_id, "key_id": key_id, "limit": BATCH}
    return [
        (name, Envelope(known, wrapped, sealed))
        for name, known, wrapped, sealed in conn.execute(OLD[kind], values)
    ]


def replace_key(
    conn: Connection[Any], team_id: int, kind: str, name: str, envelope: Envelope
) -> None:
    values = {"team_id": team_id, "name": name}
    conn.execute(WRAP[kind], {**values, "key_id": envelope.key_id, "wrapped": envelope.wrapped})
