"""/tokens: what programs sign in with. Everybody has their own; admins see and revoke all."""

from datetime import timedelta
from typing import Any

from litestar import delete, get, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import clock, wire
from headway.api.context import Api, Handed
from headway.api.parameters import Cursor, Id, Limit
from headway.api.repeats import ONCE
from headway.core.roles import Role, allows
from headway.errors import NotAllowed
from headway.identity import accounts
from headway.store import api_tokens, people
from headway.store.views import api_tokens as views


@get("/tokens", needs=Role.VIEWER)
async def list_tokens(
    api: Handed, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.Token]:
    """One's own, the latest first; an admin sees all of the team."""
    return await api.door.call(views.page, visible(api), limit, cursor)


@post("/tokens", needs=Role.VIEWER, idempotent=ONCE)
async def create_token(api: Handed, data: JSONBody[wire.TokenRequest]) -> wire.NewToken:
    """The answer holds the token; nobody can show it again, not to who repeats the request either."""
    who = api.principal
    role = data.role or who.role
    if not allows(who.role, role):
        raise NotAllowed(f"you are {who.role} here: a token of yours can be no {role}")
    if data.user not in (None, who.name):
        who.require_whole("make a token for somebody else")
        if who.role is not Role.ADMIN:
            raise NotAllowed("only an admin makes tokens for others", hint="ask an admin")
    until = clock.now() + timedelta(days=data.expires_in_days)
    if not who.is_whole and who.expires_at is not None and until > who.expires_at:
        raise NotAllowed(
            "a token cannot make one that outlives it",
            hint=f"this one expires at {who.expires_at:%Y-%m-%d %H:%M} UTC",
        )

    def work(conn: Connection[Any]) -> wire.NewToken:
        owner = who.person_id if data.user is None else people.require(conn, data.user)
        token_id, secret = accounts.create_token(
            conn, api.door.team_id, owner, data.name, role, data.expires_in_days
        )
        shown = views.one(conn, token_id, owner)
        api.door.tell(after=shown)
        return wire.NewToken(
            token=secret, **{name: getattr(shown, name) for name in shown.__struct_fields__}
        )

    return await api.door.call(work)


@delete("/tokens/{token_id:str}", needs=Role.VIEWER, status_code=200)
async def revoke_token(api: Handed, token_id: Id) -> wire.Token:
    """It is refused from now on."""

    def work(conn: Connection[Any]) -> wire.Token:
        before = views.one(conn, token_id, visible(api))
        api_tokens.revoke(conn, api.door.team_id, token_id)
        after = views.one(conn, token_id, visible(api))
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


def visible(api: Api) -> int | None:
    """Whose tokens: None is everybody's."""
    who = api.principal
    return None if who.role is Role.ADMIN else who.person_id


ROUTES = [list_tokens, create_token, revoke_token]
