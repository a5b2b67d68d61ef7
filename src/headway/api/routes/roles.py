"""/roles: the built-in roles, and those that the team defines as sets of verbs."""

from typing import Any

from litestar import delete, get, patch, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.access import MEMBER
from headway.api.context import Handed
from headway.api.parameters import Id
from headway.api.repeats import WHOLE
from headway.core.roles import ORDER, Verb
from headway.errors import Conflict
from headway.store import roles


@get("/roles", needs=MEMBER)
async def list_roles(api: Handed) -> wire.Page[wire.TeamRoleDetail]:
    """List the roles of the team with their verbs: the built-in ones first."""
    return wire.Page(await api.door.call(roles.all_of_team))


@post("/roles", needs=Verb.ROLE_MANAGE, idempotent=WHOLE)
async def create_role(api: Handed, data: JSONBody[wire.RoleRequest]) -> wire.TeamRoleDetail:
    """Define a role of the team. It can have only verbs that you have yourself."""
    refuse_built_in(data.name)
    verbs = frozenset(data.verbs)
    api.principal.require_all(verbs, f"create the role {data.name}")

    def work(conn: Connection[Any]) -> wire.TeamRoleDetail:
        of_role = (conn, api.door.team_id, data.name, verbs, data.description)
        roles.create(*of_role, api.actor)
        made = roles.one(conn, data.name)
        api.door.tell(before=None, after=made)
        return made

    return await api.door.call(work)


@patch("/roles/{name:str}", needs=Verb.ROLE_MANAGE)
async def change_role(
    api: Handed, name: Id, data: JSONBody[wire.RoleChange]
) -> wire.TeamRoleDetail:
    """Change the verbs or the description of a role. Everyone who has the role is affected immediately."""
    refuse_built_in(name)

    def work(conn: Connection[Any]) -> wire.TeamRoleDetail:
        before = roles.one(conn, name)
        verbs = frozenset(before.verbs if data.verbs is None else data.verbs)
        api.principal.require_all(verbs | frozenset(before.verbs), f"change the role {name}")
        words = before.description if data.description is None else data.description
        roles.change(conn, api.door.team_id, name, verbs, words)
        after = roles.one(conn, name)
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


@delete("/roles/{name:str}", needs=Verb.ROLE_MANAGE, status_code=200)
async def delete_role(api: Handed, name: Id) -> wire.TeamRoleDetail:
    """Delete a role that no member and no token has."""
    refuse_built_in(name)

    def work(conn: Connection[Any]) -> wire.TeamRoleDetail:
        before = roles.one(conn, name)
        roles.delete(conn, api.door.team_id, name)
        api.door.tell(before=before, after=None)
        return before

    return await api.door.call(work)


def refuse_built_in(name: str) -> None:
    if name in ORDER:
        raise Conflict(
            f"{name!r} is a built-in role", hint="create another role: headway role create NAME"
        )


ROUTES = [list_roles, create_role, change_role, delete_role]
