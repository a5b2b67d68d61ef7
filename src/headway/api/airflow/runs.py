"""DAGs, runs, task instances and logs."""

from typing import Any, Final

from headway.api.airflow import shapes
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.inner import Inner, Problem

ANY: Final = "~"
NEWEST_FIRST: Final = ("-logical_date", "-run_after", "-start_date", "-queued_at", "-id")
LIMIT: Final = 50
LIMIT_MAX: Final = 1_000
OFFSET_MAX: Final = 100_000
ONE_LOG_BYTES: Final = 1024 * 1024
ALLOWED: Final = ("conf", "logical_date", "note")
REFUSED: Final = {
    "dag_run_id": "Headway names its runs: leave dag_run_id out, and use the one of the answer",
    "run_after": "a run starts when it is triggered: leave run_after out",
    "data_interval_start": "the schedule gives a run its data interval: leave it out",
    "data_interval_end": "the schedule gives a run its data interval: leave it out",
    "partition_key": "leave partition_key out",
}


async def several(asked: Asked, path: str, **query: object) -> tuple[list[Any], int]:
    """Return the items of a page by limit and offset, and how many there are, at least."""
    limit = asked.number("limit", LIMIT, LIMIT_MAX)
    offset = asked.number("offset", 0, OFFSET_MAX)
    items, has_more = await asked.inner.pages(path, max(offset + limit, 1), **query)
    return items[offset : offset + limit], len(items) + has_more


async def list_dags(asked: Asked) -> Answer:
    paused = asked.first("paused")
    pattern = asked.first("dag_id_pattern") or ""
    items, total = await several(
        asked, "/api/v1/dags", paused=paused, q=pattern.strip("%") or None, tag=asked.first("tags")
    )
    return Answer({"dags": [shapes.dag(each) for each in items], "total_entries": total})


async def show_dag(asked: Asked) -> Answer:
    return Answer(shapes.dag(await asked.inner.get(f"/api/v1/dags/{asked.names['dag_id']}")))


async def change_dag(asked: Asked) -> Answer:
    paused = asked.body.get("is_paused")
    if not isinstance(paused, bool):
        raise Problem(422, "is_paused must be true or false", [])
    verb = "pause" if paused else "resume"
    path = f"/api/v1/dags/{asked.names['dag_id']}/{verb}"
    return Answer(shapes.dag(await asked.inner.send("POST", path)))


async def list_runs(asked: Asked) -> Answer:
    dag_id = asked.names["dag_id"]
    if (order := asked.first("order_by")) not in (None, *NEWEST_FIRST):
        raise Problem(422, f"runs are listed with the newest first; leave order_by={order} out", [])
    items, total = await several(
        asked,
        "/api/v1/runs",
        dag_id=None if dag_id == ANY else dag_id,
        state=asked.first("state"),
        **{"from": asked.first("logical_date_gte"), "to": asked.first("logical_date_lt")},
    )
    return Answer({"dag_runs": [shapes.run(each) for each in items], "total_entries": total})


async def trigger(asked: Asked) -> Answer:
    body = {name: value for name, value in asked.body.items() if value is not None}
    for name in body:
        if name in REFUSED:
            raise Problem(422, REFUSED[name], [])
        if name not in ALLOWED:
            raise Problem(422, f"a run has no {name!r}", [])
    wanted = {"params": body.get("conf", {}), "logical_date": body.get("logical_date")}
    path = f"/api/v1/dags/{asked.names['dag_id']}/runs"
    found = await asked.inner.send("POST", path, wanted)
    if note := body.get("note"):
        found = await asked.inner.send("PATCH", f"/api/v1/runs/{found['run_id']}", {"note": note})
    return Answer(shapes.run(found))


async def run_of(asked: Asked) -> Any:
    """Return the run, as our API has it. Raises Problem: the DAG has no such run."""
    dag_id, run_id = asked.names["dag_id"], asked.names["run_id"]
    found = await asked.inner.get(f"/api/v1/runs/{run_id}")
    if dag_id not in (ANY, found["dag_id"]) or found["run_id"] != run_id:
        raise Problem(404, f"the DAG {dag_id!r} has no run {run_id!r}", [])
    return found


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
    return Answer(shapes.run(await run_of(asked) if state == "queued" else found))


async def list_instances(asked: Asked) -> Answer:
    run = await run_of(asked)
    items, total = await several(
        asked,
        f"/api/v1/runs/{run['run_id']}/task-instances",
        task_id=asked.names.get("task_id") or asked.first("task_id"),
    )
    tasks = await tasks_of(asked.inner, run)
    shown = [shapes.instance(each, run, tasks.get(each["task_id"], {})) for each in items]
    return Answer({"task_instances": shown, "total_entries": total})


async def show_instance(asked: Asked) -> Answer:
    run, task_id = await run_of(asked), asked.names["task_id"]
    path = f"/api/v1/runs/{run['run_id']}/task-instances/{task_id}"
    found = await asked.inner.get(path, map_index=index_of(asked))
    tasks = await tasks_of(asked.inner, run)
    return Answer(shapes.instance(found, run, tasks.get(task_id, {})))


async def tasks_of(inner: Inner, run: shapes.Json) -> dict[str, Any]:
    """Return the tasks in the latest spec of the DAG: who may not see it gets the defaults."""
    try:
        found = await inner.get(f"/api/v1/dags/{run['dag_id']}")
    except Problem as error:
        if error.status not in (403, 404):
            raise
        return {}
    return {task["task_id"]: task for task in found["spec"]["tasks"]}


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
