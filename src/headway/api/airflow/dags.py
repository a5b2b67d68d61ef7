"""DAGs: listed, paused, described; their tasks, versions, sources, warnings and import errors."""

from typing import Any, Final

from headway.api.airflow import shapes
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.filters import Filters, Json
from headway.api.airflow.inner import Problem
from headway.api.airflow.runs import LIMIT, LIMIT_MAX, OFFSET_MAX, SCANNED_MAX

DAGS_MAX: Final = 20_000  # that are looked through for one page
DAGS: Final = Filters(
    equal={"is_stale": "is_stale"},
    patterns={"dag_id": "dag_id", "dag_display_name": "dag_display_name"},
    orders={
        name: name
        for name in ("dag_id", "dag_display_name", "next_dagrun_run_after", "last_parsed_time")
    },
)
WARNINGS: Final = Filters(equal={"dag_id": "dag_id"}, orders={"dag_id": "dag_id"})
ERRORS: Final = Filters(
    equal={"filename": "filename"},
    patterns={"filename": "filename"},
    orders={"timestamp": "timestamp", "filename": "filename"},
)
TAGS: Final = Filters(patterns={"tag_name": "name"}, orders={"name": "name"})
STATES: Final = ("queued", "running", "success", "failed")
WARNING: Final = "runtime varying value"  # the one of Airflow's three kinds that says least


def paged(asked: Asked, name: str, items: list[Any]) -> Answer:
    limit = asked.number("limit", LIMIT, LIMIT_MAX)
    offset = asked.number("offset", 0, OFFSET_MAX)
    return Answer({name: items[offset : offset + limit], "total_entries": len(items)})


async def list_dags(asked: Asked) -> Answer:
    paused, tags = asked.first("paused"), asked.query.get("tags", [])
    rules = DAGS.rules(asked.query)
    if asked.first("exclude_stale") != "false":
        rules.append(lambda dag: not dag["is_stale"])
    if tags:
        every = asked.first("tags_match_mode") == "all"
        rules.append(lambda dag: (all if every else any)(tag in names_of(dag) for tag in tags))
    if owners := asked.query.get("owners"):
        rules.append(lambda dag: any(owner in dag["owners"] for owner in owners))
    if (broken := asked.first("has_import_errors")) is not None:
        rules.append(lambda dag: dag["has_import_errors"] == (broken == "true"))
    items, _ = await asked.inner.pages(
        "/api/v1/dags", DAGS_MAX, paused=paused, state=asked.first("last_dag_run_state")
    )
    found = [shapes.dag(each) for each in items]
    shown = DAGS.sorted(asked.query, [dag for dag in found if all(rule(dag) for rule in rules)])
    return paged(asked, "dags", shown)


def names_of(dag: Json) -> list[str]:
    return [tag["name"] for tag in dag["tags"]]


async def dag_of(asked: Asked) -> Any:
    return await asked.inner.get(f"/api/v1/dags/{asked.names['dag_id']}")


async def show_dag(asked: Asked) -> Answer:
    return Answer(shapes.dag(await dag_of(asked)))


async def show_details(asked: Asked) -> Answer:
    return Answer(shapes.details(await dag_of(asked)))


async def change_dag(asked: Asked) -> Answer:
    paused = asked.body.get("is_paused")
    if not isinstance(paused, bool):
        raise Problem(422, "is_paused must be true or false", [])
    verb = "pause" if paused else "resume"
    path = f"/api/v1/dags/{asked.names['dag_id']}/{verb}"
    return Answer(shapes.dag(await asked.inner.send("POST", path)))


async def list_tasks(asked: Asked) -> Answer:
    spec = (await dag_of(asked))["spec"]
    found = [shapes.task(each, spec) for each in spec["tasks"]]
    shown = Filters(orders={"task_id": "task_id"}).sorted(asked.query, found)
    return Answer({"tasks": shown, "total_entries": len(shown)})


async def show_task(asked: Asked) -> Answer:
    spec = (await dag_of(asked))["spec"]
    for each in spec["tasks"]:
        if each["task_id"] == asked.names["task_id"]:
            return Answer(shapes.task(each, spec))
    name = asked.names["task_id"]
    raise Problem(404, f"the DAG {asked.names['dag_id']!r} has no task {name!r}", [])


