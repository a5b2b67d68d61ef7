"""/run-retention: how long the team keeps its runs, with their history, results and logs."""

import os
from datetime import timedelta
from typing import Any, Final

from litestar import get, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.context import Handed
from headway.core import run_retention as core
from headway.core.roles import Verb
from headway.engine.janitor import retention_from
from headway.errors import UsageError
from headway.store import run_retention as store
from headway.store.clock import clock

COUNTED_MAX: Final = 10_000
DAY: Final = timedelta(days=1)


@get("/run-retention", needs=Verb.TEAM_READ)
async def show_run_retention(api: Handed) -> wire.RunRetention:
    """Get how many days after its end a run is kept, and whether the team set it."""
    return await api.door.call(shown, api.door.team_id)


@put("/run-retention", needs=Verb.TEAM_WRITE)
async def set_run_retention(
    api: Handed, data: JSONBody[wire.RunRetentionRequest]
) -> wire.RunRetention:
    """Change how long runs are kept. Older runs are removed within minutes and cannot be restored.

    ``dry_run`` counts the runs that would be removed, and changes nothing.
    """

    def work(conn: Connection[Any]) -> wire.RunRetention:
        if (wrong := core.refusal(data.days)) is not None:
            raise UsageError(wrong, hint="leave it out for the default of the installation")
        team_id = api.door.team_id
        before = store.days(conn, team_id)
        if data.dry_run:
            return of(conn, team_id, data.days)
        store.set_days(conn, team_id, data.days)
        api.door.tell(before={"days": before}, after={"days": data.days})
        return shown(conn, team_id)

    return await api.door.call(work)


def shown(conn: Connection[Any], team_id: int) -> wire.RunRetention:
    return of(conn, team_id, store.days(conn, team_id))


def of(conn: Connection[Any], team_id: int, days: int | None) -> wire.RunRetention:
    default = retention_from(dict(os.environ))
    keep = core.in_effect(days, default)
    return wire.RunRetention(
        days=days,
        default_days=default / DAY,
        effective_days=keep / DAY,
        removes=store.older(conn, team_id, clock(conn) - keep, COUNTED_MAX),
    )


ROUTES = [show_run_retention, set_run_retention]
