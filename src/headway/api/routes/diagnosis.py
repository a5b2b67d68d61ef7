"""/runs/…/diagnosis."""

import asyncio
import contextlib
from pathlib import Path

from litestar import get

from headway import wire
from headway.api.context import Api, Handed
from headway.api.excerpts import logs_of, with_excerpts
from headway.api.parameters import Id
from headway.core.roles import Verb
from headway.errors import NotReachable
from headway.store.views import diagnosis as views
from headway.store.views import runs as run_views


@get("/runs/{run_id:str}/diagnosis", needs=Verb.RUN_READ)
async def diagnose(api: Handed, run_id: Id) -> wire.Diagnosis:
    """Explain a run: distinct errors with counts, what they blocked, and what changed since the last
    successful run.
    """
    run_id = await api.door.call(run_views.resolve, run_id)
    found = await api.door.call(views.of_run, api.memory, run_id)
    if Verb.LOG_READ not in api.principal.verbs:
        return found
    logs = await places_of(api, api.principal.team, logs_of(found))
    return await asyncio.to_thread(with_excerpts, logs, found)


async def places_of(api: Api, team: str, logs: list[str]) -> list[Path]:
    """Return log excerpts, or none if the log store does not answer."""
    places = [api.layout.data / log for log in logs]
    if api.places is not None:
        with contextlib.suppress(NotReachable):
            for index, log in enumerate(logs):
                places[index] = await api.places.of_ended(team, places[index], log)
    return places


ROUTES = [diagnose]
