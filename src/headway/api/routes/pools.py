"""/pools."""

from typing import Any

from litestar import delete, get, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.actions import commands
from headway.api.context import Handed
from headway.api.parameters import Id
from headway.core.roles import Role
from headway.store.views import pools as views
from headway.store.views import slots


@get("/pools", needs=Role.VIEWER)
async def list_pools(api: Handed) -> wire.Page[wire.Pool]:
    """List pools with used slots and waiting task instances."""
    return wire.Page(await api.door.call(views.every))


@get("/slots", needs=Role.VIEWER)
async def show_slots(api: Handed) -> wire.Slots:
    """Get the slots of the team, the users of each pool's slots, what waits and why, and runs that wait to start.

    A platform admin gets the slots of all teams, too.
    """
    who = api.principal
    return await api.door.call(slots.now, who.person_id if who.is_platform_admin else None)


@put("/pools/{name:str}", needs=Role.ADMIN)
async def set_pool(api: Handed, name: Id, data: JSONBody[wire.PoolRequest]) -> wire.Pool:
    """Create a pool, or change its size."""

    def work(conn: Connection[Any]) -> wire.Pool:
        before = views.find(conn, name)
        commands.resize_pool(conn, api.door.team_id, name, data.slots, api.actor)
        after = views.one(conn, name)
        api.door.tell(before=before and {"slots": before.slots}, after={"slots": after.slots})
        return after

    return await api.door.call(work)


@delete("/pools/{name:str}", needs=Role.ADMIN)
async def delete_pool(api: Handed, name: Id) -> None:
    """Delete a pool. It must not be in use."""

    def work(conn: Connection[Any]) -> None:
        before = views.one(conn, name)
        commands.delete_pool(conn, api.door.team_id, name, api.actor)
        api.door.tell(before={"slots": before.slots}, after=None)

    await api.door.call(work)


ROUTES = [list_pools, show_slots, set_pool, delete_pool]
