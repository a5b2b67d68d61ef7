"""Task instances: listed, marked, cleared; their tries, logs, results, and what they wait for."""

from collections.abc import Mapping
from typing import Any, Final

from headway.api.airflow import shapes
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.filters import Filters, Json
from headway.api.airflow.inner import Inner, Problem
from headway.api.airflow.runs import (
    ANY,
    INSTANCES_MAX,
    LIMIT,
    LIMIT_MAX,
    OFFSET_MAX,
    keys_of,
    queried,
    run_named,
    run_of,
    shown_instances,
    tasks_of,
    texts,
)

RUNS_MAX: Final = 100  # that one request clears or lists the instances of
ONE_LOG_BYTES: Final = 1024 * 1024
DATES: Final = ("run_after", "logical_date", "start_date", "end_date")
INSTANCES: Final = Filters(
    ranges=(*DATES, "duration"),
    equal={
        name: name
        for name in ("state", "task_id", "pool", "queue", "map_index", "try_number", "operator")
    },
    patterns={
        "task_display_name": "task_display_name",
        "dag_id": "dag_id",
        "run_id": "dag_run_id",
        "pool_name": "pool",
        "queue_name": "queue",
        "operator_name": "operator_name",
    },
    orders={
        name: name
        for name in ("state", "duration", "map_index", "try_number", "task_id", "pool", *DATES)
    },
)
MARKS: Final = ("success", "failed")
AROUND: Final = ("include_upstream", "include_downstream", "include_future", "include_past")
NOT_CLEARED: Final = ("only_running", "include_future", "include_past")


async def list_instances(asked: Asked) -> Answer:
    if asked.names.get("run_id") == ANY:
        return await listed_of(asked, await runs_of(asked, asked.names["dag_id"]))
    return await listed_of(asked, [await run_of(asked)])


async def runs_of(asked: Asked, dag_id: str) -> list[Any]:
    """Return the newest runs of a DAG, or of all. Raises Problem: they are more than one request may look at."""
    runs, has_more = await asked.inner.pages(
        "/api/v1/runs",
        RUNS_MAX,
        dag_id=None if dag_id == ANY else dag_id,
        **between(asked, "logical_date") if dag_id != ANY else {},
    )
    if has_more:
        raise Problem(
            501, f"the task instances of at most {RUNS_MAX} runs are listed at once: name a run", []
        )
    return runs


def between(asked: Asked, name: str) -> dict[str, object]:
    return {"from": asked.first(f"{name}_gte"), "to": asked.first(f"{name}_lt")}


async def listed_of(asked: Asked, runs: list[Any]) -> Answer:
    """Give a page of the instances of these runs that fulfil the filters of the query."""
    rules = INSTANCES.rules(asked.query)
    task_id = asked.names.get("task_id") or asked.first("task_id")
    found: list[Json] = []
    for run in runs:
        path = f"/api/v1/runs/{run['run_id']}/task-instances"
        only = None if len(asked.query.get("task_id", [])) > 1 else task_id
        items, _ = await asked.inner.pages(path, INSTANCES_MAX, task_id=only)
        tasks = await tasks_of(asked.inner, run)
        shown = [shapes.instance(each, run, tasks.get(each["task_id"], {})) for each in items]
        found += [each for each in shown if all(rule(each) for rule in rules)]
    found = INSTANCES.sorted(asked.query, found)
    limit = asked.number("limit", LIMIT, LIMIT_MAX)
    offset = asked.number("offset", 0, OFFSET_MAX)
    page = found[offset : offset + limit]
    return Answer({"task_instances": page, "total_entries": len(found)})


async def list_batch(asked: Asked) -> Answer:
    """The list with its filters in the body."""
    body = {name: value for name, value in asked.body.items() if value is not None}
    dag_ids, run_ids = body.pop("dag_ids", None), body.pop("dag_run_ids", None)
    query = queried(body, {"task_ids": "task_id"}, set(INSTANCES.names()))
    again = asked._replace(query=query)
    if run_ids is None:
        wanted = [ANY] if dag_ids is None else texts(dag_ids)
        runs = [run for dag_id in wanted for run in await runs_of(again, dag_id)]
    else:
        if len(wanted := texts(run_ids)) > RUNS_MAX:
            raise Problem(422, f"at most {RUNS_MAX} dag_run_ids in one request", [])
        runs = [
            await run_named(asked.inner, dag_id, run_id)
            for run_id in wanted
            for dag_id in (texts(dag_ids) if dag_ids is not None else [ANY])
        ]
    return await listed_of(again, runs)


async def show_instance(asked: Asked) -> Answer:
    run, found, task = await instance_of(asked)
    return Answer(shapes.instance(found, run, task))


