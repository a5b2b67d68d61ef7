"""/dags and /import-errors."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody
from psycopg import Connection

from headway import wire
from headway.actions import backfills, commands, previews
from headway.actions.commands import RunRequest
from headway.api.context import Api, Handed
from headway.api.door import TOLD_MAX
from headway.api.parameters import Cursor, Id, Limit, TextFilter, one_of
from headway.api.repeats import WHOLE
from headway.core.roles import Verb
from headway.core.states import RunState
from headway.core.words import listed
from headway.engine.catalog import Catalog
from headway.errors import Conflict, HeadwayError, NotFound, UsageError
from headway.loader import sourcefiles
from headway.spec.assets import flaw_of_words
from headway.spec.params import check_params
from headway.store.clock import clock
from headway.store.views import dags as views
from headway.store.views import runs as run_views
from headway.wire.backfills import AGAIN

BULK_MAX: Final = 100_000
CODE_LINES: Final = 4  # of a broken file, above and below its error
CODE_CHARS: Final = 400  # of each of them


@get("/dags", needs=Verb.DAG_READ)
async def list_dags(
    api: Handed,
    q: TextFilter = None,
    tag: TextFilter = None,
    owner: TextFilter = None,
    paused: FromQuery[bool | None] = None,
    in_state: Annotated[str | None, one_of(RunState, "state")] = None,
    ran: FromQuery[bool | None] = None,
    sort: Annotated[str, one_of(views.SORTS)] = "name",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.DagPage:
    """List DAGs. ``q`` matches name or description, ``state`` is the state of the latest run, ``ran=false``
    lists those that never ran. ``sort`` with ``-`` is descending.
    """
    wanted = views.Filter(q=q, tag=tag, owner=owner, paused=paused, state=in_state, ran=ran)
    return await api.door.call(views.page, wanted, sort, limit, cursor)


@get("/dags/{dag_id:str}", needs=Verb.DAG_READ)
async def show_dag(api: Handed, dag_id: Id, with_tasks: FromQuery[bool] = True) -> wire.DagDetail:
    """Get a DAG with its spec and versions. ``with_tasks=false`` leaves the tasks out of the spec."""
    found = await api.door.call(views.detail, dag_id)
    return found if with_tasks else views.without_tasks(found)


@post("/dags/{dag_id:str}/runs", needs=Verb.RUN_TRIGGER, idempotent=WHOLE, guests=True)
async def trigger(
    api: Handed, dag_id: Id, data: JSONBody[wire.TriggerRequest]
) -> wire.Run | wire.TriggerPreview:
    """Trigger a run. The same idempotency key returns the same run. A dry run shows what would run."""
    if data.dry_run and api.principal.guest is not None:
        api.principal.require(Verb.RUN_READ, "see what would run")

    def work(conn: Connection[Any]) -> wire.Run | wire.TriggerPreview:
        if data.dry_run:
            views.require(conn, dag_id)
            return previews.would_trigger(conn, api.door.team_id, dag_id, asked(data))
        (run_id,) = create(conn, api, dag_id, [data])
        api.door.tell(after={"run_id": run_id})
        return run_views.one(conn, run_id)

    return await api.door.call(work)


@post("/dags/{dag_id:str}/runs/bulk", needs=Verb.RUN_TRIGGER, idempotent=WHOLE)
async def trigger_many(
    api: Handed, dag_id: Id, data: JSONBody[wire.BulkRequest]
) -> wire.BulkAnswer:
    """Trigger many runs: either all are created or none."""
    if (data.count is None) == (data.runs is None):
        raise UsageError("give either count or runs")
    wanted = data.runs
    if wanted is None:
        if not 0 < (data.count or 0) <= BULK_MAX:
            raise UsageError(f"count must be between 1 and {BULK_MAX:,}")
        wanted = [wire.TriggerRequest()] * (data.count or 0)

    def work(conn: Connection[Any]) -> wire.BulkAnswer:
        run_ids = create(conn, api, dag_id, wanted)
        api.door.tell(after={"runs": len(run_ids), "run_ids": run_ids[:TOLD_MAX]})
        return wire.BulkAnswer(run_ids=run_ids)

    return await api.door.call(work)


def create(
    conn: Connection[Any], api: Api, dag_id: str, wanted: list[wire.TriggerRequest]
) -> list[str]:
    triggers = [asked(each) for each in wanted]
    try:
        return commands.trigger(conn, api.door.team_id, dag_id, triggers, api.actor)
    except NotFound:
        raise views.unknown(conn, dag_id) from None


def asked(request: wire.TriggerRequest) -> RunRequest:
    if request.given_id is not None:
        if request.idempotency_key is not None:
            raise UsageError("a run has a given_id or an idempotency_key, not both")
        if (flaw := flaw_of_words(request.given_id)) is not None:
            raise UsageError(f"the given_id {flaw}")
    return RunRequest(
        params=request.params,
        logical_date=request.logical_date,
        key=request.idempotency_key,
        given_id=request.given_id,
        partition=request.partition,
    )


@post("/dags/{dag_id:str}/backfills", needs=Verb.RUN_BACKFILL, idempotent=WHOLE)
async def backfill(
    api: Handed, dag_id: Id, data: JSONBody[wire.BackfillRequest]
) -> wire.BackfillAnswer:
    """Create a backfill: runs for past fire times of the DAG's schedule, both ends inclusive."""

    if data.again not in AGAIN:
        raise UsageError(
            f"{data.again!r} is not a valid choice", hint=f"one of: {', '.join(AGAIN)}"
        )
    if data.again != "missing":
        api.principal.require(Verb.RUN_CLEAR, "run dates again")

    def work(conn: Connection[Any]) -> wire.BackfillAnswer:
        team_id = api.door.team_id
        spec = views.spec(conn, dag_id)
        dates = commands.backfill_dates(spec, data.first, data.last)
        planned = backfills.plan(conn, team_id, dag_id, dates, backfills.Again(data.again))
        notes = backfills.notes_of(spec, planned, clock(conn))
        if data.dry_run:
            check_params(spec, data.params)
            return backfill_answer(planned, None, {}, spec.zone, notes)
        check_something_to_do(planned)
        graphs, active = Catalog(conn).graph, data.max_active_runs
        backfill_id, run_ids = backfills.create(
            conn,
            team_id,
            dag_id,
            planned,
            data.params,
            active,
            graphs,
            api.actor,
            newest_first=data.newest_first,
        )
        left_out = backfills.left_out(planned)
        api.door.tell(
            after={"backfill_id": backfill_id, "runs": len(run_ids), "left_out": left_out}
        )
        return backfill_answer(planned, backfill_id, run_ids, spec.zone, notes)

    return await api.door.call(work)


