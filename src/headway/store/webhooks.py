"""Webhooks and what came to them. Every function takes a connection; none commits."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from headway import wire
from headway.store.envelopes import Envelope
from headway.store.views import pages

KEPT: Final = 1_000  # deliveries of a webhook
REMEMBERED: Final = timedelta(days=365)  # signatures that say no time
REFUSED_KEPT: Final = 100
SURELY: Final = timedelta(
    minutes=15
)  # kept whatever their number: longer than a signature is good for

COLUMNS: Final[LiteralString] = """
    name, hook_id, kind, target, fields, key_path, partition_path, disabled_at, overlap_until, created_at, created_by,
    key_id, wrapped, sealed
"""

TEAM: LiteralString = "SELECT team_of_webhook(%(hook_id)s)"

EVERY: LiteralString = f"SELECT {COLUMNS} FROM webhook ORDER BY name"

NAMED: LiteralString = f"SELECT {COLUMNS} FROM webhook WHERE name = %(name)s"

OF_ADDRESS: LiteralString = f"SELECT {COLUMNS} FROM webhook WHERE hook_id = %(hook_id)s"

# Until the delivery is kept: what carries the same signature at the same time waits, and finds it.
LOCK: LiteralString = (
    "SELECT FROM webhook WHERE team_id = %(team_id)s AND name = %(name)s FOR UPDATE"
)

CREATE: LiteralString = """
    INSERT INTO webhook (team_id, name, hook_id, kind, target, fields, key_path, partition_path, key_id, wrapped,
        sealed, created_at, created_by)
    VALUES (%(team_id)s, %(name)s, %(hook_id)s, %(kind)s, %(target)s, %(fields)s::json, %(key_path)s,
        %(partition_path)s, %(key_id)s, %(wrapped)s, %(sealed)s, %(now)s, %(by)s)
    ON CONFLICT (team_id, name) DO NOTHING RETURNING name
"""

ROTATE: LiteralString = """
    UPDATE webhook SET key_id = %(key_id)s, wrapped = %(wrapped)s, sealed = %(sealed)s, overlap_until = %(until)s
    WHERE team_id = %(team_id)s AND name = %(name)s
"""

SWITCH: LiteralString = """
    UPDATE webhook SET disabled_at = CASE WHEN %(disabled)s THEN coalesce(disabled_at, %(now)s) END
    WHERE team_id = %(team_id)s AND name = %(name)s
"""

DELETE: LiteralString = "DELETE FROM webhook WHERE team_id = %(team_id)s AND name = %(name)s"

SEEN: LiteralString = """
    SELECT made FROM webhook_delivery WHERE team_id = %(team_id)s AND name = %(name)s AND digest = %(digest)s
    UNION ALL
    SELECT made FROM webhook_signature WHERE team_id = %(team_id)s AND name = %(name)s AND digest = %(digest)s
    LIMIT 1
"""

REMEMBER: LiteralString = """
    INSERT INTO webhook_signature (team_id, name, digest, made, at)
    VALUES (%(team_id)s, %(name)s, %(digest)s, %(made)s, %(at)s)
"""

FORGET: LiteralString = """
    DELETE FROM webhook_signature WHERE team_id = %(team_id)s AND name = %(name)s AND at < %(before)s
"""

# By the same key another delivery, signed anew, makes what is there already.
MADE_BEFORE: LiteralString = """
    SELECT EXISTS (SELECT FROM webhook_delivery WHERE team_id = %(team_id)s AND name = %(name)s AND made = %(made)s)
"""

KEEP: LiteralString = """
    INSERT INTO webhook_delivery (team_id, name, at, outcome, detail, delivery_id, digest, body, made, address,
        replay_of)
    VALUES (%(team_id)s, %(name)s, %(at)s, %(outcome)s, %(detail)s, %(delivery_id)s, %(digest)s, %(body)s, %(made)s,
        %(address)s, %(replay_of)s)
    RETURNING delivery_no
"""

# What is beyond the last ones, and old enough that no signature of it is good any more. Refused ones are counted by
# themselves, so that they push no other out.
PRUNE: LiteralString = """
    DELETE FROM webhook_delivery WHERE team_id = %(team_id)s AND name = %(name)s AND at < %(before)s
        AND (outcome = 'refused') = %(refused)s AND delivery_no <= (
            SELECT delivery_no FROM webhook_delivery
            WHERE team_id = %(team_id)s AND name = %(name)s AND (outcome = 'refused') = %(refused)s
            ORDER BY delivery_no DESC OFFSET %(kept)s LIMIT 1)
