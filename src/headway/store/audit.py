"""The audit: append-only for every role, each row chained to the one before by a hash.

Written as the last statement of the transaction that does what was asked, so that there is neither
without the other.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row

from headway.store.rows import rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    actor: str
    via: str  # session, token:<name>, password, link, or local for the token of the data directory
    action: str
    subject: str
    address: str
    detail: dict[str, Any] = field(default_factory=dict)  # may grow until it is written


WRITE: LiteralString = """
    INSERT INTO audit (team_id, actor, via, action, subject, detail, address)
    VALUES (%(team_id)s, %(actor)s, %(via)s, %(action)s, %(subject)s, %(detail)s, %(address)s)
"""

PRUNE: LiteralString = """
    SELECT prune_audit(%(team_id)s, %(older_than)s, %(limit)s)
"""


def write(conn: Connection[Any], team_id: int, entry: Entry) -> None:
    values = {"actor": entry.actor, "via": entry.via, "action": entry.action}
    values |= {"subject": entry.subject, "address": entry.address}
    detail = rows([entry.detail])[1:-1]
    conn.execute(WRITE, {"team_id": team_id, **values, "detail": detail})


def prune(conn: Connection[Any], team_id: int, older_than: datetime, limit: int) -> int:
    """Remove the oldest entries of a team and record it in the audit. Returns their number."""
    values = {"team_id": team_id, "older_than": older_than, "limit": limit}
    with conn.cursor(row_factory=scalar_row) as cursor:
        gone: int | None = cursor.execute(PRUNE, values).fetchone()
        return gone or 0
