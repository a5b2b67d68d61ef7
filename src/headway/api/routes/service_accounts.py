"""/service-accounts: programs of the team. They have tokens, and no other way to sign in."""

from typing import Any

from litestar import post
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.context import Handed
from headway.api.repeats import WHOLE
from headway.api.routes.users import grantable
from headway.core.roles import Verb
from headway.identity import accounts
from headway.store.views import people as views


@post("/service-accounts", needs=Verb.TOKEN_MANAGE, idempotent=WHOLE)
async def create_service_account(
    api: Handed, data: JSONBody[wire.ServiceAccountRequest]
) -> wire.User:
    """Create a service account, called ``name@team``. POST /tokens with ``user`` gives it a token; PATCH and GET
    /users change and list it like other members.
    """
    await grantable(api, data.role)
    name = f"{data.name}@{api.principal.team}"

    def work(conn: Connection[Any]) -> wire.User:
        shown = data.display_name or data.name
        accounts.create_service(conn, api.door.team_id, name, shown, data.role, api.actor)
        made = views.one(conn, name)
        api.door.tell(before=None, after=made)
        return made

    return await api.door.call(work)


ROUTES = [create_service_account]
