"""Runs: listed, triggered, changed, cleared, waited for."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Final

from headway import clock
from headway.api.airflow import filters, shapes
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.filters import Filters, Json
from headway.api.airflow.inner import PAGE, Inner, Problem

ANY: Final = "~"
LIMIT: Final = 50
LIMIT_MAX: Final = 1_000
OFFSET_MAX: Final = 100_000
SCANNED_MAX: Final = 10_000  # runs that are looked through for one page
INSTANCES_MAX: Final = 100_000
WAIT_S_MAX: Final = 30.0  # of one inner request
RESULT: Final = "return_value"
ENDED: Final = ("success", "failed")
AT_ONCE: Final = timedelta(seconds=60)  # of ``run_after``: the clocks of two machines may differ
RUN_ID: Final = re.compile(r"[A-Za-z0-9_.~:+-]+")  # as Airflow allows them
ALLOWED: Final = ("conf", "logical_date", "note", "dag_run_id", "run_after", "partition_key")
REFUSED: Final = {
    "data_interval_start": "the schedule gives a run its data interval: leave it out",
    "data_interval_end": "the schedule gives a run its data interval: leave it out",
}
DATES: Final = ("run_after", "logical_date")
RUNS: Final = Filters(
    ranges=(*DATES, "start_date", "end_date", "duration"),
    equal={"state": "state", "run_type": "run_type", "bundle_version": "bundle_version"},
    patterns={
        "run_id": "dag_run_id",
        "dag_id": "dag_id",
        "triggering_user_name": "triggering_user_name",
    },
    orders={
        **{name: name for name in ("state", "dag_id", *DATES, "start_date", "end_date")},
        **{"id": "queued_at", "run_id": "dag_run_id", "dag_run_id": "dag_run_id"},
        **{"duration": "duration", "queued_at": "queued_at"},
    },
)
# Orders in which our API lists, without all being read first. Ids of runs have none, so they are those of their dates.
LISTED: Final = {"id": "oldest", "logical_date": "oldest", "run_after": "oldest"}
OURS: Final = {"failed": None, "success": "success", "running": "running", "queued": "queued"}
TRIGGERS: Final = {theirs: ours for ours, theirs in shapes.RUN_TYPES.items()}


async def list_runs(asked: Asked) -> Answer:
    dag_id = asked.names["dag_id"]
    return await listed(asked, None if dag_id == ANY else [dag_id])


async def listed(asked: Asked, dag_ids: list[str] | None) -> Answer:
    """Give a page of the runs of some DAGs, or of all, that fulfil the filters of the query."""
    rules = RUNS.rules(asked.query)
    if text := asked.first("conf_contains"):
        rules.append(filters.contains("conf", text))
    if dag_ids is not None and len(dag_ids) > 1:
        rules.append(filters.among("dag_id", dag_ids))
    only = dag_ids[0] if dag_ids is not None and len(dag_ids) == 1 else None
    order = asked.query.get("order_by", ["id"])
    sort = LISTED.get(order[0].removeprefix("-"))
    if sort is not None and order[0].startswith("-"):
        sort = "newest"
    limit = asked.number("limit", LIMIT, LIMIT_MAX)
    offset = asked.number("offset", 0, OFFSET_MAX)
    most = None if sort is None else offset + limit + 1
    found: list[Json] = []
    scanned = 0
    size = PAGE if most is None or rules else min(PAGE, most)
    async for each in asked.inner.each("/api/v1/runs", size, **asking(asked, only, sort)):
        scanned += 1
        shape = shapes.run(each)
        if all(rule(shape) for rule in rules):
            found.append(shape)
        if most is not None and len(found) >= most:
            break
        if scanned >= SCANNED_MAX and sort is None:
            why = f"more than {SCANNED_MAX:,} runs to put in this order"
            raise Problem(422, f"{why}: narrow it with logical_date_gte, or leave order_by out", [])
        if scanned >= SCANNED_MAX:
            break
    if sort is None:
        found = RUNS.sorted(asked.query, found)
    page = found[offset : offset + limit]
    return Answer({"dag_runs": page, "total_entries": len(found)})


def asking(asked: Asked, dag_id: str | None, sort: str | None) -> dict[str, object]:
    """Return what our API looks for itself: its dates are those of the list of one DAG."""
    query: dict[str, object] = {"dag_id": dag_id, "sort": sort or "newest"}
    states, types = asked.query.get("state", []), asked.query.get("run_type", [])
    if len(states) == 1:
        query["state"] = OURS.get(states[0])
    if len(types) == 1:
        query["trigger"] = TRIGGERS.get(types[0])
    if dag_id is not None:
        starts = [asked.first(f"{name}_{bound}") for name in DATES for bound in ("gte", "gt")]
        ends = [asked.first(f"{name}_lt") for name in DATES]
        query["from"] = next((each for each in starts if each), None)
        query["to"] = next((each for each in ends if each), None)
    return query


async def list_batch(asked: Asked) -> Answer:
    """The list with its filters in the body."""
    body = {name: value for name, value in asked.body.items() if value is not None}
    dag_ids = body.pop("dag_ids", None)
    query = queried(body, {"states": "state"}, {*RUNS.names(), "conf_contains"})
    return await listed(asked._replace(query=query), None if dag_ids is None else texts(dag_ids))


def queried(
    body: Mapping[str, Any], renamed: Mapping[str, str], known: set[str]
) -> dict[str, list[str]]:
    """Return the query that a body stands for. Raises Problem."""
    names = {"page_limit": "limit", "page_offset": "offset", **renamed}
    query = {names.get(name, name): texts(value) for name, value in body.items()}
    if unknown := query.keys() - known - {"limit", "offset"}:
        raise Problem(501, f"Headway has no {min(unknown)} here", [])
    return query


def texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return ["null" if each is None else str(each) for each in values]


async def trigger(asked: Asked) -> Answer:
    return Answer(shapes.run(await started(asked.inner, asked.names["dag_id"], asked.body)))


async def started(inner: Inner, dag_id: str, given: Mapping[str, Any]) -> Json:
    """Trigger a run as Airflow's body says, and return it. Raises Problem, 409: there is one with its id."""
    body = {name: value for name, value in given.items() if value is not None}
    for name in body:
        if name in REFUSED:
            raise Problem(501, REFUSED[name], [])
        if name not in ALLOWED:
            raise Problem(422, f"a run has no {name!r}", [])
    after = filters.moment_of(str(body.get("run_after", "")))
    if after is not None and after > clock.now() + AT_ONCE:
        raise Problem(501, "a run starts when it is triggered: leave run_after out", [])
    own = body.get("dag_run_id")
    if own is not None and not (isinstance(own, str) and RUN_ID.fullmatch(own)):
        raise Problem(400, f"dag_run_id must match {RUN_ID.pattern}", [])
    wanted = {
        "params": body.get("conf", {}),
        "logical_date": body.get("logical_date"),
        "given_id": own,
        "partition": body.get("partition_key"),
    }
    found: Json = await inner.send("POST", f"/api/v1/dags/{dag_id}/runs", wanted)
    if note := body.get("note"):
        found = await inner.send("PATCH", f"/api/v1/runs/{found['run_id']}", {"note": note})
    return found


