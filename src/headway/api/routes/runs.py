"""/runs: runs, their tasks and events, and the actions on them."""

from typing import Annotated, Any, Final

from litestar import get, patch, post
from litestar.params import FromQuery, JSONBody
from psycopg import Connection

from headway import clock, wire
from headway.actions import commands, notes, previews, repins
from headway.api.context import Api, Handed
from headway.api.door import TOLD_MAX
from headway.api.parameters import (
    Cursor,
    EventNumber,
    Id,
    IdFilter,
    Limit,
    MapIndex,
    Since,
    TextFilter,
    Until,
    Wait,
    one_of,
)
from headway.api.repeats import WHOLE
from headway.api.wakeups import wait
from headway.core.commands import Selection
from headway.core.repin import Code
from headway.core.roles import Verb
from headway.core.states import LIVE, RUN_FINAL, Event, RunState
from headway.core.triggers import Trigger
from headway.engine.catalog import Catalog
from headway.errors import UsageError
from headway.runs.again import Graphs
from headway.store.views import diagnosis, history, instances, run_tasks
from headway.store.views import runs as views
from headway.wire.runs import CODES

WAIT_S_MAX: Final = 60.0
MARKS: Final = {"success": Event.MARK_SUCCESS, "failed": Event.MARK_FAILED}


