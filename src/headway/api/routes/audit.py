"""/audit: the changes that people and programs made. For admins of the team."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from litestar import get
from litestar.params import FromQuery
from litestar.response import Stream

from headway import wire
from headway.api.audit_export import FORMATS
from headway.api.context import Handed
from headway.api.parameters import Cursor, Limit, TextFilter, one_of
from headway.api.routes.logs import NO_SNIFFING
from headway.core.roles import Verb
from headway.errors import UsageError
from headway.store.views import audit as views


@get("/audit", needs=Verb.AUDIT_READ)
async def list_audit(
    api: Handed,
    actor: TextFilter = None,
    action: TextFilter = None,
    since: FromQuery[datetime | None] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.Page[wire.WordedEntry]:
    """List audit entries, newest first."""
    return await api.door.call(
        views.page, actor=actor, action=action, since=since, limit=limit, cursor=cursor
    )


@get("/audit/export", media_type="text/plain", needs=Verb.AUDIT_READ)
async def export_audit(
    api: Handed,
    form: Annotated[str, one_of(FORMATS, "format")] = "jsonl",
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Stream:
    """Download the audit of the team, oldest first, with the hash chain: as JSON lines or as CSV."""
    if form not in FORMATS:
        raise UsageError(
            f"{form!r} is not a valid format", hint=f"formats are {', '.join(FORMATS)}"
        )
    head, write = FORMATS[form]

    async def entries(after: int) -> list[wire.AuditRecord]:
        return await api.door.call(views.export, since=since, until=until, after=after)

    async def parts(records: list[wire.AuditRecord]) -> AsyncIterator[bytes]:
        yield head
        while records:
            yield write(records)
            records = await entries(records[-1].seq)

    named = f'attachment; filename="audit-{api.principal.team}.{form}"'
    first = await entries(0)  # before the status is sent, because it may be refused
    return Stream(
        parts(first),
        media_type="text/plain",
        headers={**NO_SNIFFING, "Content-Disposition": named},
    )


@get("/audit/check", needs=Verb.AUDIT_READ)
async def check_audit(api: Handed) -> wire.AuditCheck:
    """Verify that no audit entry was changed or removed."""
    return await api.door.call(views.check)


ROUTES = [list_audit, export_audit, check_audit]
