"""/dags/…/durations."""

from typing import Annotated

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Id, Zone, up_to
from headway.core.roles import Verb
from headway.store.views import durations as views


@get("/dags/{dag_id:str}/durations", needs=Verb.RUN_READ)
async def show_durations(
    api: Handed,
    dag_id: Id,
    days: Annotated[int, up_to(views.DAYS_MAX)] = 30,
    timezone: Zone = None,
) -> wire.Durations:
    """Get mean, median and p95 durations of successful runs and tasks by day, with the trend. Days are those of
    ``timezone``, UTC unless given.
    """
    return await api.door.call(views.of_dag, api.memory, dag_id, days, timezone)


ROUTES = [show_durations]
