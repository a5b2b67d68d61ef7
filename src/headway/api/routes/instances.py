"""/runs/…/task-instances."""

from typing import Annotated

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Cursor, Id, IdFilter, Limit, MapIndex, one_of
from headway.core.roles import Verb
from headway.core.states import State
from headway.store.views import instances as views
from headway.store.views import runs as run_views


@get("/runs/{run_id:str}/task-instances", needs=Verb.RUN_READ)
async def list_instances(
    api: Handed,
    run_id: Id,
    task_id: IdFilter = None,
    in_state: Annotated[str | None, one_of(State, "state")] = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> wire.Page[wire.TaskInstance]:
    """List the task instances of a run by task and map index."""
    run_id = await api.door.call(run_views.resolve, run_id)
    return await api.door.call(
        views.page, run_id, task_id=task_id, state=in_state, limit=limit, cursor=cursor
    )


@get("/runs/{run_id:str}/task-instances/{task_id:str}", needs=Verb.RUN_READ)
async def show_instance(
    api: Handed,
    run_id: Id,
    task_id: Id,
    map_index: MapIndex = None,
) -> wire.TaskInstanceDetail:
    """Get a task instance with its attempts, latest first."""
    run_id = await api.door.call(run_views.resolve, run_id)
    return await api.door.call(views.one, run_id, task_id, map_index)


ROUTES = [list_instances, show_instance]
