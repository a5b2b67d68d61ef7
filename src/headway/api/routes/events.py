"""/events: the history of everything."""

from datetime import datetime
from typing import Annotated

from litestar import get
from litestar.params import FromQuery

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Cursor, IdFilter, Limit, TextFilter, one_of
from headway.core.roles import Verb
from headway.store.views import events as views


@get("/events", needs=Verb.RUN_READ)
async def list_events(
    api: Handed,
    subject: Annotated[str | None, one_of(views.SUBJECTS)] = None,
    actor: TextFilter = None,
    dag_id: IdFilter = None,
    run_id: IdFilter = None,
    task_id: IdFilter = None,
    name: TextFilter = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    notable: FromQuery[bool] = False,
    before: Cursor = None,
    limit: Limit = 100,
) -> wire.Page[wire.Event]:
    """List events, newest first. ``before`` is ``next_cursor`` of the previous page.

    ``since`` (inclusive) and ``until`` (exclusive) limit the time. ``actor`` is one actor (``user:ada``) or a kind
    (``user``). ``notable`` leaves out the steps of tasks and runs that tell nothing: what remains is what people did,
    failures and retries, and how runs ended. A page may have fewer than ``limit`` events although another page follows.
    """
    wanted = views.Filter(
        subject=subject,
        actor=actor,
        dag_id=dag_id,
        run_id=run_id,
        task_id=task_id,
        name=name,
        since=since,
        until=until,
        of_note=notable,
    )
    return await api.door.call(views.page, wanted, limit, before)


ROUTES = [list_events]
