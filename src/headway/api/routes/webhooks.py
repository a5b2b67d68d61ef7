"""/webhooks: addresses at which other systems report events and start runs. /hooks: what comes there."""

from datetime import timedelta
from typing import Annotated, Any, Final

from litestar import Request, delete, get, patch, post
from litestar.params import JSONBody, PathParameter
from psycopg import Connection

from headway import wire
from headway.actions import webhooks as actions
from headway.actions.webhooks import Outcome, Post
from headway.api.access import PUBLIC
from headway.api.context import Handed
from headway.api.parameters import INT64_MAX, Cursor, Id, Limit
from headway.api.principal import Principal
from headway.api.record import address_of
from headway.api.repeats import ONCE, WHOLE
from headway.api.routes.session import OPEN
from headway.core.crowds import crowd_of
from headway.core.roles import Verb
from headway.core.webhooks import BODY_BYTES_MAX
from headway.errors import HeadwayError, NotFound, UsageError
from headway.store import webhooks

OVERLAP_HOURS_MAX: Final = 720
Number = Annotated[int, PathParameter(ge=1, le=INT64_MAX)]


@get("/webhooks", needs=Verb.WEBHOOK_MANAGE)
async def list_webhooks(api: Handed) -> wire.Page[wire.Webhook]:
    """List webhooks by name. Never their secrets."""
    return wire.Page(await api.door.call(actions.listed, api.url))


@post("/webhooks", needs=Verb.WEBHOOK_MANAGE, idempotent=ONCE)
async def create_webhook(api: Handed, data: JSONBody[wire.WebhookRequest]) -> wire.NewWebhook:
    """Create a webhook. Only this answer contains its secret."""
    require_of(api.principal, "create", is_dag=data.dag_id is not None)

    def work(conn: Connection[Any]) -> wire.NewWebhook:
        api.door.about(data.name)
        return actions.create(conn, api.secrets, api.door.team_id, data, api.actor, api.url)

    return await api.door.call(work)


@get("/webhooks/{name:str}", needs=Verb.WEBHOOK_MANAGE)
async def show_webhook(api: Handed, name: Id) -> wire.Webhook:
    """Get a webhook, without its secret."""
    return await api.door.call(actions.show, name, api.url)


@patch("/webhooks/{name:str}", needs=Verb.WEBHOOK_MANAGE)
async def change_webhook(api: Handed, name: Id, data: JSONBody[wire.WebhookChange]) -> wire.Webhook:
    """Disable a webhook, or enable it again. A disabled one answers as if it did not exist."""

    def work(conn: Connection[Any]) -> wire.Webhook:
        if not data.disabled:
            require_for(conn, api.principal, name, "enable")
        return actions.switch(conn, api.door.team_id, name, api.url, disabled=data.disabled)

    return await api.door.call(work)


@post("/webhooks/{name:str}/rotate", needs=Verb.WEBHOOK_MANAGE, idempotent=ONCE, status_code=200)
async def rotate_webhook(
    api: Handed, name: Id, data: JSONBody[wire.WebhookRotation]
) -> wire.NewWebhook:
    """Give a webhook another secret, which only this answer contains. The one before counts for the overlap, too."""
    if not 0 <= data.overlap_hours <= OVERLAP_HOURS_MAX:
        raise UsageError(f"overlap_hours must be from 0 to {OVERLAP_HOURS_MAX}")
    overlap = timedelta(hours=data.overlap_hours)

    def work(conn: Connection[Any]) -> wire.NewWebhook:
        require_for(conn, api.principal, name, "have the secret of")
        return actions.rotate(conn, api.secrets, api.door.team_id, name, overlap, api.url)

    return await api.door.call(work)


@delete("/webhooks/{name:str}", needs=Verb.WEBHOOK_MANAGE)
async def delete_webhook(api: Handed, name: Id) -> None:
    """Delete a webhook with the list of what came to it."""
    await api.door.call(actions.delete, api.door.team_id, name)


@get("/webhooks/{name:str}/deliveries", needs=Verb.WEBHOOK_MANAGE)
async def list_deliveries(
    api: Handed, name: Id, limit: Limit = 50, cursor: Cursor = None
) -> wire.Page[wire.WebhookDelivery]:
    """List what came to a webhook, the newest first: accepted, failed and refused. The last 1,000 are kept."""
    return await api.door.call(actions.deliveries, name, limit, cursor)


@post(
    "/webhooks/{name:str}/deliveries/{number:str}/replay",
    needs=Verb.WEBHOOK_MANAGE,
    idempotent=WHOLE,
    status_code=200,
)
async def replay_delivery(
    api: Handed, request: Request[Any, Any, Any], name: Id, number: Number
) -> wire.Delivered:
    """Make again what a delivery asked for, as a new event or run."""
    address = address_of(request)

    def work(conn: Connection[Any]) -> wire.Delivered:
        require_for(conn, api.principal, name, "replay a delivery of")
        made = actions.replay(conn, api.door.team_id, name, number, address)
        api.door.tell(after=made)
        return made

    return await api.door.call(work)


@post(
    "/hooks/{slug:str}",
    needs=PUBLIC,
    security=OPEN,
    no_browser=True,
    status_code=200,
    request_max_body_size=BODY_BYTES_MAX,
)
async def receive(api: Handed, request: Request[Any, Any, Any], slug: Id) -> wire.Delivered:
    """Take what another system sends to a webhook, with a signature in ``X-Headway-Signature`` or
    ``X-Hub-Signature-256``. An unknown webhook, a disabled one and a wrong signature have one answer.
    """
    address = address_of(request)
    api.hook_rate.take(crowd_of(address))
    headers = {name.lower(): value for name, value in request.headers.items()}
    arrived = Post(slug, headers, await request.body(), address)
    team_id = await api.door.call(webhooks.team_of, slug)
    if team_id is None:
        raise unproven()

    def work(conn: Connection[Any]) -> Outcome:
        return actions.receive(conn, api.secrets, team_id, arrived, api.hook_team_rate.take)

    match await api.door.of(team_id).call(work):
        case wire.Delivered() as made:
            return made
        case HeadwayError() as error:
            raise error
        case _:
            raise unproven()


def unproven() -> HeadwayError:
    return NotFound(
        "there is no such webhook, or the signature of the request is wrong or too old",
        hint="check the address, the secret and the clock of the sender",
    )


def require_for(conn: Connection[Any], who: Principal, name: str, what: str) -> None:
    """Raise NotAllowed for who may not do what a webhook does, or NotFound."""
    require_of(who, what, is_dag=actions.find(conn, name).kind == "dag")


def require_of(who: Principal, what: str, *, is_dag: bool) -> None:
    """Raise NotAllowed: who has the secret of a webhook, or replays what came to it, does what it does."""
    if is_dag:
        who.require(Verb.RUN_TRIGGER, f"{what} a webhook that starts runs")
    else:
        who.require(Verb.ASSET_EMIT, f"{what} a webhook that reports events")


ROUTES = [
    *(list_webhooks, create_webhook, show_webhook, change_webhook, rotate_webhook, delete_webhook),
    *(list_deliveries, replay_delivery, receive),
]
