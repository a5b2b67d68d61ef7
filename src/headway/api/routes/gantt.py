"""/runs/…/gantt."""

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Id, Limit
from headway.core.roles import Verb
from headway.store.views import gantt as views
from headway.store.views import runs as run_views


@get("/runs/{run_id:str}/gantt", needs=Verb.RUN_READ)
async def show_gantt(api: Handed, run_id: Id, limit: Limit = 2000) -> wire.Gantt:
    """Get waiting and running times of the first ``limit`` task instances of a run."""
    run_id = await api.door.call(run_views.resolve, run_id)
    return await api.door.call(views.of_run, api.memory, run_id, limit)


ROUTES = [show_gantt]