async def instance_of(asked: Asked) -> tuple[Json, Json, Json]:
    """Return the run, the instance with its attempts, and its task."""
    run, task_id = await run_of(asked), asked.names["task_id"]
    path = f"/api/v1/runs/{run['run_id']}/task-instances/{task_id}"
    found = await asked.inner.get(path, map_index=index_of(asked))
    tasks = await tasks_of(asked.inner, run)
    return run, found, tasks.get(task_id, {})


async def list_tries(asked: Asked) -> Answer:
    run, found, task = await instance_of(asked)
    tries = [shapes.attempt(each, found, run, task) for each in reversed(found["history"])]
    return Answer({"task_instances": tries, "total_entries": len(tries)})


async def show_try(asked: Asked) -> Answer:
    run, found, task = await instance_of(asked)
    for each in found["history"]:
        if str(each["number"]) == asked.names["try_number"]:
            return Answer(shapes.attempt(each, found, run, task))
    raise Problem(404, f"there is no try {asked.names['try_number']} of this task instance", [])


async def list_dependencies(asked: Asked) -> Answer:
    """Say why the instance does not run, if it could."""
    _, found, _ = await instance_of(asked)
    why = found["blocked_reason"]
    told = [] if why is None else [{"name": "Headway", "reason": why}]
    return Answer({"dependencies": told})


async def change_instance(asked: Asked) -> Answer:
    return await changed(asked, dry_run=False)


async def would_change_instance(asked: Asked) -> Answer:
    return await changed(asked, dry_run=True)


async def changed(asked: Asked, *, dry_run: bool) -> Answer:
    """Mark the instance, or all instances of a mapped task."""
    refuse(asked, AROUND)
    if asked.body.get("note") is not None:
        raise Problem(501, "task instances have no notes in Headway: put the note on the run", [])
    if (state := asked.body.get("new_state")) not in MARKS:
        raise Problem(501, "a task instance is marked as success or failed", [])
    run, task_id = await run_of(asked), asked.names["task_id"]
    path = f"/api/v1/runs/{run['run_id']}"
    index = index_of(asked)
    indexes = [-1 if index is None else int(index)]
    if index is None:
        items, _ = await asked.inner.pages(f"{path}/task-instances", INSTANCES_MAX, task_id=task_id)
        indexes = [each["map_index"] for each in items] or indexes
    for each in indexes:
        wanted = {"task_id": task_id, "map_index": each, "state": state, "dry_run": dry_run}
        await asked.inner.send("POST", f"{path}/mark", wanted)
    shown = await shown_instances(asked.inner, run, {(task_id, each) for each in indexes})
    return Answer({"task_instances": shown, "total_entries": len(shown)})


def refuse(asked: Asked, names: tuple[str, ...]) -> None:
    for name in names:
        if asked.wants(name):
            raise Problem(501, f"{name} is not supported: name the tasks and runs themselves", [])


async def clear(asked: Asked) -> Answer:
    """Clear task instances of one run, or of the runs between two dates."""
    refuse(asked, NOT_CLEARED)
    chosen = selections(asked)
    dry_run = asked.wants("dry_run", default=True)
    shown: list[Json] = []
    for run in await runs_to_clear(asked):
        keys: set[tuple[str, int]] = set()
        path = f"/api/v1/runs/{run['run_id']}"
        for each in chosen:
            found = await asked.inner.send("POST", f"{path}/clear", {**each, "dry_run": dry_run})
            keys |= keys_of(found["cleared"])
        if (note := asked.body.get("note")) is not None and not dry_run:
            await asked.inner.send("PATCH", path, {"note": note})
        shown += await shown_instances(asked.inner, run, keys) if keys else []
    return Answer({"task_instances": shown, "total_entries": len(shown)})


async def runs_to_clear(asked: Asked) -> list[Any]:
    dag_id = asked.names["dag_id"]
    if (name := asked.body.get("dag_run_id")) is not None:
        return [await run_named(asked.inner, dag_id, str(name))]
    first, last = asked.body.get("start_date"), asked.body.get("end_date")
    await asked.inner.get(f"/api/v1/dags/{dag_id}")
    rules = Filters(ranges=("logical_date",)).rules(
        {f"logical_date_{end}": [str(at)] for end, at in (("gte", first), ("lte", last)) if at}
    )
    runs = [
        run
        async for run in asked.inner.each("/api/v1/runs", dag_id=dag_id, **{"from": first})
        if all(rule(run) for rule in rules)
    ]
    if len(runs) > RUNS_MAX:
        raise Problem(
            422, f"{len(runs):,} runs; at most {RUNS_MAX} are cleared at once: narrow the dates", []
        )
    return runs