"""

DELIVERIES: LiteralString = """
    SELECT delivery_no AS number, at, outcome, detail, delivery_id, made, address, body,
        replay_of
    FROM webhook_delivery
    WHERE name = %(name)s AND (%(number)s::bigint IS NULL OR delivery_no = %(number)s)
        AND (%(before)s::bigint IS NULL OR delivery_no < %(before)s)
    ORDER BY delivery_no DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Stored:
    name: str
    hook_id: str
    kind: str
    target: str
    fields: dict[str, str]
    key_path: str | None
    partition_path: str | None
    disabled_at: datetime | None
    overlap_until: datetime | None
    created_at: datetime
    created_by: str
    key_id: str
    wrapped: bytes
    sealed: bytes

    @property
    def envelope(self) -> Envelope:
        return Envelope(self.key_id, self.wrapped, self.sealed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    name: str
    at: datetime
    outcome: str
    detail: str
    address: str
    delivery_id: str | None = None
    digest: bytes | None = None
    body: str | None = None
    made: str | None = None
    replay_of: int | None = None


def team_of(conn: Connection[Any], hook_id: str) -> int | None:
    """Return the team to which an address belongs."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(TEAM, {"hook_id": hook_id}).fetchone()
        return found


def every(conn: Connection[Any]) -> list[Stored]:
    with conn.cursor(row_factory=class_row(Stored)) as cursor:
        return cursor.execute(EVERY).fetchall()


def find(conn: Connection[Any], name: str) -> Stored | None:
    with conn.cursor(row_factory=class_row(Stored)) as cursor:
        return cursor.execute(NAMED, {"name": name}).fetchone()


def of_address(conn: Connection[Any], hook_id: str) -> Stored | None:
    with conn.cursor(row_factory=class_row(Stored)) as cursor:
        return cursor.execute(OF_ADDRESS, {"hook_id": hook_id}).fetchone()


def lock(conn: Connection[Any], team_id: int, name: str) -> None:
    conn.execute(LOCK, {"team_id": team_id, "name": name})


def create(
    conn: Connection[Any], team_id: int, values: dict[str, Any], envelope: Envelope, now: datetime
) -> bool:
    """Store a webhook. Returns False if there is one with its name."""
    given = {**values, **asdict(envelope), "team_id": team_id, "now": now}
    return conn.execute(CREATE, given).fetchone() is not None


def rotate(
    conn: Connection[Any], team_id: int, name: str, envelope: Envelope, until: datetime
) -> None:
    values = {**asdict(envelope), "team_id": team_id, "name": name, "until": until}
    conn.execute(ROTATE, values)


def switch(
    conn: Connection[Any], team_id: int, name: str, now: datetime, *, disabled: bool
) -> None:
    conn.execute(SWITCH, {"team_id": team_id, "name": name, "now": now, "disabled": disabled})


def delete(conn: Connection[Any], team_id: int, name: str) -> None:
    conn.execute(DELETE, {"team_id": team_id, "name": name})


def seen(conn: Connection[Any], team_id: int, name: str, digest: bytes) -> str | None:
    """Return what an earlier delivery with the same signature made."""
    values = {"team_id": team_id, "name": name, "digest": digest}
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: str | None = cursor.execute(SEEN, values).fetchone()
        return found


def made_before(conn: Connection[Any], team_id: int, name: str, made: str) -> bool:
    row = conn.execute(MADE_BEFORE, {"team_id": team_id, "name": name, "made": made}).fetchone()
    return row is not None and bool(row[0])


def keep(conn: Connection[Any], team_id: int, delivery: Delivery) -> int:
    """Keep a delivery, and drop the oldest of its webhook. Returns its number."""
    values = {**asdict(delivery), "team_id": team_id}
    refused = delivery.outcome == "refused"
    kept, before = (REFUSED_KEPT, delivery.at) if refused else (KEPT, delivery.at - SURELY)
    conn.execute(PRUNE, {**values, "before": before, "kept": kept - 1, "refused": refused})
    with conn.cursor(row_factory=scalar_row) as cursor:
        number: int | None = cursor.execute(KEEP, values).fetchone()
    assert number is not None
    return number


def remember(conn: Connection[Any], team_id: int, delivery: Delivery) -> None:
    """Keep the signature of a delivery for longer than the delivery, and drop those that are too old."""
    values = {**asdict(delivery), "team_id": team_id}
    conn.execute(FORGET, {**values, "before": delivery.at - REMEMBERED})
    conn.execute(REMEMBER, values)


def deliveries(
    conn: Connection[Any], name: str, limit: int, cursor: str | None
) -> wire.Page[wire.WebhookDelivery]:
    """Return deliveries, the newest first."""
    limit = pages.capped(limit)
    before = pages.decode(cursor, tuple[int])[0] if cursor else None
    found = delivered(conn, {"name": name, "number": None, "before": before, "limit": limit + 1})
    more = pages.encode((found[limit - 1].number,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)


def delivery(conn: Connection[Any], name: str, number: int) -> wire.WebhookDelivery | None:
    found = delivered(conn, {"name": name, "number": number, "before": None, "limit": 1})
    return found[0] if found else None


def delivered(conn: Connection[Any], values: dict[str, Any]) -> list[wire.WebhookDelivery]:
    with conn.cursor(row_factory=class_row(wire.WebhookDelivery)) as cursor:
        return cursor.execute(DELIVERIES, values).fetchall()
