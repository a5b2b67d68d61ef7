"""/members: add users of other teams to the team, and remove them."""

from typing import Any

from litestar import delete, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Id
from headway.api.principal import require_beneath
from headway.api.repeats import WHOLE
from headway.api.routes.users import grantable
from headway.core.roles import Verb
from headway.identity import accounts
from headway.store.views import people as views


@post("/members", needs=Verb.MEMBER_MANAGE, idempotent=WHOLE)
async def add_member(api: Handed, data: JSONBody[wire.MemberRequest]) -> wire.User:
    """Add an existing user to the team. GET /users lists all members."""
    await grantable(api, data.role)

    def work(conn: Connection[Any]) -> wire.User:
        accounts.add_member(conn, api.door.team_id, data.name, data.role, api.actor)
        after = views.one(conn, data.name)
        api.door.tell(before=None, after=after)
        return after

    return await api.door.call(work)


@delete("/members/{name:str}", needs=Verb.MEMBER_MANAGE, status_code=200)
async def remove_member(api: Handed, name: Id) -> wire.User:
    """Remove a user from the team. Their sessions and tokens stop working here immediately."""

    def work(conn: Connection[Any]) -> wire.User:
        before = views.one(conn, name)
        if name != api.principal.name:
            require_beneath(conn, api.principal, name)
        accounts.remove_member(conn, api.door.team_id, name)
        api.door.tell(before=before, after=None)
        return before

    return await api.door.call(work)


ROUTES = [add_member, remove_member]
