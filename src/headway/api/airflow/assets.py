"""Assets and their events. Airflow knows an asset by a number, so each name here has one of its own."""

from typing import Any, Final

from headway.api.airflow import runs, shapes
from headway.api.airflow.dags import paged
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.filters import Filters, Json
from headway.api.airflow.inner import Inner, Problem

EVENTS_MAX: Final = 10_000  # the newest, that are looked through for one page
ASSETS_MAX: Final = 100  # of which the events are listed together
ASSETS: Final = Filters(
    patterns={"name": "name", "uri": "uri"},
    orders={name: name for name in ("id", "name", "uri", "created_at")},
)
ALIASES: Final = Filters(patterns={"name": "name"}, orders={name: name for name in ("id", "name")})
SOURCES: Final = ("dag_id", "task_id", "run_id", "map_index")
EVENTS: Final = Filters(
    ranges=("timestamp",),
    equal={f"source_{name}": f"source_{name}" for name in SOURCES},
    patterns={"name": "name"},
    orders={name: name for name in ("id", "timestamp", "source_dag_id", "source_task_id")},
)


async def all_of(inner: Inner, *, aliases: bool = False) -> dict[int, Any]:
    """Return the team's assets by their numbers, or its aliases."""
    return {
        shapes.number_of(each["name"]): each
        async for each in inner.each("/api/v1/assets")
        if (each["alias"] is not None) == aliases
    }


async def asset_of(asked: Asked, number: str) -> Any:
    """Raises Problem: there is no such asset."""
    if number.isdecimal() and len(number) <= shapes.DIGITS_MAX:
        found = (await all_of(asked.inner)).get(int(number))
        if found is not None:
            return found
    raise Problem(404, "there is no asset of this number", [])


async def list_assets(asked: Asked) -> Answer:
    rules = ASSETS.rules(asked.query)
    if dags := asked.query.get("dag_ids"):
        rules.append(lambda asset: bool(users_of(asset) & set(dags)))
    found = [shapes.asset(each) for each in (await all_of(asked.inner)).values()]
    shown = [each for each in found if all(rule(each) for rule in rules)]
    return paged(asked, "assets", ASSETS.sorted(asked.query, shown))


def users_of(asset: Json) -> set[str]:
    lists = (asset[name] for name in ("scheduled_dags", "producing_tasks", "consuming_tasks"))
    return {each["dag_id"] for uses in lists for each in uses}


async def show_asset(asked: Asked) -> Answer:
    return Answer(shapes.asset(await asset_of(asked, asked.names["asset_id"])))


async def list_aliases(asked: Asked) -> Answer:
    rules = ALIASES.rules(asked.query)
    found = (await all_of(asked.inner, aliases=True)).values()
    shown = [shapes.alias(each["alias"], each["group"]) for each in found]
    shown = [each for each in shown if all(rule(each) for rule in rules)]
    return paged(asked, "asset_aliases", ALIASES.sorted(asked.query, shown))


async def show_alias(asked: Asked) -> Answer:
    number = asked.names["asset_alias_id"]
    if number.isdecimal() and len(number) <= shapes.DIGITS_MAX:
        found = (await all_of(asked.inner, aliases=True)).get(int(number))
        if found is not None:
            return Answer(shapes.alias(found["alias"], found["group"]))
    raise Problem(404, "there is no asset alias of this number", [])


async def list_events(asked: Asked) -> Answer:
    rules = EVENTS.rules(asked.query)
    if (number := asked.first("asset_id")) is not None:
        assets = [await asset_of(asked, number)]
    elif len(assets := list((await all_of(asked.inner)).values())) > ASSETS_MAX:
        why = f"the events of more than {ASSETS_MAX} assets are not listed together"
        raise Problem(501, f"{why}: name one with asset_id", [])
    most = EVENTS_MAX // max(1, len(assets))
    found: list[dict[str, Any]] = []
    for asset in assets:
        items, _ = await asked.inner.pages("/api/v1/assets/events", most, asset=asset["name"])
        found += [shapes.asset_event(each, asset) for each in items]
    found.sort(key=lambda event: event["id"])  # as Airflow lists them
    shown = [each for each in found if all(rule(each) for rule in rules)]
    return paged(asked, "asset_events", EVENTS.sorted(asked.query, shown))


async def create_event(asked: Asked) -> Answer:
    if asked.body.get("access_control"):
        raise Problem(501, "access_control is not supported: leave it out", [])
    asset = await asset_of(asked, str(asked.body.get("asset_id")))
    wanted = {
        "asset": asset["name"],
        "extra": asked.body.get("extra") or {},
        "partition": asked.body.get("partition_key"),
    }
    made = await asked.inner.send("POST", "/api/v1/assets/events", wanted)
    return Answer(shapes.asset_event(made, asset))


async def materialize(asked: Asked) -> Answer:
    """Trigger the DAG that updates the asset."""
    asset = await asset_of(asked, asked.names["asset_id"])
    dags = sorted({each["dag_id"] for each in asset["producers"]})
    if not dags:
        raise Problem(404, f"no DAG updates the asset {asset['name']!r}", [])
    if len(dags) > 1:
        raise Problem(409, f"more than one DAG updates the asset: {', '.join(dags)}", [])
    return Answer(shapes.run(await runs.started(asked.inner, dags[0], asked.body)))


async def queued_of_asset(asked: Asked) -> Answer:
    asset = await asset_of(asked, asked.names["asset_id"])
    found = [queued(each["dag_id"], asset["name"], each["since"]) for each in asset["consumers"]]
    shown = [each for each in found if each["created_at"] is not None]
    return queue(shown, f"no DAG has queued events of the asset {asset['name']!r}")


async def queued_of_dag(asked: Asked) -> Answer:
    dag_id = asked.names["dag_id"]
    found = await asked.inner.get(f"/api/v1/dags/{dag_id}/assets")
    shown = [
        queued(dag_id, each["asset"], each["since"]) for each in found["waits"] if each["since"]
    ]
    return queue(shown, f"the DAG {dag_id!r} has no queued events")


async def queued_of_both(asked: Asked) -> Answer:
    dag_id = asked.names["dag_id"]
    found = await asked.inner.get(f"/api/v1/dags/{dag_id}/assets")
    for each in found["waits"]:
        if str(shapes.number_of(each["asset"])) == asked.names["asset_id"] and each["since"]:
            return Answer(queued(dag_id, each["asset"], each["since"]))
    raise Problem(404, f"the DAG {dag_id!r} has no queued event of this asset", [])


def queued(dag_id: str, asset: str, since: str | None) -> dict[str, Any]:
    number = shapes.number_of(asset)
    return {
        "dag_id": dag_id,
        "dag_display_name": dag_id,
        "asset_id": number,
        "created_at": since,
    }


def queue(shown: list[dict[str, Any]], nothing: str) -> Answer:
    """Give the queue, or 404, as Airflow does for an empty one."""
    if not shown:
        raise Problem(404, nothing, [])
    return Answer({"queued_events": shown, "total_entries": len(shown)})
