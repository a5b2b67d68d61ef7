"""/pools."""

from typing import Annotated, Any

from litestar import delete, get, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.actions import commands
from headway.api.context import Handed
from headway.api.parameters import Id, up_to
from headway.core.roles import Verb
from headway.store import teams
from headway.store.views import pools as views
from headway.store.views import slot_history, slots


@get("/pools", needs=Verb.POOL_READ)
async def list_pools(api: Handed) -> wire.Page[wire.Pool]:
    """List pools with used slots and waiting task instances."""
    return wire.Page(await api.door.call(views.every))


@get("/slots", needs=Verb.POOL_READ)
async def show_slots(api: Handed) -> wire.Slots:
    """Get the slots of the team, the users of each pool's slots, what waits and why, and runs that wait to start.

    A platform admin gets the slots of all teams, too.
    """
    who = api.principal
    return await api.door.call(slots.now, who.person_id if who.is_platform_admin else None)


@get("/slots/attempts", needs=Verb.RUN_READ)
async def show_slot_history(
    api: Handed, hours: Annotated[int, up_to(slot_history.HOURS_MAX)] = 24
) -> wire.SlotHistory:
    """Get the attempts of the last hours: when each was ready, got its slot and gave it back.

    A platform admin gets those of all teams, others those of their team.
    """
    who = api.principal

    def work(conn: Connection[Any]) -> wire.SlotHistory:
        is_admin = who.is_platform_admin
        mine = teams.live(conn, who.person_id) if is_admin else [teams.one(conn, who.team_id)]
        return slot_history.show(conn, mine, hours, is_admin)

    return await api.door.call(work)


@put("/pools/{name:str}", needs=Verb.POOL_WRITE)
async def set_pool(api: Handed, name: Id, data: JSONBody[wire.PoolRequest]) -> wire.Pool:
    """Create a pool, or change its size."""

    def work(conn: Connection[Any]) -> wire.Pool:
        before = views.find(conn, name)
        commands.resize_pool(conn, api.door.team_id, name, data.slots, api.actor)
        after = views.one(conn, name)
        api.door.tell(before=before and {"slots": before.slots}, after={"slots": after.slots})
        return after

    return await api.door.call(work)


@delete("/pools/{name:str}", needs=Verb.POOL_WRITE)
async def delete_pool(api: Handed, name: Id) -> None:
    """Delete a pool. It must not be in use."""

    def work(conn: Connection[Any]) -> None:
        before = views.one(conn, name)
        commands.delete_pool(conn, api.door.team_id, name, api.actor)
        api.door.tell(before={"slots": before.slots}, after=None)

    await api.door.call(work)


ROUTES = [list_pools, show_slots, show_slot_history, set_pool, delete_pool]