def check_something_to_do(planned: list[backfills.Planned]) -> None:
    """Raise Conflict if every date has a run that is left as it is."""
    if all(each.action is backfills.Action.LEAVE for each in planned):
        states = listed(
            [f"{count} {state}" for state, count in backfills.left_out(planned).items()]
        )
        raise Conflict(
            f"all {len(planned):,} dates have a run already: {states}",
            hint="to run them again: headway backfill … --again failed, or --again all",
        )


def backfill_answer(
    planned: list[backfills.Planned],
    backfill_id: str | None,
    made: dict[datetime, str],
    zone: str,
    notes: list[str],
) -> wire.BackfillAnswer:
    runs = [
        wire.BackfillRun(
            logical_date=each.logical_date,
            run_id=each.run.run_id if each.run else made.get(each.logical_date),
            action=each.action,
            state=each.run.state if each.run else None,
        )
        for each in planned
    ]
    return wire.BackfillAnswer(backfill_id=backfill_id, runs=runs, timezone=zone, notes=notes)


@post("/dags/{dag_id:str}/pause", status_code=200, needs=Verb.DAG_PAUSE)
async def pause(api: Handed, dag_id: Id) -> wire.DagDetail:
    """Pause a DAG: no new runs or attempts start. Running attempts continue."""
    return await api.door.call(switch, api, dag_id, commands.pause)


@post("/dags/{dag_id:str}/resume", status_code=200, needs=Verb.DAG_PAUSE)
async def resume(api: Handed, dag_id: Id) -> wire.DagDetail:
    """Resume a paused DAG."""
    return await api.door.call(switch, api, dag_id, commands.resume)


def switch(
    conn: Connection[Any],
    api: Api,
    dag_id: str,
    command: Callable[[Connection[Any], int, str, str], bool],
) -> wire.DagDetail:
    before = views.detail(conn, dag_id)
    command(conn, api.door.team_id, dag_id, api.actor)
    after = views.detail(conn, dag_id)
    api.door.tell(before=pausing(before), after=pausing(after))
    return after


def pausing(dag: wire.DagDetail) -> dict[str, object]:
    return {"paused_at": dag.paused_at, "paused_by": dag.paused_by}


@get("/import-errors", needs=Verb.DAG_READ)
async def list_import_errors(
    api: Handed, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.BrokenFile]:
    """List DAG files that failed to load: the errors, the code around them, and the DAGs that keep an older version."""
    found = await api.door.call(views.import_errors, limit, cursor)
    if Verb.SOURCE_READ not in api.principal.verbs:
        return found
    return await asyncio.to_thread(with_code, api.layout.data, found)


def with_code(data: Path, page: wire.Page[wire.BrokenFile]) -> wire.Page[wire.BrokenFile]:
    return wire.Page(
        [msgspec.structs.replace(each, code=code_of(data, each)) for each in page.items],
        page.next_cursor,
    )


def code_of(data: Path, broken: wire.BrokenFile) -> wire.Excerpt | None:
    """Return the lines around an error; None: it has no line, or the file is no longer kept."""
    if broken.line is None:
        return None
    try:
        source = sourcefiles.read(data, broken.bundle_version, broken.file)
    except HeadwayError:
        return None
    lines = source.text.splitlines()
    first = max(1, broken.line - CODE_LINES)
    shown = [line[:CODE_CHARS] for line in lines[first - 1 : broken.line + CODE_LINES]]
    return wire.Excerpt(first=first, text="\n".join(shown)) if shown else None


ROUTES = [
    list_dags,
    show_dag,
    trigger,
    trigger_many,
    backfill,
    pause,
    resume,
    list_import_errors,
]
