"""/users: users and their roles, managed by admins. Everyone can change their own password."""

from typing import Any

from litestar import get, patch, post, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.access import MEMBER
from headway.api.context import Api, Handed
from headway.api.parameters import Cursor, Id, Limit
from headway.api.principal import require_beneath
from headway.api.repeats import MASKED
from headway.core.roles import Verb
from headway.errors import NotAllowed
from headway.identity import accounts
from headway.store import people, roles
from headway.store.views import people as views


@get("/users", needs=Verb.MEMBER_READ)
async def list_users(
    api: Handed, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.User]:
    """List the users of the team with their roles."""
    return await api.door.call(views.page, limit, cursor)


@get("/users/{name:str}", needs=Verb.MEMBER_READ)
async def show_user(api: Handed, name: Id) -> wire.User:
    """Get a user."""
    return await api.door.call(views.one, name)


@post("/users", needs=Verb.MEMBER_MANAGE, idempotent=MASKED)
async def create_user(api: Handed, data: JSONBody[wire.UserRequest]) -> wire.User:
    """Create a user. Without a password, they sign in with a sign-in link."""
    if data.password is not None:
        api.principal.require_whole("set a password")
    await grantable(api, data.role)
    hashed = None if data.password is None else await api.signin.hashing.hash_of(data.password)

    def work(conn: Connection[Any]) -> wire.User:
        accounts.create_user(
            *(conn, api.door.team_id, data.name, data.display_name, hashed, data.role, api.actor)
        )
        made = views.one(conn, data.name)
        api.door.tell(after=made)
        return made

    return await api.door.call(work)


@patch("/users/{name:str}", needs=Verb.MEMBER_MANAGE)
async def change_user(api: Handed, name: Id, data: JSONBody[wire.UserChange]) -> wire.User:
    """Change role or display name, or disable a user. Disabling ends all sessions and tokens immediately."""
    who = api.principal
    if data.role is not None:
        await grantable(api, data.role)

    def work(conn: Connection[Any]) -> wire.User:
        before = views.one(conn, name)
        if name != who.name:
            require_beneath(conn, who, name)
        accounts.change_user(
            *(conn, api.door.team_id, name, data.role, data.display_name, data.disabled)
        )
        after = views.one(conn, name)
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


@put("/users/{name:str}/password", needs=MEMBER, status_code=204)
async def set_password(api: Handed, name: Id, data: JSONBody[wire.PasswordRequest]) -> None:
    """Set your own password or, as an admin, that of a user whom the team manages. Ends their other sessions."""
    who = api.principal
    is_own = name == who.name
    who.require_whole("set a password")
    if not is_own:
        who.require(Verb.MEMBER_MANAGE, "set the passwords of other users")
    if is_own:
        await prove_current(api, name, data.current)
    hashed = await api.signin.hashing.hash_of(data.password)
    home = api.door.of(who.home_team_id if is_own else who.team_id, api.door.entry)

    def work(conn: Connection[Any]) -> None:
        if not is_own:
            require_beneath(conn, who, name)
        accounts.set_password(conn, name, hashed, who.credential if is_own else None)

    await home.call(work)


async def grantable(api: Api, role: str) -> None:
    """Raise NotAllowed for a role that the caller does not hold whole, NotFound for an unknown one."""
    who = api.principal
    wanted = await api.door.of(who.team_id).call(roles.require, who.team_id, role)
    who.require_all(wanted, f"give the role {role}")


async def prove_current(api: Api, name: str, current: str | None) -> None:
    """Require the current password, so that an unattended browser is not enough to take over an account."""
    looking = api.door.of(api.door.team_id)
    known = await looking.call(people.password_parameters, name)
    if known is None or known[1] is None:
        return
    # Of each user on its own: nobody keeps the others from theirs.
    await api.signin.take(looking, name, f"own password of {name}")
    computed = await api.signin.hashing.hash_with(current or "", known[1])
    if await looking.call(people.with_password, name, computed) is None:
        raise NotAllowed("the current password is wrong", hint="an admin can set a new one")


ROUTES = [list_users, show_user, create_user, change_user, set_password]
