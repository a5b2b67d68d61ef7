"""/outbound-webhooks: URLs to which a team has ends of runs and overdue partitions told, and what was sent there."""

from typing import Any

from litestar import delete, get, patch, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.actions import outbound as actions
from headway.api.context import Handed
from headway.api.parameters import Cursor, Id, Limit
from headway.api.repeats import ONCE, WHOLE
from headway.api.routes.webhooks import Number
from headway.core.roles import Verb


@get("/outbound-webhooks", needs=Verb.WEBHOOK_MANAGE)
async def list_outbound_webhooks(api: Handed) -> wire.Page[wire.OutboundWebhook]:
    """List outbound webhooks by name. Never their secrets."""
    return wire.Page(await api.door.call(actions.listed))


@post("/outbound-webhooks", needs=Verb.WEBHOOK_MANAGE, idempotent=ONCE)
async def create_outbound_webhook(
    api: Handed, data: JSONBody[wire.OutboundWebhookRequest]
) -> wire.NewOutboundWebhook:
    """Create an outbound webhook: it is told of what happens from now on. Only this answer contains its secret."""
    api.principal.require(Verb.RUN_READ, "have the ends of runs told")

    def work(conn: Connection[Any]) -> wire.NewOutboundWebhook:
        api.door.about(data.name)
        return actions.create(conn, api.secrets, api.door.team_id, data, api.actor, api.url)

    return await api.door.call(work)


@get("/outbound-webhooks/{name:str}", needs=Verb.WEBHOOK_MANAGE)
async def show_outbound_webhook(api: Handed, name: Id) -> wire.OutboundWebhook:
    """Get an outbound webhook, without its secret."""
    return await api.door.call(actions.find, name)


@patch("/outbound-webhooks/{name:str}", needs=Verb.WEBHOOK_MANAGE)
async def change_outbound_webhook(
    api: Handed, name: Id, data: JSONBody[wire.OutboundWebhookChange]
) -> wire.OutboundWebhook:
    """Change an outbound webhook, disable it, or enable it again. What happens while it is disabled is not told."""
    api.principal.require(Verb.RUN_READ, "have the ends of runs told")

    def work(conn: Connection[Any]) -> wire.OutboundWebhook:
        return actions.change(conn, api.secrets, api.door.team_id, name, data, api.url)

    return await api.door.call(work)


@delete("/outbound-webhooks/{name:str}", needs=Verb.WEBHOOK_MANAGE)
async def delete_outbound_webhook(api: Handed, name: Id) -> None:
    """Delete an outbound webhook with its deliveries. What waits is not sent."""
    await api.door.call(actions.delete, api.door.team_id, name)


@get("/outbound-webhooks/{name:str}/deliveries", needs=Verb.WEBHOOK_MANAGE)
async def list_outbound_deliveries(
    api: Handed, name: Id, limit: Limit = 50, cursor: Cursor = None
) -> wire.Page[wire.OutboundDelivery]:
    """List what is sent to a URL, the newest first: waiting, delivered and given up. The last 1,000 are kept."""
    return await api.door.call(actions.deliveries, name, limit, cursor)


@post(
    "/outbound-webhooks/{name:str}/deliveries/{number:str}/redeliver",
    needs=Verb.WEBHOOK_MANAGE,
    idempotent=WHOLE,
    status_code=200,
)
async def redeliver(api: Handed, name: Id, number: Number) -> wire.OutboundDelivery:
    """Send a delivery again, or now, with the same id."""
    return await api.door.call(actions.redeliver, api.door.team_id, name, number)


@post(
    "/outbound-webhooks/{name:str}/ping",
    needs=Verb.WEBHOOK_MANAGE,
    idempotent=WHOLE,
    status_code=200,
)
async def ping(api: Handed, name: Id) -> wire.OutboundDelivery:
    """Send a request that tells of no run, to try the URL. Its list of deliveries shows what came of it."""
    return await api.door.call(actions.ping, api.door.team_id, name)


ROUTES = [
    *(list_outbound_webhooks, create_outbound_webhook, show_outbound_webhook),
    *(change_outbound_webhook, delete_outbound_webhook),
    *(list_outbound_deliveries, redeliver, ping),
]