def selections(asked: Asked) -> list[dict[str, Any]]:
    """Return the requests to our API: one for whole tasks, and one for each task of which instances are named."""
    common: dict[str, Any] = {
        "failed_only": asked.wants("only_failed", default=True),
        "downstream": asked.wants("include_downstream"),
        "upstream": asked.wants("include_upstream"),
        "code": "latest" if asked.wants("run_on_latest_version") else "run",
    }
    given = asked.body.get("task_ids")
    if given is None:
        return [common]
    whole: list[str] = []
    indexes: dict[str, list[int]] = {}
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, list) and len(each) == 2 and isinstance(each[1], int):
            indexes.setdefault(str(each[0]), []).append(each[1])
        else:
            whole.append(str(each[0] if isinstance(each, list) and each else each))
    parts = [{**common, "tasks": whole}] if whole else []
    return parts + [
        {**common, "tasks": [task], "map_indexes": several}
        for task, several in sorted(indexes.items())
    ]


def index_of(asked: Asked) -> str | None:
    index = asked.names.get("map_index") or asked.first("map_index")
    return None if index in (None, "-1") else index


async def read_log(asked: Asked) -> Answer:
    """Give the first megabyte, or from where ``token`` says."""
    run, task_id = await run_of(asked), asked.names["task_id"]
    offset = asked.number("token", 0, 2**62)
    text = await asked.inner.text(
        f"/api/v1/runs/{run['run_id']}/task-instances/{task_id}/logs",
        attempt=asked.names["try_number"],
        map_index=index_of(asked),
        offset=offset,
        limit=ONE_LOG_BYTES,
    )
    size = len(text.encode())
    more = str(offset + size) if size >= ONE_LOG_BYTES else None
    lines = [{"event": line, "timestamp": None} for line in text.splitlines()]
    return Answer({"content": lines, "continuation_token": more})


# -- results

XCOMS: Final = Filters(
    ranges=("logical_date", "run_after"),
    equal={"xcom_key": "key", "map_index_filter": "map_index"},
    patterns={"xcom_key": "key", "task_id": "task_id", "run_id": "run_id"},
    orders={
        name: name for name in ("key", "dag_id", "run_id", "task_id", "map_index", "timestamp")
    },
)


async def list_xcoms(asked: Asked) -> Answer:
    run = await run_of(asked)
    task_id = asked.names["task_id"]
    stored = await stored_in(asked.inner, run, None if task_id == ANY else task_id, asked)
    rules = XCOMS.rules(asked.query)
    shown = XCOMS.sorted(asked.query, [e for e in stored if all(rule(e) for rule in rules)])
    limit = asked.number("limit", LIMIT, LIMIT_MAX)
    offset = asked.number("offset", 0, OFFSET_MAX)
    page = [{k: v for k, v in each.items() if k not in ("value", "file")} for each in shown]
    return Answer({"xcom_entries": page[offset : offset + limit], "total_entries": len(shown)})


async def show_xcom(asked: Asked) -> Answer:
    if asked.first("deserialize") == "true":
        raise Problem(501, "values are given as they are stored: leave deserialize out", [])
    run, key = await run_of(asked), asked.names["xcom_key"]
    index = asked.first("map_index") or "-1"
    stored = await stored_in(asked.inner, run, asked.names["task_id"], asked)
    for each in stored:
        if each["key"] == key and str(each["map_index"]) == index:
            if each["file"]:
                raise Problem(501, f"the value of {key!r} is in a file, which tasks read", [])
            return Answer(valued(each, asked.first("stringify") == "true"))
    raise Problem(404, f"there is no XCom {key!r} of this task instance", [])


def valued(entry: Json, as_text: bool) -> dict[str, Any]:
    found = {name: value for name, value in entry.items() if name != "file"}
    if as_text:
        found["value"] = shapes.text_of(found["value"])
    return found


async def stored_in(
    inner: Inner, run: Json, task_id: str | None, asked: Asked
) -> list[dict[str, Any]]:
    """Return the results with their values, in Airflow's shape."""
    path = f"/api/v1/runs/{run['run_id']}"
    index = asked.first("map_index")
    wanted: Mapping[str, object] = {"task_id": task_id, "map_index": index}
    found = [each async for each in inner.each(f"{path}/xcoms", **wanted)]
    items, _ = await inner.pages(f"{path}/task-instances", INSTANCES_MAX, task_id=task_id)
    ended = {(each["task_id"], each["map_index"]): each["ended_at"] for each in items}
    return [
        shapes.xcom(each, run, ended.get((each["task_id"], each["map_index"]))) for each in found
    ]
