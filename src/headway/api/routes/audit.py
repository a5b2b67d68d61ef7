"""/audit: who asked for what, for the admins of the team."""

from datetime import datetime

from litestar import get
from litestar.params import FromQuery

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Cursor, Limit, TextFilter
from headway.core.roles import Role
from headway.store.views import audit as views


@get("/audit", needs=Role.ADMIN)
async def list_audit(
    api: Handed,
    actor: TextFilter = None,
    action: TextFilter = None,
    since: FromQuery[datetime | None] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.Page[wire.AuditEntry]:
    """The latest first."""
    return await api.door.call(
        views.page, actor=actor, action=action, since=since, limit=limit, cursor=cursor
    )


@get("/audit/check", needs=Role.ADMIN)
async def check_audit(api: Handed) -> wire.AuditCheck:
    """Whether every entry is as it was written, and none is missing between two."""
    return await api.door.call(views.check)


ROUTES = [list_audit, check_audit]
