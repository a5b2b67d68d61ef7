"""/dags/…/grid."""

from typing import Annotated

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Cursor, Id, up_to
from headway.core.roles import Verb
from headway.store.views import grid as views


@get("/dags/{dag_id:str}/grid", needs=Verb.RUN_READ)
async def show_grid(
    api: Handed,
    dag_id: Id,
    limit: Annotated[int, up_to(views.RUNS_MAX)] = 50,
    before: Cursor = None,
) -> wire.Grid:
    """Get the states of tasks × runs, one letter per cell. ``before`` is ``next_cursor`` of the previous answer."""
    return await api.door.call(views.page, api.memory, dag_id, limit, before)


ROUTES = [show_grid]
