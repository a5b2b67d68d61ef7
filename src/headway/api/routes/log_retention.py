"""/log-retention: how long the team keeps logs."""

import os
from datetime import timedelta
from typing import Any

from litestar import get, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.context import Handed
from headway.core import run_retention
from headway.core.log_retention import Policy, in_effect
from headway.core.roles import Verb
from headway.engine import log_retention
from headway.engine.janitor import retention_from
from headway.store import log_retention as store
from headway.store import run_retention as runs_store


@get("/log-retention", needs=Verb.TEAM_READ)
async def show_log_retention(api: Handed) -> wire.LogRetention:
    """Get how many days after the end of a run its logs are kept, and whether the team set it."""
    return await api.door.call(shown, api.door.team_id)


@put("/log-retention", needs=Verb.TEAM_WRITE)
async def set_log_retention(
    api: Handed, data: JSONBody[wire.LogRetentionRequest]
) -> wire.LogRetention:
    """Change how long logs are kept. Older logs are removed within minutes and cannot be restored."""

    def work(conn: Connection[Any]) -> wire.LogRetention:
        before = shown(conn, api.door.team_id)
        log_retention.change(conn, api.door.team_id, Policy(data.days, data.local_days))
        after = shown(conn, api.door.team_id)
        api.door.tell(before=own_of(before), after=own_of(after))
        return after

    return await api.door.call(work)


def shown(conn: Connection[Any], team_id: int) -> wire.LogRetention:
    own, default = store.policy(conn, team_id), log_retention.of_installation()
    effective = in_effect(own, default)
    return wire.LogRetention(
        days=own.days,
        default_days=default.days,
        effective_days=effective.days,
        local_days=own.local_days,
        default_local_days=default.local_days,
        effective_local_days=effective.local_days,
        run_days=kept_runs(conn, team_id) / timedelta(days=1),
    )


def kept_runs(conn: Connection[Any], team_id: int) -> timedelta:
    return run_retention.in_effect(runs_store.days(conn, team_id), retention_from(dict(os.environ)))


def own_of(shown: wire.LogRetention) -> dict[str, int | None]:
    return {"days": shown.days, "local_days": shown.local_days}


ROUTES = [show_log_retention, set_log_retention]