async def list_versions(asked: Asked) -> Answer:
    dag_id = asked.names["dag_id"]
    rules = Filters(equal={"version_number": "version_number"}).rules(asked.query)
    found = [
        shapes.version({**each, "dag_id": dag_id})
        async for each in asked.inner.each(f"/api/v1/dags/{dag_id}/versions")
    ]
    order = Filters(orders={"version_number": "version_number", "id": "version_number"})
    shown = order.sorted(asked.query, [each for each in found if all(rule(each) for rule in rules)])
    return paged(asked, "dag_versions", shown)


async def show_version(asked: Asked) -> Answer:
    dag_id, number = asked.names["dag_id"], asked.names["version_number"]
    async for each in asked.inner.each(f"/api/v1/dags/{dag_id}/versions"):
        if str(each["version"]) == number:
            return Answer(shapes.version({**each, "dag_id": dag_id}))
    raise Problem(404, f"the DAG {dag_id!r} has no version {number!r}", [])


async def show_source(asked: Asked) -> Answer:
    dag_id, number = asked.names["dag_id"], asked.first("version_number")
    if number is None:
        number = str((await dag_of(asked))["version"])
    if not number.isdecimal():
        raise Problem(422, "version_number must be a whole number", [])
    found = await asked.inner.get(f"/api/v1/dags/{dag_id}/versions/{number}/source")
    return Answer(
        {
            "content": found["text"],
            "dag_id": dag_id,
            "dag_display_name": dag_id,
            "version_number": int(number),
        }
    )


async def show_stats(asked: Asked) -> Answer:
    """Count the newest runs of DAGs by their states."""
    if not (dag_ids := asked.query.get("dag_ids", [])):
        raise Problem(501, "name the DAGs whose runs are to be counted, with dag_ids", [])
    shown = []
    for dag_id in dag_ids:
        counts = dict.fromkeys(STATES, 0)
        runs, _ = await asked.inner.pages("/api/v1/runs", SCANNED_MAX, dag_id=dag_id)
        for run in runs:
            counts[shapes.run(run)["state"]] += 1
        stats = [{"state": state, "count": count} for state, count in counts.items()]
        shown.append({"dag_id": dag_id, "dag_display_name": dag_id, "stats": stats})
    return Answer({"dags": shown, "total_entries": len(shown)})


async def list_tags(asked: Asked) -> Answer:
    items, _ = await asked.inner.pages("/api/v1/dags", DAGS_MAX)
    names = sorted({tag for each in items for tag in each["tags"]})
    rules = TAGS.rules(asked.query)
    found = [{"name": name} for name in names]
    shown = TAGS.sorted(asked.query, [each for each in found if all(rule(each) for rule in rules)])
    return paged(asked, "tags", [each["name"] for each in shown])


async def list_warnings(asked: Asked) -> Answer:
    """Give what was noticed when files were imported, all of one of Airflow's kinds."""
    items, _ = await asked.inner.pages("/api/v1/dags", DAGS_MAX)
    rules = WARNINGS.rules(asked.query)
    found = [
        {
            "dag_id": each["dag_id"],
            "dag_display_name": each["dag_id"],
            "warning_type": WARNING,
            "message": text,
            "timestamp": each["updated_at"],
        }
        for each in items
        for text in each["warnings"]
    ]
    shown = [each for each in found if all(rule(each) for rule in rules)]
    return paged(asked, "dag_warnings", WARNINGS.sorted(asked.query, shown))


async def list_errors(asked: Asked) -> Answer:
    rules = ERRORS.rules(asked.query)
    found = [shapes.import_error(each) async for each in asked.inner.each("/api/v1/import-errors")]
    shown = [each for each in found if all(rule(each) for rule in rules)]
    return paged(asked, "import_errors", ERRORS.sorted(asked.query, shown))


async def show_error(asked: Asked) -> Answer:
    async for each in asked.inner.each("/api/v1/import-errors"):
        shape = shapes.import_error(each)
        if str(shape["import_error_id"]) == asked.names["import_error_id"]:
            return Answer(shape)
    raise Problem(404, f"there is no import error {asked.names['import_error_id']}", [])