@get("/runs", needs=Verb.RUN_READ, guests=True)
async def list_runs(
    api: Handed,
    dag_id: IdFilter = None,
    in_state: Annotated[str | None, one_of(RunState, "state")] = None,
    trigger: Annotated[str | None, one_of(Trigger)] = None,
    backfill_id: IdFilter = None,
    q: TextFilter = None,
    set_aside: FromQuery[bool] = False,
    first: Since = None,
    last: Until = None,
    sort: Annotated[str, one_of(views.SORTS)] = "newest",
    given_id: IdFilter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> wire.Page[wire.Run]:
    """List runs, newest first: by creation time, or by logical date if ``dag_id`` or ``backfill_id`` is
    given. ``from`` (inclusive) and ``to`` (exclusive) limit the same field; a date stands for the
    whole day. ``q`` matches the start of a run id, or part of a DAG id or note. ``sort=longest`` sorts the
    20,000 newest that match by duration. ``given_id`` is that of one run of a DAG.
    """
    wanted = views.Filter(
        dag_id=dag_id,
        state=in_state,
        trigger=trigger,
        backfill_id=backfill_id,
        q=q,
        set_aside=set_aside,
        first=first,
        last=last,
        sort=sort,
        given_id=given_id,
    )
    return await api.door.call(views.page, wanted, limit, cursor)


@get("/run-totals", needs=Verb.RUN_READ)
async def count_runs(
    api: Handed,
    dag_id: IdFilter = None,
    trigger: Annotated[str | None, one_of(Trigger)] = None,
    backfill_id: IdFilter = None,
    q: TextFilter = None,
    first: Since = None,
    last: Until = None,
) -> wire.RunTotals:
    """Count runs by state: those that a list with these filters shows, of the newest 20,000."""
    wanted = views.Filter(
        dag_id=dag_id, trigger=trigger, backfill_id=backfill_id, q=q, first=first, last=last
    )
    return await api.door.call(views.totals, wanted)


@get("/runs/{run_id:str}", needs=Verb.RUN_READ, guests=True)
async def show_run(api: Handed, run_id: Id, wait_s: Wait = 0.0) -> wire.Run:
    """Get a run. ``wait_s`` waits up to this time for the run to end."""
    run_id = await api.door.call(views.resolve, run_id)
    if wait_s > 0:
        await until_final(api, run_id, wait_s)
    return await api.door.call(views.whole, run_id)


@get("/runs/{run_id:str}/adjacent", needs=Verb.RUN_READ)
async def show_adjacent(api: Handed, run_id: Id) -> wire.AdjacentRuns:
    """Get the runs of the same DAG before and after a run, by logical date."""
    run_id = await api.door.call(views.resolve, run_id)
    return await api.door.call(views.adjacent, run_id)


async def until_final(api: Api, run_id: str, wait_s: float) -> None:
    deadline = clock.monotonic() + min(wait_s, WAIT_S_MAX)
    with api.wakeups.awaiting_end(run_id) as wakeup:
        while await api.door.call(views.state, run_id) not in RUN_FINAL:
            if not await wait(wakeup, deadline):
                return


@get("/runs/{run_id:str}/tasks", needs=Verb.RUN_READ, guests=True)
async def list_tasks(api: Handed, run_id: Id) -> wire.Page[wire.RunTask]:
    """List the tasks of a run, upstream first, with counts of their instances."""
    run_id = await api.door.call(views.resolve, run_id)
    return wire.Page(await api.door.call(run_tasks.of_run, api.memory, run_id))


@get("/runs/{run_id:str}/events", needs=Verb.RUN_READ)
async def list_run_events(
    api: Handed,
    run_id: Id,
    after: EventNumber = 0,
    wait_s: Wait = 0.0,
    limit: Limit = 500,
) -> wire.Page[wire.Event]:
    """List the events of a run. ``wait_s`` waits for an event after number ``after``."""
    run_id = await api.door.call(views.resolve, run_id)
    deadline = clock.monotonic() + min(wait_s, WAIT_S_MAX)
    with api.wakeups.watching(run_id) as wakeup:
        while not (found := await api.door.call(history.of_run, run_id, after, limit)):
            if not await wait(wakeup, deadline):
                break
    return wire.Page(found)


@get("/runs/{run_id:str}/xcoms", needs=Verb.XCOM_READ)
async def list_xcoms(
    api: Handed,
    run_id: Id,
    task_id: IdFilter = None,
    map_index: MapIndex = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.Page[wire.XCom]:
    """List the stored results of a run's tasks."""
    run_id = await api.door.call(views.resolve, run_id)
    return await api.door.call(
        instances.xcoms,
        run_id,
        task_id=task_id,
        map_index=map_index,
        limit=limit,
        cursor=cursor,
    )


@post("/runs/{run_id:str}/cancel", status_code=200, needs=Verb.RUN_CANCEL)
async def cancel(api: Handed, run_id: Id) -> wire.Run:
    """Cancel a run. Running tasks are stopped, waiting tasks do not start."""

    def work(conn: Connection[Any]) -> wire.Run:
        found = api.door.about(views.resolve(conn, run_id))
        before = views.state(conn, found)
        if before not in RUN_FINAL:
            commands.cancel(conn, api.door.team_id, found, graphs(conn), api.actor)
        after = views.one(conn, found)
        api.door.tell(before={"state": before}, after={"state": after.state})
        return after

    return await api.door.call(work)


@post("/runs/{run_id:str}/clear", status_code=200, needs=Verb.RUN_CLEAR, idempotent=WHOLE)
async def clear(api: Handed, run_id: Id, data: JSONBody[wire.ClearRequest]) -> wire.ClearAnswer:
    """Clear task instances so that they run again, with the code of the run or the latest of its DAG."""
    if data.code not in CODES:
        raise UsageError(f"{data.code!r} is not a valid code", hint=f"choose {' or '.join(CODES)}")

    def work(conn: Connection[Any]) -> wire.ClearAnswer:
        found = api.door.about(views.resolve(conn, run_id))
        selection = selected(conn, found, data)
        of = (conn, api.door.team_id, found, selection, graphs(conn))
        if data.dry_run:
            chosen = commands.would_clear(*of, Code(data.code))
        else:
            chosen = commands.clear(*of, api.actor, Code(data.code))
        return clear_answer(api, conn, found, selection, data, chosen)

    return await api.door.call(work)


def selected(conn: Connection[Any], run_id: str, data: wire.ClearRequest) -> Selection:
    among = frozenset(diagnosis.with_error(conn, run_id, data.error)) if data.error else None
    return Selection(
        tasks=frozenset(data.tasks),
        map_indexes=frozenset(data.map_indexes),
        failed_only=data.failed_only,
        downstream=data.downstream,
        upstream=data.upstream,
        among=among,
    )


def clear_answer(
    api: Api,
    conn: Connection[Any],
    run_id: str,
    selection: Selection,
    data: wire.ClearRequest,
    chosen: list[commands.Affected],
) -> wire.ClearAnswer:
    row, run = commands.looked_at(conn, api.door.team_id, run_id, graphs(conn))
    choice = None
    if data.dry_run:
        choice = repins.difference(conn, api.layout.data, row, run, selection.tasks)
    else:
        api.door.tell(**changed(chosen), code=data.code, version=row.version)
    latest = choice is not None and data.code == Code.LATEST
    return wire.ClearAnswer(
        run_id=run_id,
        cleared=keys(chosen),
        dry_run=data.dry_run,
        version=choice.latest_version if choice and latest else row.version,
        bundle_version=choice.latest_bundle_version if choice and latest else row.bundle_version,
        choice=choice,
    )


@post("/runs/{run_id:str}/mark", status_code=200, needs=Verb.RUN_MARK, idempotent=WHOLE)
async def mark(
    api: Handed, run_id: Id, data: JSONBody[wire.MarkRequest]
) -> wire.Run | wire.MarkPreview:
    """Mark a task instance or a run as success or failed. A dry run lists what would be marked."""
    if data.state not in MARKS:
        raise UsageError(f"a task is marked as {' or '.join(MARKS)}, not as {data.state!r}")
    if data.task_id is None and data.map_index >= 0:
        raise UsageError("map_index needs a task", hint="name the task, or omit map_index")

    def work(conn: Connection[Any]) -> wire.Run | wire.MarkPreview:
        found = api.door.about(views.resolve(conn, run_id))
        marked = (mark_instance if data.task_id else mark_all)(api, conn, found, data)
        if data.dry_run:
            ending = sum(each.state in LIVE for each in marked)
            return wire.MarkPreview(run_id=found, marked=keys(marked), ending=ending)
        api.door.tell(**changed(marked), after=data.state)
        return views.one(conn, found)

    return await api.door.call(work)


def mark_instance(
    api: Api, conn: Connection[Any], run_id: str, data: wire.MarkRequest
) -> list[commands.Affected]:
    assert data.task_id is not None, "without a task, the whole run is marked"
    instances.one(conn, run_id, data.task_id, data.map_index)  # NotFound
    selection = Selection(tasks=frozenset({data.task_id}), map_indexes=frozenset({data.map_index}))
    of = (conn, api.door.team_id, run_id, selection, MARKS[data.state], graphs(conn))
    return previews.would_mark(*of) if data.dry_run else commands.mark(*of, api.actor)


def mark_all(
    api: Api, conn: Connection[Any], run_id: str, data: wire.MarkRequest
) -> list[commands.Affected]:
    of = (conn, api.door.team_id, run_id, MARKS[data.state], graphs(conn))
    return previews.would_mark_run(*of) if data.dry_run else commands.mark_run(*of, api.actor)


@patch("/runs/{run_id:str}", needs=Verb.RUN_NOTE)
async def write_note(api: Handed, run_id: Id, data: JSONBody[wire.NoteRequest]) -> wire.Run:
    """Set the note of a run; null removes it."""

    def work(conn: Connection[Any]) -> wire.Run:
        found = api.door.about(views.resolve(conn, run_id))
        before = views.one(conn, found)
        notes.write(conn, api.door.team_id, found, data.note, api.actor)
        after = views.one(conn, found)
        api.door.tell(before={"note": before.note}, after={"note": after.note})
        return after

    return await api.door.call(work)


def graphs(conn: Connection[Any]) -> Graphs:
    return Catalog(conn).graph


def changed(affected: list[commands.Affected]) -> dict[str, object]:
    """Return the previous states for the audit, at most the first ones."""
    return {"instances": len(affected), "before": affected[:TOLD_MAX]}


def keys(affected: list[commands.Affected]) -> list[wire.InstanceKey]:
    return [wire.InstanceKey(task_id=each.task_id, map_index=each.map_index) for each in affected]


ROUTES = [
    list_runs,
    count_runs,
    show_run,
    show_adjacent,
    list_tasks,
    list_run_events,
    list_xcoms,
    cancel,
    clear,
    mark,
    write_note,
]
