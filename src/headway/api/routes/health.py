"""/healthz, /readyz, /health/scheduler and the state of the components."""

import asyncio
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post

from headway import wire
from headway.api import openapi
from headway.api.access import MEMBER, PUBLIC
from headway.api.context import Api, Handed
from headway.api.door import Door
from headway.core.roles import Verb
from headway.errors import NotReachable
from headway.loader.teams import is_of_teams
from headway.store import notices
from headway.store.views import health as views

BESIDE: Final = {"shipper", "canary"}  # no run needs it


@get(
    "/healthz", include_in_schema=False, media_type="text/plain", sync_to_thread=False, needs=PUBLIC
)
def healthz() -> str:
    """Check that the process answers."""
    return "ok"


@get("/readyz", include_in_schema=False, media_type="text/plain", needs=PUBLIC)
async def readyz(api: Handed) -> Response[str]:
    """Check that everything that runs need is available. Details need a signed-in caller."""
    health = await look(api, api.door.of(api.team_id))
    found = [each for each in health.components if each.name not in BESIDE]
    if all(each.healthy for each in found):
        return Response("ready", media_type="text/plain")
    missing = ", ".join(each.name for each in found if not each.healthy)
    return Response(f"not ready: {missing}", status_code=503, media_type="text/plain")


@get("/health/scheduler", include_in_schema=False, media_type="text/plain", needs=PUBLIC)
async def scheduling(api: Handed) -> Response[str]:
    """Check that every scheduler gets runs to success. Details need a signed-in caller."""
    try:
        found = await api.door.of(api.team_id).call(views.schedulers)
    except NotReachable:
        return Response("the database does not answer", status_code=503, media_type="text/plain")
    if all(each.healthy for each in found):
        return Response("schedules", media_type="text/plain")
    return Response("does not schedule", status_code=503, media_type="text/plain")


@get("/health", needs=Verb.TEAM_READ)
async def health(api: Handed) -> wire.Health:
    """Get the health of each component, and the folder in which the DAG files of the team are."""
    found = await look(api, api.door)
    if not await asyncio.to_thread(is_of_teams, api.dags):
        return found
    return msgspec.structs.replace(found, dags=str(api.dags / api.principal.team))


@post("/loader/look", status_code=202, needs=Verb.DAG_LOAD)
async def look_at_folder(api: Handed) -> None:
    """Ask the loader to read the DAG folder now."""
    await api.door.call(notices.ask_loader)


@get("/openapi.json", include_in_schema=False, sync_to_thread=False, needs=MEMBER)
def show_document(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Get this OpenAPI document."""
    return openapi.document(request.app)


async def look(api: Api, door: Door) -> wire.Health:
    try:
        found = await door.call(views.components)
        found += await api.disks.lacking(api.layout.data, door)
        found += await api.beside(door)
    except NotReachable as error:
        found = [wire.Component(name="database", healthy=False, detail=error.message)]
    return wire.Health(
        healthy=all(component.healthy for component in found),
        version=version("headway"),
        data=str(api.layout.data),
        dags=str(api.dags),
        components=found,
    )


PROBES = [healthz, readyz, scheduling]
ROUTES = [health, show_document, look_at_folder]
