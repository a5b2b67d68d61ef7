"""/events: the history of everything, for people."""

from litestar import get
from litestar.params import FromQuery

from headway import wire
from headway.api.context import Handed
from headway.core.roles import Role
from headway.store.views import events as views


@get("/events", needs=Role.VIEWER)
async def list_events(
    api: Handed,
    subject: FromQuery[str | None] = None,
    actor: FromQuery[str | None] = None,
    dag_id: FromQuery[str | None] = None,
    run_id: FromQuery[str | None] = None,
    task_id: FromQuery[str | None] = None,
    name: FromQuery[str | None] = None,
    before: FromQuery[str | None] = None,
    limit: FromQuery[int] = 100,
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
