"""/events: the history of everything, for people."""

from typing import Annotated

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Cursor, IdFilter, Limit, TextFilter, one_of
from headway.core.roles import Role
from headway.store.views import events as views


@get("/events", needs=Role.VIEWER)
async def list_events(
    api: Handed,
    subject: Annotated[str | None, one_of(views.SUBJECTS)] = None,
    actor: TextFilter = None,
    dag_id: IdFilter = None,
    run_id: IdFilter = None,
    task_id: IdFilter = None,
    name: TextFilter = None,
    before: Cursor = None,
    limit: Limit = 100,
) -> wire.Page[wire.Event]:
    """Newest first. ``before`` is ``next_cursor`` of the page before.

    ``actor`` is one (``user:ada``) or a kind of them (``user``). A page may hold fewer than
    ``limit`` and still be followed by another.
    """
    wanted = views.Filter(
        subject=subject, actor=actor, dag_id=dag_id, run_id=run_id, task_id=task_id, name=name
    )
    return await api.door.call(views.page, wanted, limit, before)


ROUTES = [list_events]
