"""/teams: the teams of this control plane and their settings. Platform admins create, change and delete them."""

from dataclasses import asdict as fields_of
from typing import Annotated, Any

from litestar import delete, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec.structs import asdict
from psycopg import Connection

from headway import wire
from headway.actions import teams as actions
from headway.actions.teams import Actor
from headway.api.access import PLATFORM
from headway.api.context import Api, Handed
from headway.api.parameters import Id
from headway.api.repeats import ONCE
from headway.api.routes.runs import graphs
from headway.core.roles import Verb
from headway.errors import Conflict, NotFound
from headway.store import teams
from headway.store.views import teams as views


@get("/teams", needs=Verb.TEAM_READ)
async def list_teams(api: Handed) -> wire.Page[wire.Team]:
    """List all teams for a platform admin, or the team of the request for others."""

    def work(conn: Connection[Any]) -> list[wire.Team]:
        if api.principal.is_platform_admin:
            return views.every(conn, teams.live(conn, api.principal.person_id))
        return [views.one(conn, teams.one(conn, api.door.team_id))]

    return wire.Page(await api.door.call(work))


@get("/teams/{name:str}", needs=Verb.TEAM_READ)
async def show_team(api: Handed, name: Id) -> wire.Team:
    """Get a team, its settings and what it uses."""

    def work(conn: Connection[Any]) -> wire.Team:
        if api.principal.is_platform_admin:
            return views.one(conn, actions.named(conn, actor_of(api), name))
        if name != api.principal.team:
            raise NotFound(f"there is no team {name!r}", hint="to list teams: headway team ls")
        return views.one(conn, teams.one(conn, api.door.team_id))

    return await api.door.call(work)


@post("/teams", needs=PLATFORM, idempotent=ONCE)
async def create_team(api: Handed, data: JSONBody[wire.TeamRequest]) -> wire.NewTeam:
    """Create a team with its default pool, you as its admin, and a token for its agents. If it exists
    with these settings, nothing changes. Only this answer contains the token.
    """
    api.principal.require_whole("create a team")

    def work(conn: Connection[Any]) -> wire.NewTeam:
        made = actions.create(conn, actor_of(api), data)
        shown = views.one(conn, teams.one_entered(conn, made.team_id))
        created = made.agent_token is not None
        api.door.also(made.team_id)
        api.door.tell(after=shown if created else None)
        return wire.NewTeam(**asdict(shown), created=created, agent_token=made.agent_token)

    return await api.door.call(work)


@patch("/teams/{name:str}", needs=PLATFORM)
async def change_team(api: Handed, name: Id, data: JSONBody[wire.TeamChange]) -> wire.Team:
    """Change title, slots, weight, limits or settings in the cluster of a team."""

    def work(conn: Connection[Any]) -> wire.Team:
        before, after, team_id = actions.change(conn, actor_of(api), name, data)
        api.door.also(team_id)
        api.door.tell(before=told(before), after=told(after))
        return views.one(conn, teams.one_entered(conn, team_id))

    return await api.door.call(work)


@delete("/teams/{name:str}", needs=PLATFORM, status_code=200)
async def delete_team(
    api: Handed,
    name: Id,
    confirm: Annotated[
        str, QueryParameter(description="The name of the team once more.", max_length=100)
    ] = "",
    force: Annotated[bool, QueryParameter(description="Cancel runs that have not ended.")] = False,
) -> wire.Team:
    """Delete a team. Tokens, sessions and memberships of it end immediately; its data is removed in the background.
    Nothing is deleted unless ``confirm`` is the name of the team.
    """
    api.principal.require_whole("delete a team")

    def work(conn: Connection[Any]) -> wire.Team:
        before = views.one(conn, actions.named(conn, actor_of(api), name))
        if confirm != name:
            raise Conflict(
                f"nothing was deleted: the team {name} goes with its DAGs, runs and logs, and that must be confirmed",
                hint=f"confirm it with the name of the team: confirm={name}",
            )
        actions.delete(conn, actor_of(api), name, graphs(conn), force=force)
        api.door.tell(before=before, after=None)
        return before

    return await api.door.call(work)


def actor_of(api: Api) -> Actor:
    return Actor(api.principal.person_id, api.actor)


def told(settings: actions.Settings) -> dict[str, object]:
    return {
        "title": settings.title,
        "slots": settings.slots,
        "weight": float(settings.weight),
        "limits": fields_of(settings.limits),
        "cluster": fields_of(settings.cluster),
    }


ROUTES = [list_teams, show_team, create_team, change_team, delete_team]
