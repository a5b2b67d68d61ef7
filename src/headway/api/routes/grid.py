"""/dags/…/grid."""

from litestar import get
from litestar.params import FromPath, FromQuery

from headway import wire
from headway.api.context import Handed
from headway.core.roles import Role
from headway.store.views import grid as views


@get("/dags/{dag_id:str}/grid", needs=Role.VIEWER)
async def show_grid(
    api: Handed,
    dag_id: FromPath[str],
    limit: FromQuery[int] = 50,
    before: FromQuery[str | None] = None,
) -> wire.Grid:
    """Tasks × runs, a letter a cell. ``before`` is ``next_cursor`` of the answer with newer runs."""
    return await api.door.call(views.page, api.memory, dag_id, limit, before)


ROUTES = [show_grid]
