"""/runs/…/task-instances."""

from typing import Annotated, Any

from litestar import get
from psycopg import Connection

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Cursor, Id, IdFilter, Limit, MapIndex, TextFilter, one_of
from headway.api.routes.questions import shown
from headway.core.roles import Verb
from headway.core.states import State
from headway.store.views import diagnosis
from headway.store.views import instances as views
from headway.store.views import runs as run_views


@get("/runs/{run_id:str}/task-instances", needs=Verb.RUN_READ)
async def list_instances(
    api: Handed,
    run_id: Id,
    task_id: IdFilter = None,
    in_state: Annotated[str | None, one_of(State, "state")] = None,
    q: TextFilter = None,
    error: TextFilter = None,
    mapped_group: TextFilter = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> wire.Page[wire.TaskInstance]:
    """List the task instances of a run by task and map index. ``q`` matches part of ``task[index]``, of the name that
    a ``map_index_template`` gave, or of the error; ``error`` the fingerprint of an error of the run's diagnosis. Those
    of a ``mapped_group`` come one item after the other.
    """

    def work(conn: Connection[Any]) -> wire.Page[wire.TaskInstance]:
        found = run_views.resolve(conn, run_id)
        among = None if error is None else diagnosis.with_error(conn, found, error)
        return views.page(
            conn, found, task_id=task_id, state=in_state, q=q, among=among,
            mapped_group=mapped_group, limit=limit, cursor=cursor,
        )  # fmt: skip

    return await api.door.call(work)


@get("/runs/{run_id:str}/task-instances/{task_id:str}", needs=Verb.RUN_READ)
async def show_instance(
    api: Handed,
    run_id: Id,
    task_id: Id,
    map_index: MapIndex = None,
) -> wire.TaskInstanceDetail:
    """Get a task instance with its attempts, latest first."""
    run_id = await api.door.call(run_views.resolve, run_id)
    return shown(api, await api.door.call(views.one, run_id, task_id, map_index))


ROUTES = [list_instances, show_instance]
