"""/backfills: progress, pausing and cancelling. To create one, use /dags/…/backfills."""

from collections.abc import Callable
from typing import Any

from litestar import get, post
from psycopg import Connection

from headway import wire
from headway.actions import backfills
from headway.api.context import Api, Handed
from headway.api.parameters import Cursor, Id, IdFilter, Limit
from headway.core.roles import Verb
from headway.engine.catalog import Catalog
from headway.store.views import backfills as views


@get("/backfills", needs=Verb.RUN_READ)
async def list_backfills(
    api: Handed,
    dag_id: IdFilter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> wire.Page[wire.Backfill]:
    """List backfills, newest first."""
    return await api.door.call(views.page, dag_id, limit, cursor)


@get("/backfills/{backfill_id:str}", needs=Verb.RUN_READ)
async def show_backfill(api: Handed, backfill_id: Id) -> wire.Backfill:
    """Get a backfill with its progress and estimated end."""
    return await api.door.call(views.one, backfill_id)


@post("/backfills/{backfill_id:str}/cancel", status_code=200, needs=Verb.RUN_CANCEL)
async def cancel_backfill(api: Handed, backfill_id: Id) -> wire.Backfill:
    """Cancel the unfinished runs of a backfill. Running tasks are stopped, waiting ones do not start."""

    def work(conn: Connection[Any]) -> bool:
        before = views.one(conn, backfill_id)  # NotFound
        api.door.tell(before={"counts": before.counts})
        return backfills.cancel_some(
            conn, api.door.team_id, backfill_id, Catalog(conn).graph, api.actor
        )

    while await api.door.call(work):
        pass
    return await api.door.call(views.one, backfill_id)


@post("/backfills/{backfill_id:str}/pause", status_code=200, needs=Verb.RUN_BACKFILL)
async def pause_backfill(api: Handed, backfill_id: Id) -> wire.Backfill:
    """Pause a backfill: no more of its runs start. Those that run continue."""
    return await api.door.call(switch, api, backfill_id, backfills.pause)


@post("/backfills/{backfill_id:str}/resume", status_code=200, needs=Verb.RUN_BACKFILL)
async def resume_backfill(api: Handed, backfill_id: Id) -> wire.Backfill:
    """Resume a paused backfill."""
    return await api.door.call(switch, api, backfill_id, backfills.resume)


def switch(
    conn: Connection[Any],
    api: Api,
    backfill_id: str,
    command: Callable[[Connection[Any], int, str, str], None],
) -> wire.Backfill:
    before = views.one(conn, backfill_id)  # NotFound
    command(conn, api.door.team_id, backfill_id, api.actor)
    after = views.one(conn, backfill_id)
    api.door.tell(before=pausing(before), after=pausing(after))
    return after


def pausing(backfill: wire.Backfill) -> dict[str, object]:
    return {"paused_at": backfill.paused_at, "paused_by": backfill.paused_by}


ROUTES = [list_backfills, show_backfill, cancel_backfill, pause_backfill, resume_backfill]
