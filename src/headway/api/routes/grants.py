"""/grants: what other teams may do with DAGs, assets and pools of this team, and what this team may do with theirs."""

from typing import Any

from litestar import get, patch, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.actions import grants as actions
from headway.api.context import Api, Handed
from headway.api.parameters import Cursor, Id, Limit
from headway.api.repeats import WHOLE
from headway.core.grants import VERBS, GrantKind, GrantState
from headway.core.roles import Verb
from headway.errors import UsageError
from headway.store import grants


@get("/grants", needs=Verb.TEAM_READ)
async def list_grants(
    api: Handed, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.Grant]:
    """List grants, newest first: those that the team gave or is asked for, and those that it got or asked for."""
    return await api.door.call(grants.page, limit, cursor)


@post("/grants", needs=Verb.GRANT_MANAGE, idempotent=WHOLE)
async def give_grant(api: Handed, data: JSONBody[wire.GiveGrant]) -> wire.Grant:
    """Let another team see the runs of a DAG, start it or wait for it, use an asset, or run tasks in a pool. The
    answer is the same if there is no such team.
    """
    require_to_hand_on(api, data.kind)

    def work(conn: Connection[Any]) -> wire.Grant:
        before, after = actions.give(conn, api.principal.team, data, api.actor)
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


@post("/grants/requests", needs=Verb.GRANT_MANAGE, idempotent=WHOLE)
async def ask_for_grant(api: Handed, data: JSONBody[wire.AskForGrant]) -> wire.Grant:
    """Ask another team for a grant. The answer is the same if there is nothing of that name."""

    def work(conn: Connection[Any]) -> wire.Grant:
        before, after = actions.ask(conn, api.principal.team, data, api.actor)
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


@patch("/grants/{grant_id:str}", needs=Verb.GRANT_MANAGE)
async def change_grant(api: Handed, grant_id: Id, data: JSONBody[wire.GrantChange]) -> wire.Grant:
    """Give, refuse or revoke a grant. A revoked grant opens nothing from this moment on; open streams end."""
    if data.state is GrantState.ASKED:
        raise UsageError(
            "a grant becomes given, refused or revoked", hint="to ask: POST /grants/requests"
        )

    def work(conn: Connection[Any]) -> wire.Grant:
        if data.state is GrantState.GIVEN:
            require_to_hand_on(api, grants.one(conn, grant_id).kind)
        before, after = actions.answer(conn, api.principal.team, grant_id, data.state, api.actor)
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


def require_to_hand_on(api: Api, kind: GrantKind) -> None:
    api.principal.require_all(VERBS[kind], f"let another team {kind.word} a {kind.subject}")


ROUTES = [list_grants, give_grant, ask_for_grant, change_grant]