async def run_of(asked: Asked) -> Any:
    """Return the run of our id, or of the one that its caller gave. Raises Problem: the DAG has no such run."""
    return await run_named(asked.inner, asked.names["dag_id"], asked.names["run_id"])


async def run_named(inner: Inner, dag_id: str, run_id: str) -> Any:
    try:
        found = await inner.get(f"/api/v1/runs/{run_id}")
        if dag_id in (ANY, found["dag_id"]) and found["run_id"] == run_id:
            return found
    except Problem as error:
        if error.status not in (400, 404):
            raise
    if dag_id != ANY:
        page = await inner.get("/api/v1/runs", dag_id=dag_id, given_id=run_id)
        if page["items"]:
            return page["items"][0]
    raise Problem(404, f"the DAG {dag_id!r} has no run {run_id!r}", [])


async def show_run(asked: Asked) -> Answer:
    return Answer(shapes.run(await run_of(asked)))


async def change_run(asked: Asked) -> Answer:
    found = await run_of(asked)
    path = f"/api/v1/runs/{found['run_id']}"
    if (state := asked.body.get("state")) == "queued":
        await asked.inner.send("POST", f"{path}/clear", {})
    elif state is not None:
        found = await asked.inner.send("POST", f"{path}/mark", {"state": state})
    if "note" in asked.body:
        found = await asked.inner.send("PATCH", path, {"note": asked.body["note"]})
    return Answer(shapes.run(await asked.inner.get(path) if state == "queued" else found))


