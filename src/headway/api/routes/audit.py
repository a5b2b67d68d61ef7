"""/audit: the changes that people and programs made. For admins of the team."""

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
    """List audit entries, newest first."""
    return await api.door.call(
        views.page, actor=actor, action=action, since=since, limit=limit, cursor=cursor
    )


@get("/audit/check", needs=Role.ADMIN)
async def check_audit(api: Handed) -> wire.AuditCheck:
    """Verify that no audit entry was changed or removed."""
    return await api.door.call(views.check)


ROUTES = [list_audit, check_audit]
