"""/tokens: API tokens of programs. Users manage their own; admins see and revoke all."""

from datetime import datetime, timedelta
from typing import Any

from litestar import delete, get, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import clock, wire
from headway.api.access import MEMBER
from headway.api.context import Api, Handed
from headway.api.parameters import Cursor, Id, Limit
from headway.api.principal import Principal, require_beneath
from headway.api.repeats import ONCE
from headway.core.roles import Verb, Verbs, missing
from headway.errors import NotAllowed, UsageError
from headway.identity import accounts
from headway.store import api_tokens, people, roles
from headway.store.views import api_tokens as views
from headway.store.views import dags


@get("/tokens", needs=MEMBER)
async def list_tokens(
    api: Handed, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.Token]:
    """List your tokens, newest first. Admins see all tokens of the team."""
    return await api.door.call(views.page, visible(api), limit, cursor)


@post("/tokens", needs=MEMBER, idempotent=ONCE)
async def create_token(api: Handed, data: JSONBody[wire.TokenRequest]) -> wire.NewToken:
    """Create a token. Only this answer contains it; it cannot be shown again, not even to a repeated request."""
    who = api.principal
    role = data.role or who.role
    check_asked(who, data, clock.now())

    def work(conn: Connection[Any]) -> wire.NewToken:
        narrowed = roles.require(conn, who.team_id, role)
        if data.verbs is not None:
            refuse_beyond(role, narrowed, data.verbs)
            narrowed &= frozenset(data.verbs)
        who.require_all(narrowed, f"create a token with the role {role}")
        if data.user not in (None, who.name):
            require_beneath(conn, who, data.user or "")
        owner = who.person_id if data.user is None else people.require(conn, data.user)
        for dag_id in data.dag_ids or ():
            dags.require(conn, dag_id)
        token_id, secret = accounts.create_token(
            *(conn, api.door.team_id, owner, data.name, role, data.expires_in_days, data.scope),
            verbs=None if data.verbs is None else sorted(narrowed),
            dag_ids=data.dag_ids,
        )
        shown = views.one(conn, token_id, owner)
        api.door.tell(after=shown)
        return wire.NewToken(
            token=secret, **{name: getattr(shown, name) for name in shown.__struct_fields__}
        )

    return await api.door.call(work)


@delete("/tokens/{token_id:str}", needs=MEMBER, status_code=200)
async def revoke_token(api: Handed, token_id: Id) -> wire.Token:
    """Revoke a token. It stops working immediately."""

    def work(conn: Connection[Any]) -> wire.Token:
        before = views.one(conn, token_id, visible(api))
        api_tokens.revoke(conn, api.door.team_id, token_id)
        after = views.one(conn, token_id, visible(api))
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


def check_asked(who: Principal, wanted: wire.TokenRequest, now: datetime) -> None:
    """Raise NotAllowed for a token of others that the caller may not make, or one that lasts longer than its maker."""
    if wanted.user not in (None, who.name):
        who.require_whole("create a token for another user")
        who.require(Verb.TOKEN_MANAGE, "create tokens for other users")
    if wanted.scope == "agent":
        who.require_whole("create a token for agents")
        who.require(Verb.TOKEN_MANAGE, "create tokens for agents")
    until = now + timedelta(days=wanted.expires_in_days)
    if not who.is_whole and who.expires_at is not None and until > who.expires_at:
        raise NotAllowed(
            "a token cannot create a token that expires after itself",
            hint=f"this token expires at {who.expires_at:%Y-%m-%d %H:%M} UTC",
        )


def visible(api: Api) -> int | None:
    """Return whose tokens the caller may see; None means all."""
    who = api.principal
    return None if Verb.TOKEN_MANAGE in who.verbs else who.person_id


def refuse_beyond(role: str, held: Verbs, wanted: list[Verb]) -> None:
    if lacking := missing(held, frozenset(wanted)):
        raise UsageError(
            f"the role {role} does not have {lacking[0]}", hint="choose a higher role for the token"
        )


ROUTES = [list_tokens, create_token, revoke_token]