async def clear_run(asked: Asked) -> Answer:
    if asked.wants("only_new"):
        raise Problem(
            501, "only_new is not supported: clear the run with run_on_latest_version", []
        )
    run = await run_of(asked)
    dry_run = asked.wants("dry_run", default=True)
    path = f"/api/v1/runs/{run['run_id']}"
    wanted = {
        "failed_only": asked.wants("only_failed"),
        "dry_run": dry_run,
        "code": "latest" if asked.wants("run_on_latest_version") else "run",
    }
    cleared = await asked.inner.send("POST", f"{path}/clear", wanted)
    if dry_run:
        shown = await shown_instances(asked.inner, run, keys_of(cleared["cleared"]))
        return Answer({"task_instances": shown, "total_entries": len(shown)})
    if (note := asked.body.get("note")) is not None:
        await asked.inner.send("PATCH", path, {"note": note})
    return Answer(shapes.run(await asked.inner.get(path)))


async def wait(asked: Asked) -> Answer:
    """Tell the state every ``interval`` seconds until the run has ended, and then the results of tasks."""
    run = await run_of(asked)
    interval = seconds(asked.first("interval"))
    return Answer(None, lines=states_of(asked.inner, run, interval, asked.query.get("result")))


def seconds(text: str | None) -> float:
    try:
        found = float(text or "")
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise Problem(422, "interval must be a number of seconds, more than 0", [])
    return found


async def states_of(
    inner: Inner, run: Json, interval: float, results: list[str] | None
) -> AsyncIterator[dict[str, Any]]:
    path = f"/api/v1/runs/{run['run_id']}"
    state = shapes.run(run)["state"]
    while state not in ENDED:
        yield {"state": state}
        left = interval
        while left > 0 and state not in ENDED:
            run = await inner.get(path, wait_s=min(left, WAIT_S_MAX))
            state, left = shapes.run(run)["state"], left - WAIT_S_MAX
    told: dict[str, Any] = {"state": state}
    if results:
        found = {task_id: await result_of(inner, path, task_id) for task_id in results}
        told["results"] = {name: value for name, value in found.items() if value is not None}
    yield told


async def result_of(inner: Inner, path: str, task_id: str) -> Any:
    """Return the result of a task, or those of its instances; None: there is none."""
    stored = [
        each async for each in inner.each(f"{path}/xcoms", task_id=task_id) if each["key"] == RESULT
    ]
    if len(stored) == 1 and stored[0]["map_index"] < 0:
        return stored[0]["value"]
    return [each["value"] for each in stored] or None


def keys_of(keys: list[Json]) -> set[tuple[str, int]]:
    return {(each["task_id"], each["map_index"]) for each in keys}


async def shown_instances(inner: Inner, run: Json, keys: set[tuple[str, int]]) -> list[Json]:
    """Return these task instances of a run in Airflow's shape."""
    path = f"/api/v1/runs/{run['run_id']}/task-instances"
    only = {task_id for task_id, _ in keys}
    one = next(iter(only)) if len(only) == 1 else None
    items, _ = await inner.pages(path, INSTANCES_MAX, task_id=one)
    tasks = await tasks_of(inner, run)
    return [
        shapes.instance(each, run, tasks.get(each["task_id"], {}))
        for each in items
        if (each["task_id"], each["map_index"]) in keys
    ]


async def tasks_of(inner: Inner, run: Json) -> dict[str, Any]:
    """Return the tasks in the latest spec of the DAG: who may not see it gets the defaults."""
    try:
        found = await inner.get(f"/api/v1/dags/{run['dag_id']}")
    except Problem as error:
        if error.status not in (403, 404):
            raise
        return {}
    return {task["task_id"]: task for task in found["spec"]["tasks"]}
