"""/runs: what they are, what happened in them, and a person's word on them."""

from typing import Annotated, Final

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from headway import clock, wire
from headway.api.context import Api, Handed
from headway.api.wakeups import wait
from headway.core.states import RUN_FINAL
from headway.store.views import history, instances
from headway.store.views import runs as views

WAIT_S_MAX: Final = 60.0


@get("/runs")
async def list_runs(
    api: Handed,
    dag_id: FromQuery[str | None] = None,
    in_state: Annotated[str | None, QueryParameter(name="state")] = None,
    backfill_id: FromQuery[str | None] = None,
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> wire.Page[wire.Run]:
    return await api.door.call(
        views.page,
        dag_id=dag_id,
        state=in_state,
        backfill_id=backfill_id,
        limit=limit,
        cursor=cursor,
    )


@get("/runs/{run_id:str}")
async def show_run(api: Handed, run_id: FromPath[str], wait_s: FromQuery[float] = 0.0) -> wire.Run:
    """With ``wait_s``: answered when the run has ended, or after that time."""
    run_id = await api.door.call(views.resolve, run_id)
    if wait_s > 0:
        await until_final(api, run_id, wait_s)
    return await api.door.call(views.one, run_id)


async def until_final(api: Api, run_id: str, wait_s: float) -> None:
    deadline = clock.monotonic() + min(wait_s, WAIT_S_MAX)
    with api.wakeups.watching(run_id) as wakeup:
        while await api.door.call(views.state, run_id) not in RUN_FINAL:
            if not await wait(wakeup, deadline):
                return


@get("/runs/{run_id:str}/tasks")
async def list_tasks(api: Handed, run_id: FromPath[str]) -> wire.Page[wire.RunTask]:
    """One row a task, its instances counted, upstream first."""
    run_id = await api.door.call(views.resolve, run_id)
    return wire.Page(await api.door.call(instances.by_task, run_id))


@get("/runs/{run_id:str}/events")
async def list_events(
    api: Handed,
    run_id: FromPath[str],
    after: FromQuery[int] = 0,
    wait_s: FromQuery[float] = 0.0,
    limit: FromQuery[int] = 500,
) -> wire.Page[wire.Event]:
    """With ``wait_s``: answered as soon as there is an event after number ``after``."""
    run_id = await api.door.call(views.resolve, run_id)
    deadline = clock.monotonic() + min(wait_s, WAIT_S_MAX)
    with api.wakeups.watching(run_id) as wakeup:
        while not (found := await api.door.call(history.of_run, run_id, after, limit)):
            if not await wait(wakeup, deadline):
                break
    return wire.Page(found)


@get("/runs/{run_id:str}/xcoms")
async def list_xcoms(
    api: Handed,
    run_id: FromPath[str],
    task_id: FromQuery[str | None] = None,
    map_index: FromQuery[int | None] = None,
    limit: FromQuery[int] = 100,
    cursor: FromQuery[str | None] = None,
) -> wire.Page[wire.XCom]:
    run_id = await api.door.call(views.resolve, run_id)
    return await api.door.call(
        instances.xcoms,
        run_id,
        task_id=task_id,
        map_index=map_index,
        limit=limit,
        cursor=cursor,
    )


ROUTES = [list_runs, show_run, list_tasks, list_events, list_xcoms]
