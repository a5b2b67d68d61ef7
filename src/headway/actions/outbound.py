"""Outbound webhooks as people make, change and delete them, and deliveries that they have sent again.

The secret is sealed as those of connections are, and never shown again. What sends is a process of its own
(``headway.outbound``).
"""

from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import UNSET
from psycopg import Connection

from headway import ids, wire
from headway.actions.webhooks import new_secret
from headway.core import outbound as core
from headway.errors import Conflict, NotFound, UsageError
from headway.secrets.envelope import close, place_of
from headway.secrets.keys import Keys
from headway.secrets.stored import OUTBOUND, check_name
from headway.spec.carried import flaw_of_text
from headway.spec.errors import did_you_mean
from headway.store import outbound, sending, teams
from headway.store.clock import clock
from headway.store.envelopes import Envelope

HOOKS_MAX: Final = 20  # of a team: each may have a few requests under way
URL_CHARS_MAX: Final = 2_000
PATTERNS_MAX: Final = 50
PATTERN_CHARS_MAX: Final = 250
SECRET_CHARS: Final = range(16, 201)
DISABLED: Final = "the webhook was disabled"


def create(
    conn: Connection[Any],
    keys: Keys,
    team_id: int,
    wanted: wire.OutboundWebhookRequest,
    actor: str,
    site: str,
) -> wire.NewOutboundWebhook:
    """Create a webhook. A secret that is made is in this answer only. Raises UsageError, Conflict.

    ``site``: the address of the web interface, for links to runs.
    """
    check_name(wanted.name, "outbound webhook")
    check(wanted)
    if len(outbound.every(conn)) >= HOOKS_MAX:
        raise Conflict(
            f"the team has {HOOKS_MAX} outbound webhooks; that is the limit",
            hint="delete one that is no longer used: headway webhook outbound ls",
        )
    made = None if wanted.secret is not None else new_secret()
    values = {
        "name": wanted.name,
        "url": wanted.url,
        "dags": wanted.dags,
        "states": wanted.states,
        "events": wanted.events,
        "with_params": wanted.with_params,
        "site": site,
        "by": actor,
    }
    envelope = sealed(keys, team_id, wanted.name, wanted.secret or made)
    if not outbound.create(conn, team_id, values, envelope, clock(conn)):
        raise Conflict(
            f"the team has an outbound webhook {wanted.name!r} already",
            hint=f"choose another name, or delete it: headway webhook outbound delete {wanted.name}",
        )
    shown = msgspec.structs.asdict(find(conn, wanted.name))
    return wire.NewOutboundWebhook(**shown, id=wanted.name, secret=made)


def sealed(keys: Keys, team_id: int, name: str, secret: str | None) -> Envelope:
    return close(keys, place_of(team_id, OUTBOUND, name), {"secret": secret})


def check(wanted: wire.OutboundWebhookRequest) -> None:
    """Raises UsageError, which never repeats a secret."""
    check_url(wanted.url)
    if not 1 <= len(wanted.dags) <= PATTERNS_MAX:
        raise UsageError(
            f"give 1 to {PATTERNS_MAX} patterns of DAGs", hint="* alone means all DAGs of the team"
        )
    for pattern in wanted.dags:
        if not pattern or len(pattern) > PATTERN_CHARS_MAX or flaw_of_text(pattern):
            raise UsageError(
                f"{pattern[:40]!r} cannot be a pattern of DAGs",
                hint="write the id of a DAG, with * for any text: sales_*",
            )
    unknown = [state for state in wanted.states if state not in core.STATES]
    if unknown or not wanted.states:
        raise UsageError(
            f"{unknown[0][:40]!r} is not a state in which a run ends"
            if unknown
            else "give a state",
            hint=(unknown and did_you_mean(unknown[0], list(core.STATES)))
            or f"the states are {', '.join(core.STATES)}",
        )
    check_events(wanted.events)
    if wanted.secret is not None:
        check_secret(wanted.secret)


def check_events(events: list[str]) -> None:
    unknown = [event for event in events if event not in core.EVENTS]
    if unknown or not events:
        raise UsageError(
            f"{unknown[0][:40]!r} is not an event that is told" if unknown else "give an event",
            hint=(unknown and did_you_mean(unknown[0], list(core.EVENTS)))
            or f"the events are {', '.join(core.EVENTS)}",
        )


def check_url(url: str) -> None:
    if trouble := trouble_of(url):
        raise UsageError(
            f"the URL cannot be used: {trouble}",
            hint="write it like https://scheduler.example.com/events",
        )


