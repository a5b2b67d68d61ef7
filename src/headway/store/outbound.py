"""Outbound webhooks as people make and see them. Every function takes a connection; none commits.

What sends has its own statements: ``store.sending``.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from headway import wire
from headway.store.envelopes import Envelope
from headway.store.views import pages

COLUMNS: Final[LiteralString] = """
    name, url, dags, states, events, with_params, disabled_at, failing_since, trouble, created_at, created_by
"""

EVERY: LiteralString = f"SELECT {COLUMNS} FROM outbound_webhook ORDER BY name"

NAMED: LiteralString = f"SELECT {COLUMNS} FROM outbound_webhook WHERE name = %(name)s"

CREATE: LiteralString = """
    INSERT INTO outbound_webhook (team_id, name, url, dags, states, events, with_params, site, active_since, key_id,
        wrapped, sealed, created_at, created_by)
    VALUES (%(team_id)s, %(name)s, %(url)s, %(dags)s, %(states)s, %(events)s, %(with_params)s, %(site)s, %(now)s,
        %(key_id)s, %(wrapped)s, %(sealed)s, %(now)s, %(by)s)
    ON CONFLICT (team_id, name) DO NOTHING RETURNING name
"""

# What ended while it was disabled is not told.
CHANGE: LiteralString = """
    UPDATE outbound_webhook SET url = %(url)s, dags = %(dags)s, states = %(states)s, events = %(events)s,
        with_params = %(with_params)s, site = %(site)s,
        active_since = CASE WHEN disabled_at IS NULL OR %(disabled)s THEN active_since ELSE %(now)s END,
        disabled_at = CASE WHEN %(disabled)s THEN coalesce(disabled_at, %(now)s) END
    WHERE team_id = %(team_id)s AND name = %(name)s
"""

SEAL: LiteralString = """
    UPDATE outbound_webhook SET key_id = %(key_id)s, wrapped = %(wrapped)s, sealed = %(sealed)s
    WHERE team_id = %(team_id)s AND name = %(name)s
"""

DELETE: LiteralString = (
    "DELETE FROM outbound_webhook WHERE team_id = %(team_id)s AND name = %(name)s"
)

# Those that a webhook has left when it is disabled.
CANCEL: LiteralString = """
    UPDATE outbound_delivery SET status = 'given_up', next_at = NULL, trouble = %(trouble)s
    WHERE team_id = %(team_id)s AND name = %(name)s AND next_at IS NOT NULL
"""

AGAIN: LiteralString = """
    UPDATE outbound_delivery SET status = 'waiting', next_at = %(now)s, since = %(now)s, tries = 0
    WHERE team_id = %(team_id)s AND name = %(name)s AND delivery_no = %(number)s
"""

DELIVERIES: LiteralString = """
    SELECT delivery_no AS number, event_id, at, dag_id, run_id, state, event, partition, status, tries, tried_at, code,
        trouble, answer, took_ms, next_at, body
    FROM outbound_delivery
    WHERE name = %(name)s AND (%(number)s::bigint IS NULL OR delivery_no = %(number)s)
        AND (%(before)s::bigint IS NULL OR delivery_no < %(before)s)
    ORDER BY delivery_no DESC LIMIT %(limit)s
"""


def every(conn: Connection[Any]) -> list[wire.OutboundWebhook]:
    with conn.cursor(row_factory=class_row(wire.OutboundWebhook)) as cursor:
        return cursor.execute(EVERY).fetchall()


def find(conn: Connection[Any], name: str) -> wire.OutboundWebhook | None:
    with conn.cursor(row_factory=class_row(wire.OutboundWebhook)) as cursor:
        return cursor.execute(NAMED, {"name": name}).fetchone()


def create(
    conn: Connection[Any],
    team_id: int,
    values: Mapping[str, Any],
    envelope: Envelope,
    now: datetime,
) -> bool:
    """Store a webhook. Returns False if there is one with its name."""
    given = {**values, **asdict(envelope), "team_id": team_id, "now": now}
    return conn.execute(CREATE, given).fetchone() is not None


def change(conn: Connection[Any], team_id: int, values: Mapping[str, Any], now: datetime) -> None:
    conn.execute(CHANGE, {**values, "team_id": team_id, "now": now})


def seal(conn: Connection[Any], team_id: int, name: str, envelope: Envelope) -> None:
    conn.execute(SEAL, {**asdict(envelope), "team_id": team_id, "name": name})


def delete(conn: Connection[Any], team_id: int, name: str) -> None:
    conn.execute(DELETE, {"team_id": team_id, "name": name})


def cancel(conn: Connection[Any], team_id: int, name: str, trouble: str) -> None:
    """Give up what a webhook has left to send."""
    conn.execute(CANCEL, {"team_id": team_id, "name": name, "trouble": trouble})


def again(conn: Connection[Any], team_id: int, name: str, number: int, now: datetime) -> None:
    """Send a delivery as if for the first time, with the id that it had."""
    conn.execute(AGAIN, {"team_id": team_id, "name": name, "number": number, "now": now})


def deliveries(
    conn: Connection[Any], name: str, limit: int, cursor: str | None
) -> wire.Page[wire.OutboundDelivery]:
    """Return deliveries, the newest first."""
    limit = pages.capped(limit)
    before = pages.decode(cursor, tuple[int])[0] if cursor else None
    found = listed(conn, {"name": name, "number": None, "before": before, "limit": limit + 1})
    more = pages.encode((found[limit - 1].number,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)


def delivery(conn: Connection[Any], name: str, number: int) -> wire.OutboundDelivery | None:
    found = listed(conn, {"name": name, "number": number, "before": None, "limit": 1})
    return found[0] if found else None


def listed(conn: Connection[Any], values: Mapping[str, Any]) -> list[wire.OutboundDelivery]:
    with conn.cursor(row_factory=class_row(wire.OutboundDelivery)) as cursor:
        return cursor.execute(DELIVERIES, values).fetchall()
