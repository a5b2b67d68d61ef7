"""/calendar: past days and upcoming fire times, for one DAG and for all."""

from datetime import datetime
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Id, Zone, up_to
from headway.core.roles import Verb
from headway.store.views import calendar as views

First = Annotated[datetime, QueryParameter(name="from")]
Last = Annotated[datetime, QueryParameter(name="to")]


@get("/dags/{dag_id:str}/next", needs=Verb.DAG_READ)
async def show_next(
    api: Handed,
    dag_id: Id,
    count: Annotated[int, up_to(views.COUNT_MAX)] = 20,
    timezone: Zone = None,
) -> wire.Fires:
    """List the next fire times of the schedule. ``timezone`` defaults to the schedule's."""
    return await api.door.call(views.upcoming, api.memory, dag_id, count, timezone)


@get("/dags/{dag_id:str}/calendar", needs=Verb.DAG_READ)
async def show_calendar(
    api: Handed,
    dag_id: Id,
    first: First,
    last: Last,
    timezone: Zone = None,
) -> wire.Calendar:
    """Count runs by the day of their logical date, from ``from`` (inclusive) to ``to`` (exclusive)."""
    span = views.spanned(first, last)
    return await api.door.call(views.of_dag, dag_id, span, timezone)


@get("/calendar", needs=Verb.DAG_READ)
async def show_calendar_of_all(
    api: Handed, first: First, last: Last, timezone: Zone = None
) -> wire.Calendar:
    """Count runs of all DAGs by the day on which they ended."""
    return await api.door.call(views.of_all, views.spanned(first, last), timezone)


ROUTES = [show_next, show_calendar, show_calendar_of_all]