def trouble_of(url: str) -> str | None:
    if len(url) > URL_CHARS_MAX:
        return f"it has more than {URL_CHARS_MAX:,} characters"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it has characters that must be encoded"
    try:
        return trouble_in(urlsplit(url))
    except ValueError as error:
        return str(error)


def trouble_in(parts: SplitResult) -> str | None:
    """Raises ValueError for a port that is not a number."""
    if parts.scheme not in ("http", "https"):
        return "it does not begin with https:// or http://"
    if not parts.hostname or parts.port == 0:
        return "it names no host"
    if "@" in parts.netloc:
        return "it has a user or a password, and everyone who sees the webhook sees its URL"
    return "it has a part after #, which is never sent" if parts.fragment else None


def check_secret(secret: str) -> None:
    if len(secret) not in SECRET_CHARS or not (secret.isascii() and secret.isprintable()):
        raise UsageError(
            f"the secret must have {SECRET_CHARS.start} to {SECRET_CHARS.stop - 1} characters of ASCII",
            hint="leave it out, and one is made",
        )


def change(
    conn: Connection[Any],
    keys: Keys,
    team_id: int,
    name: str,
    wanted: wire.OutboundWebhookChange,
    site: str,
) -> wire.OutboundWebhook:
    """Change what is given. Raises NotFound, UsageError."""
    stored = find(conn, name)
    given = {
        field: value
        for field, value in msgspec.structs.asdict(wanted).items()
        if value is not UNSET
    }
    secret, disabled = (
        given.pop("secret", None),
        given.pop("disabled", stored.disabled_at is not None),
    )
    now_so = wire.OutboundWebhookRequest(
        name=name,
        secret=secret,
        **{
            "url": stored.url,
            "dags": stored.dags,
            "states": stored.states,
            "events": stored.events,
            "with_params": stored.with_params,
            **given,
        },
    )
    check(now_so)
    values = {**msgspec.structs.asdict(now_so), "site": site, "disabled": disabled}
    outbound.change(conn, team_id, values, clock(conn))
    if secret is not None:
        outbound.seal(conn, team_id, name, sealed(keys, team_id, name, secret))
    if disabled:
        outbound.cancel(conn, team_id, name, DISABLED)
    return find(conn, name)


def listed(conn: Connection[Any]) -> list[wire.OutboundWebhook]:
    return outbound.every(conn)


def delete(conn: Connection[Any], team_id: int, name: str) -> None:
    """Delete a webhook with its deliveries: what waits is not sent. Raises NotFound."""
    find(conn, name)
    outbound.delete(conn, team_id, name)


def find(conn: Connection[Any], name: str) -> wire.OutboundWebhook:
    if (stored := outbound.find(conn, name)) is None:
        advice = did_you_mean(name, [each.name for each in outbound.every(conn)])
        raise NotFound(
            f"there is no outbound webhook {name[:200]!r}",
            hint=advice or "to list them: headway webhook outbound ls",
        )
    return stored


def deliveries(
    conn: Connection[Any], name: str, limit: int, cursor: str | None
) -> wire.Page[wire.OutboundDelivery]:
    find(conn, name)
    return outbound.deliveries(conn, name, limit, cursor)


def redeliver(conn: Connection[Any], team_id: int, name: str, number: int) -> wire.OutboundDelivery:
    """Have a delivery sent now, with the id that it had. Raises NotFound, Conflict."""
    require_enabled(find(conn, name))
    outbound.again(conn, team_id, name, number, clock(conn))
    if (kept := outbound.delivery(conn, name, number)) is None:
        raise NotFound(
            f"the outbound webhook {name} has no delivery {number}",
            hint=f"to list those that are kept: headway webhook outbound show {name}",
        )
    return kept


def ping(conn: Connection[Any], team_id: int, name: str) -> wire.OutboundDelivery:
    """Have a request sent that tells of no run, to try the URL. Raises NotFound, Conflict."""
    require_enabled(find(conn, name))
    now, event_id = clock(conn), f"{core.PING}-{ids.run_id()}"
    team = teams.one(conn, team_id).name
    body = msgspec.json.encode({"id": event_id, "event": core.PING, "team": team}).decode()
    sending.add(
        conn,
        [
            sending.New(
                team_id=team_id, name=name, event_id=event_id, event=core.PING, at=now, body=body
            )
        ],
        now,
    )
    return outbound.deliveries(conn, name, 1, None).items[0]


def require_enabled(stored: wire.OutboundWebhook) -> None:
    if stored.disabled_at is not None:
        raise Conflict(
            f"the outbound webhook {stored.name} is disabled, so nothing is sent",
            hint=f"enable it: headway webhook outbound enable {stored.name}",
        )
