"""/dags/…/durations."""

from litestar import get
from litestar.params import FromPath, FromQuery

from headway import wire
from headway.api.context import Handed
from headway.core.roles import Role
from headway.store.views import durations as views


@get("/dags/{dag_id:str}/durations", needs=Role.VIEWER)
async def show_durations(
    api: Handed, dag_id: FromPath[str], days: FromQuery[int] = 30
) -> wire.Durations:
    """Mean, median and p95 of runs and tasks that went well, by day, and whether they grow."""
    return await api.door.call(views.of_dag, api.memory, dag_id, days)


ROUTES = [show_durations]
