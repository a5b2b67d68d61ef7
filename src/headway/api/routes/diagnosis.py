"""/runs/…/diagnosis."""

import asyncio

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.excerpts import with_excerpts
from headway.api.parameters import Id
from headway.core.roles import Role
from headway.store.views import diagnosis as views
from headway.store.views import runs as run_views


@get("/runs/{run_id:str}/diagnosis", needs=Role.VIEWER)
async def diagnose(api: Handed, run_id: Id) -> wire.Diagnosis:
    """What failed, how often differently, what it stopped, and what is different from the last
    good run.
    """
    run_id = await api.door.call(run_views.resolve, run_id)
    found = await api.door.call(views.of_run, api.memory, run_id)
    return await asyncio.to_thread(with_excerpts, api.layout.data, found)


ROUTES = [diagnose]
