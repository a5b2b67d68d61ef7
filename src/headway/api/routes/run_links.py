"""/run-links: links by which people without an account read one run, and what such a link shows."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from litestar import Request, delete, get, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import clock, ids, wire
from headway.api.access import PUBLIC
from headway.api.context import Handed
from headway.api.excerpts import logs_of, with_excerpts
from headway.api.parameters import Cursor, Id, IdFilter, Limit
from headway.api.principal import Principal
from headway.api.record import address_of
from headway.api.repeats import ONCE
from headway.api.routes.diagnosis import places_of
from headway.api.routes.session import OPEN
from headway.core.crowds import crowd_of
from headway.core.roles import Verb
from headway.errors import NotAllowed, NotFound, UsageError
from headway.identity.accounts import fingerprint
from headway.store import run_links
from headway.store.views import diagnosis, run_tasks, runs

HOURS_MAX: Final = 90 * 24
PREFIX: Final = "hwl_"  # so that scanners of sources find one that was left there


@get("/run-links", needs=Verb.RUN_LINK)
async def list_run_links(
    api: Handed, run_id: IdFilter = None, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.RunLink]:
    """List the links to runs, newest first, also expired and revoked ones. Never their secrets."""
    return await api.door.call(run_links.page, run_id, limit, cursor)


@post("/runs/{run_id:str}/links", needs=Verb.RUN_LINK, idempotent=ONCE)
async def create_run_link(
    api: Handed, run_id: Id, data: JSONBody[wire.RunLinkRequest]
) -> wire.NewRunLink:
    """Create a link to a run. Anyone who has the link reads the run until it expires or is revoked; it opens nothing
    else. Only this answer contains it.
    """
    who = api.principal
    who.require(Verb.RUN_READ, "create a link to a run")
    if data.with_logs:
        who.require(Verb.LOG_READ, "create a link that shows logs")
    check_lifetime(who, data.hours)
    secret = PREFIX + ids.token()

    def work(conn: Connection[Any]) -> wire.NewRunLink:
        found = api.door.about(runs.resolve(conn, run_id))
        link_id = ids.run_id()
        run_links.create(
            *(conn, api.door.team_id, link_id, found, fingerprint(secret)),
            *(data.hours * 3600.0, api.actor),
            with_logs=data.with_logs,
        )
        made = run_links.one(conn, link_id)
        api.door.tell(after=made)
        shown = {name: getattr(made, name) for name in made.__struct_fields__}
        return wire.NewRunLink(url=f"{api.url}/linked#{secret}", **shown)

    return await api.door.call(work)


@delete("/run-links/{link_id:str}", needs=Verb.RUN_LINK, status_code=200)
async def revoke_run_link(api: Handed, link_id: Id) -> wire.RunLink:
    """Revoke a link. It stops working immediately."""

    def work(conn: Connection[Any]) -> wire.RunLink:
        before = run_links.one(conn, link_id)
        run_links.revoke(conn, api.door.team_id, link_id)
        after = run_links.one(conn, link_id)
        api.door.tell(before=before, after=after)
        return after

    return await api.door.call(work)


@post("/linked-run", needs=PUBLIC, status_code=200, security=OPEN)
async def show_linked_run(
    api: Handed, request: Request[Any, Any, Any], data: JSONBody[wire.RunLinkSecret]
) -> wire.LinkedRun:
    """Read the run of a link. No session is opened. An unknown, an expired and a revoked link have one answer."""
    api.link_rate.take(crowd_of(address_of(request)))
    found = await api.door.call(run_links.opened, fingerprint(data.token))
    if found is None:
        raise no_link()
    of_team = replace(api, door=api.door.of(found.team_id))
    run = await of_team.door.call(runs.one, found.run_id)
    tasks = await of_team.door.call(run_tasks.of_run, api.memory, found.run_id)
    told = await of_team.door.call(diagnosis.of_run, api.memory, found.run_id)
    if found.with_logs:
        logs = await places_of(of_team, found.team, logs_of(told))
        told = await asyncio.to_thread(with_excerpts, logs, told)
    return shown(found, run, tasks, told)


def check_lifetime(who: Principal, hours: int) -> None:
    """Raise UsageError or NotAllowed for a link that would work for too long."""
    if not 1 <= hours <= HOURS_MAX:
        raise UsageError(f"a link must expire after 1 to {HOURS_MAX} hours, not {hours}")
    until = clock.now() + timedelta(hours=hours)
    if not who.is_whole and who.expires_at is not None and until > who.expires_at:
        raise NotAllowed(
            "a token cannot create a link that expires after itself",
            hint=f"this token expires at {who.expires_at:%Y-%m-%d %H:%M} UTC",
        )


def no_link() -> NotFound:
    return NotFound(
        "this link is not valid: it is unknown, expired or revoked",
        hint="ask the person who sent it for another",
    )


def shown(
    link: run_links.Opened, run: wire.Run, tasks: list[wire.RunTask], told: wire.Diagnosis
) -> wire.LinkedRun:
    return wire.LinkedRun(
        team=link.team,
        dag_id=run.dag_id,
        run_id=run.run_id,
        state=run.state,
        logical_date=run.logical_date,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        tasks=[
            wire.LinkedTask(
                task_id=task.task_id,
                counts=task.counts,
                started_at=task.started_at,
                ended_at=task.ended_at,
            )
            for task in tasks
        ],
        errors=[
            wire.LinkedError(
                task_id=group.first.task_id,
                count=group.count,
                detail=group.first.detail,
                log=group.first.excerpt if link.with_logs else None,
            )
            for group in told.errors
        ],
        expires_at=link.expires_at,
    )


ROUTES = [list_run_links, create_run_link, revoke_run_link, show_linked_run]
