"""Who asked for what: append-only for every role, each row chained to the one before by a hash.

Written as the last statement of the transaction that does what was asked, so that there is neither
without the other.
"""

from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import Connection

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


def write(conn: Connection[Any], team_id: int, entry: Entry) -> None:
    values = {"actor": entry.actor, "via": entry.via, "action": entry.action}
    values |= {"subject": entry.subject, "address": entry.address}
    detail = rows([entry.detail])[1:-1]
    conn.execute(WRITE, {"team_id": team_id, **values, "detail": detail})
