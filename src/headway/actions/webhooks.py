"""Webhooks: made, changed and deleted by people; deliveries of other systems, which become events of assets and runs.

The secrets of a webhook are sealed as those of connections are. A delivery is kept in the transaction that makes what
it asks for, so that the same signature makes it once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway import ids, wire
from headway.actions import assets, commands
from headway.actions.commands import RunRequest
from headway.core import webhooks as core
from headway.core.aliases import alias_of
from headway.core.foreign import foreign
from headway.core.webhooks import BODY_BYTES_MAX, ID_CHARS_MAX, Proof, Refused
from headway.errors import Conflict, HeadwayError, NotFound, UsageError
from headway.secrets.envelope import close, open_envelope, place_of
from headway.secrets.keys import Keys
from headway.secrets.stored import WEBHOOK, check_name
from headway.spec.carried import flaw_of_text
from headway.spec.errors import did_you_mean
from headway.store import webhooks
from headway.store.clock import clock
from headway.store.views import assets as asset_views
from headway.store.views import dags as dag_views
from headway.store.webhooks import Delivery, Stored

PREFIX: Final = "hws_"  # so that scanners of sources find one that was left there
HOOKS_MAX: Final = 200  # of a team


@dataclass(frozen=True, slots=True)
class Post:
    """A request to the address of a webhook. Names of headers are lower case."""

    hook_id: str
    headers: Mapping[str, str]
    body: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Unproven:
    """A request that nobody proved to be theirs, or of a webhook that there is not."""


Outcome = wire.Delivered | HeadwayError | Unproven


# -- what people do


def create(
    conn: Connection[Any],
    keys: Keys,
    team_id: int,
    wanted: wire.WebhookRequest,
    actor: str,
    base: str,
) -> wire.NewWebhook:
    """Create a webhook. Its secret is in this answer only. Raises UsageError, NotFound, Conflict."""
    check(wanted)
    if wanted.asset is not None:
        asset_views.require(conn, wanted.asset)
    else:
        dag_views.require(conn, str(wanted.dag_id))
    if len(webhooks.every(conn)) >= HOOKS_MAX:
        raise Conflict(
            f"the team has {HOOKS_MAX} webhooks; that is the limit",
            hint="delete one that is no longer used: headway webhook ls",
        )
    secret = new_secret()
    values = {
        "name": wanted.name,
        "hook_id": ids.token() + ids.token(),
        "kind": "asset" if wanted.asset is not None else "dag",
        "target": wanted.asset if wanted.asset is not None else wanted.dag_id,
        "fields": msgspec.json.encode(wanted.fields).decode(),
        "key_path": wanted.key_path,
        "partition_path": wanted.partition_path,
        "by": actor,
    }
    envelope = close(keys, place_of(team_id, WEBHOOK, wanted.name), {"secret": secret})
    if not webhooks.create(conn, team_id, values, envelope, clock(conn)):
        raise Conflict(
            f"the team has a webhook {wanted.name!r} already",
            hint=f"choose another name, or delete it: headway webhook delete {wanted.name}",
        )
    return with_secret(find(conn, wanted.name), secret, base)


def check(wanted: wire.WebhookRequest) -> None:
    check_name(wanted.name, "webhook")
    if (wanted.asset is None) == (wanted.dag_id is None):
        raise UsageError("give either an asset or a DAG: a webhook reports to one of them")
    if wanted.asset is not None and (alias := alias_of(wanted.asset)) is not None:
        raise UsageError(
            f"{alias!r} is an alias, which has no events of its own",
            hint="name one of its assets",
        )
    if wanted.asset is not None and (other := foreign(wanted.asset)) is not None:
        raise UsageError(
            f"{wanted.asset} is of the team {other.team}",
            hint="only that team can report its events",
        )
    if wanted.dag_id is not None and wanted.partition_path is not None:
        raise UsageError("a run has no partition; only events of assets have one")
    if len(wanted.fields) > core.FIELDS_MAX:
        raise UsageError(f"{len(wanted.fields)} fields; the limit is {core.FIELDS_MAX}")
    named = [*wanted.fields.items(), ("key", wanted.key_path), ("partition", wanted.partition_path)]
    for name, path in named:
        for text in (name, path):
            if text is not None and (
                not text or len(text) > core.PATH_CHARS_MAX or flaw_of_text(text)
            ):
                raise UsageError(
                    f"the path of {name[:40]!r} cannot be used",
                    hint="a path is like order.items.0.id; a dot alone is the whole body",
                )


def new_secret() -> str:
    return PREFIX + ids.token() + ids.token()


def rotate(
    conn: Connection[Any], keys: Keys, team_id: int, name: str, overlap: timedelta, base: str
) -> wire.NewWebhook:
    """Give a webhook another secret. The one before counts for the overlap, too. Raises NotFound."""
    webhooks.lock(conn, team_id, name)
    stored, secret = find(conn, name), new_secret()
    before = open_envelope(keys, place_of(team_id, WEBHOOK, name), stored.envelope)["secret"]
    fields = {"secret": secret, "before": before}
    envelope = close(keys, place_of(team_id, WEBHOOK, name), fields)
    webhooks.rotate(conn, team_id, name, envelope, clock(conn) + overlap)
    return with_secret(find(conn, name), secret, base)


def switch(
    conn: Connection[Any], team_id: int, name: str, base: str, *, disabled: bool
) -> wire.Webhook:
    """Disable a webhook, or enable it again. Raises NotFound."""
    find(conn, name)
    webhooks.switch(conn, team_id, name, clock(conn), disabled=disabled)
    return shown(find(conn, name), base)


def delete(conn: Connection[Any], team_id: int, name: str) -> None:
    """Delete a webhook with its deliveries. Its address is then unknown. Raises NotFound."""
    find(conn, name)
    webhooks.delete(conn, team_id, name)


def find(conn: Connection[Any], name: str) -> Stored:
    if (stored := webhooks.find(conn, name)) is None:
        advice = did_you_mean(name, [each.name for each in webhooks.every(conn)])
        raise NotFound(
            f"there is no webhook {name[:200]!r}",
            hint=advice or "to list webhooks: headway webhook ls",
        )
    return stored


def listed(conn: Connection[Any], base: str) -> list[wire.Webhook]:
    return [shown(stored, base) for stored in webhooks.every(conn)]


def show(conn: Connection[Any], name: str, base: str) -> wire.Webhook:
    return shown(find(conn, name), base)


def deliveries(
    conn: Connection[Any], name: str, limit: int, cursor: str | None
) -> wire.Page[wire.WebhookDelivery]:
    find(conn, name)
    return webhooks.deliveries(conn, name, limit, cursor)


def shown(stored: Stored, base: str) -> wire.Webhook:
    return wire.Webhook(
        name=stored.name,
        url=f"{base}/api/v1/hooks/{stored.hook_id}",
        kind=stored.kind,
        target=stored.target,
        fields=stored.fields,
        key_path=stored.key_path,
        partition_path=stored.partition_path,
        created_at=stored.created_at,
        created_by=stored.created_by,
        disabled_at=stored.disabled_at,
        overlap_until=stored.overlap_until,
    )


def with_secret(stored: Stored, secret: str, base: str) -> wire.NewWebhook:
    known = msgspec.structs.asdict(shown(stored, base))
    return wire.NewWebhook(**known, id=stored.name, secret=secret)


# -- what other systems send


def receive(
    conn: Connection[Any], keys: Keys, team_id: int, post: Post, take: Callable[[int], None]
) -> Outcome:
    """Take a request to an address of the team: keep it, and make what it asks for.

    Who is not proven by a signature is told nothing, whatever the reason is. ``take`` raises RateLimited for a team
    that has had too many of the others.
    """
    now = clock(conn)
    stored = webhooks.of_address(conn, post.hook_id)
    if stored is None:
        return Unproven()
    proof = core.verify(secrets_of(keys, team_id, stored, now), post.headers, post.body, now)
    if isinstance(proof, Proof) and stored.disabled_at is not None:
        proof = Refused.DISABLED
    if isinstance(proof, Refused):
        refused = Delivery(
            name=stored.name, at=now, outcome="refused", detail=proof, address=post.address
        )
        webhooks.keep(conn, team_id, refused)
        return Unproven()
    take(team_id)
    webhooks.lock(conn, team_id, stored.name)
    if (made := webhooks.seen(conn, team_id, stored.name, proof.digest)) is not None:
        return wire.Delivered(made=made, repeated=True)
    return deliver(conn, team_id, stored, post, proof, now)


def secrets_of(keys: Keys, team_id: int, stored: Stored, now: datetime) -> list[str]:
    opened = open_envelope(keys, place_of(team_id, WEBHOOK, stored.name), stored.envelope)
    found = [str(opened["secret"])]
    if "before" in opened and stored.overlap_until is not None and now < stored.overlap_until:
        found.append(str(opened["before"]))
    return found


def deliver(
    conn: Connection[Any], team_id: int, stored: Stored, post: Post, proof: Proof, now: datetime
) -> wire.Delivered | HeadwayError:
    delivery_id = (proof.delivery or "")[:ID_CHARS_MAX] or None
    if delivery_id is not None and flaw_of_text(delivery_id) is not None:
        delivery_id = None
    body: str | None = None
    try:
        read = body_of(post.body)
        body = post.body.decode()
        with conn.transaction():  # a savepoint: a delivery that makes nothing is kept, too
            made = make(conn, team_id, stored, read, key_of(stored, read, delivery_id, proof))
    except HeadwayError as error:
        webhooks.keep(
            conn,
            team_id,
            Delivery(
                name=stored.name,
                at=now,
                outcome="failed",
                detail=error.message[:500],
                address=post.address,
                delivery_id=delivery_id,
                body=body,
            ),
        )
        return error
    repeated = webhooks.made_before(conn, team_id, stored.name, made)
    accepted = Delivery(
        name=stored.name,
        at=now,
        outcome="accepted",
        detail="it was made before" if repeated else "",
        address=post.address,
        delivery_id=delivery_id,
        digest=proof.digest,
        body=body,
        made=made,
    )
    webhooks.keep(conn, team_id, accepted)
    if not proof.is_timed:
        webhooks.remember(conn, team_id, accepted)
    return wire.Delivered(made=made, repeated=repeated)


def body_of(body: bytes) -> Any:
    """Read a body as JSON; an empty one is an empty object. Raises UsageError."""
    if len(body) > BODY_BYTES_MAX:
        raise UsageError(f"the body has more than {BODY_BYTES_MAX:,} bytes")
    try:
        return msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UsageError(
            "the body is not JSON", hint="send Content-Type: application/json"
        ) from None


def key_of(stored: Stored, body: Any, delivery_id: str | None, proof: Proof) -> str:
    """Return the idempotency key: that of the body, else the id of the delivery, else what was signed."""
    key = delivery_id or proof.digest.hex()
    if stored.key_path is not None:
        found = core.word_at(body, stored.key_path)
        if found is None:
            raise UsageError(f"the body has no text or number at {stored.key_path!r}, its key")
        key = found
    if len(key) > ID_CHARS_MAX:
        key = sha256(key.encode()).hexdigest()
    return f"webhook:{stored.name}:{key}"


def make(conn: Connection[Any], team_id: int, stored: Stored, body: Any, key: str) -> str:
    """Report the event or start the run. Returns its id. Raises what that raises."""
    values, absent = core.picked(stored.fields, body)
    if absent:
        raise UsageError(
            f"the body has nothing at {', '.join(sorted(absent))[:200]}",
            hint="send these fields, or change those of the webhook",
        )
    actor = f"webhook:{stored.name}"
    if stored.kind == "dag":
        request = RunRequest(params=values, key=key)
        (run_id,) = commands.trigger(conn, team_id, stored.target, [request], actor)
        return run_id
    partition = None
    if stored.partition_path is not None:
        partition = core.word_at(body, stored.partition_path)
        if partition is None:
            raise UsageError(f"the body has no text or number at {stored.partition_path!r}")
    event = wire.AssetEventRequest(
        asset=stored.target, extra=values, partition=partition, idempotency_key=key
    )
    return str(assets.emit(conn, team_id, event, actor).event_id)


def replay(
    conn: Connection[Any], team_id: int, name: str, number: int, address: str
) -> wire.Delivered:
    """Make again what a kept delivery asked for. Raises NotFound, Conflict, and what that raises."""
    stored = find(conn, name)
    kept = webhooks.delivery(conn, name, number)
    if kept is None:
        raise NotFound(
            f"the webhook {name} has no delivery {number}",
            hint=f"to list those that are kept: headway webhook show {name}",
        )
    if kept.body is None:
        raise Conflict(
            f"delivery {number} cannot be replayed: it was refused, so its body is not kept",
            hint="ask the sender to send it again",
        )
    made = make(
        conn, team_id, stored, body_of(kept.body.encode()), f"webhook:{name}:replay:{ids.run_id()}"
    )
    again = Delivery(
        name=name,
        at=clock(conn),
        outcome="accepted",
        detail=f"replay of {number}",
        address=address,
        delivery_id=kept.delivery_id,
        body=kept.body,
        made=made,
        replay_of=number,
    )
    webhooks.keep(conn, team_id, again)
    return wire.Delivered(made=made, repeated=False)
