"""Events of assets as Airflow's tasks ask for them, and tell of them at their end."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from headway.authoring import secrets
from headway.authoring.asset_events import KIND, Told, encoded
from headway.authoring.run import Fail
from headway.core.aliases import key
from headway.core.triggers import Trigger
from headway.frontends.airflow import assets, dates
from headway.frontends.base import TaskFailed
from headway.spec.assets import EVENTS_MAX, flaw_of_partition

Json = Mapping[str, Any]


class Event(msgspec.Struct, frozen=True):
    """An event as the server tells it."""

    asset: str
    timestamp: datetime
    extra: dict[str, Any]
    partition: str | None
    source_dag_id: str | None
    source_run_id: str | None
    source_task_id: str | None
    source_map_index: int | None
    by: str | None
    aliases: list[str] = []

    def source(self) -> dict[str, Any]:
        return {
            "source_task_id": self.source_task_id,
            "source_dag_id": self.source_dag_id,
            "source_run_id": self.source_run_id,
            "source_map_index": self.source_map_index,
        }


class Definition(msgspec.Struct, frozen=True):
    name: str
    uri: str
    group: str = ""
    extra: dict[str, Any] = {}


EVENTS: Final = msgspec.json.Decoder(list[Event])
DEFINITIONS: Final = msgspec.json.Decoder(list[Definition])


class Events:
    """The questions of a task about assets. ``dag``: its own, of Airflow."""

    def __init__(self, dag: Any) -> None:
        self.known = {} if dag is None else assets.of_dag(dag)

    def definition(self, name: str | None, uri: str | None) -> Definition | None:
        """Return the asset of that name, or else of that URI: as the DAG has it, or another DAG of the team."""
        for asset in self.known.values():
            if asset.name == name or (name is None and asset.uri == uri):
                return Definition(asset.name, asset.uri, asset.group, dict(asset.extra or {}))
        asked = {"define": True, **({"asset": name} if name else {"uri": uri})}
        found = DEFINITIONS.decode(ask(asked))
        return found[0] if found else None

    def by_name(self, body: Json) -> dict[str, Any]:
        return self.told(body.get("name"), None)

    def by_uri(self, body: Json) -> dict[str, Any]:
        return self.told(None, body.get("uri"))

    def told(self, name: str | None, uri: str | None) -> dict[str, Any]:
        if (found := self.definition(name, uri)) is None:
            detail = {"name": name, "uri": uri}
            return {"type": "ErrorResponse", "error": "ASSET_NOT_FOUND", "detail": detail}
        return {"type": "AssetResult", **shape(found)}

    def by_alias(self, body: Json) -> dict[str, Any]:
        """Return the assets that tasks have added through an alias."""
        found = [shape(each) for each in self.through(body["alias_name"]).values()]
        return {"type": "AssetsByAliasResult", "assets": found}

    def through(self, alias: str) -> dict[str, Definition]:
        asked = ask({"define": True, "asset": key(alias)})
        return {each.name: each for each in DEFINITIONS.decode(asked)}

    def of_asset(self, body: Json) -> dict[str, Any]:
        """Return the last events of an asset, of those that Headway gives at once."""
        found = self.definition(body.get("name"), body.get("uri"))
        events = [] if found is None else EVENTS.decode(ask({"asset": found.name}))
        return self.chosen(body, events, {} if found is None else {found.name: found})

    def of_alias(self, body: Json) -> dict[str, Any]:
        """Return the last events that came through an alias, likewise."""
        alias = body["alias_name"]
        return self.chosen(body, EVENTS.decode(ask({"asset": key(alias)})), self.through(alias))

    def chosen(
        self, body: Json, events: list[Event], known: Mapping[str, Definition]
    ) -> dict[str, Any]:
        """Return those of the events that a question asks for."""
        after, before = (date_of(body.get(name)) for name in ("after", "before"))
        kept = [
            event
            for event in events
            if (after is None or event.timestamp >= after)
            and (before is None or event.timestamp <= before)
        ]
        if not body.get("ascending", True):
            kept.reverse()
        if (limit := body.get("limit")) is not None:
            kept = kept[:limit]
        told = [
            {
                "id": number,
                "timestamp": event.timestamp,
                "extra": event.extra,
                "asset": shape(known.get(event.asset) or Definition(event.asset, event.asset)),
                "created_dagruns": [],
                **event.source(),
                "partition_key": event.partition,
            }
            for number, event in enumerate(kept)
        ]
        return {"type": "AssetEventsResult", "asset_events": told}


def consumed(dag: Any, trigger: str) -> list[dict[str, Any]]:
    """Return the events that brought the run of a task, as Airflow's context has them."""
    if trigger != Trigger.ASSET:
        return []
    from airflow.sdk.api.datamodels._generated import AssetEventDagRunReference

    fields = AssetEventDagRunReference.model_fields  # 3.2 takes nothing that it does not know
    known = Events(dag)
    found: list[dict[str, Any]] = []
    for event in EVENTS.decode(ask({})):
        asset = known.definition(event.asset, None) or Definition(event.asset, event.asset)
        found.append(
            {
                "asset": {"name": asset.name, "uri": asset.uri, "extra": asset.extra},
                "extra": event.extra,
                **event.source(),
                "source_aliases": [{"name": alias} for alias in event.aliases],
                "timestamp": event.timestamp,
                "partition_key": event.partition,
            }
        )
    return [{name: each[name] for name in each if name in fields} for each in found]


def shape(asset: Definition) -> dict[str, Any]:
    group = asset.group or assets.GROUP
    return {"name": asset.name, "uri": asset.uri, "group": group, "extra": asset.extra}


def date_of(given: Any) -> datetime | None:
    return None if given is None else dates.moment(given)


def ask(question: Json) -> str:
    return secrets.ask(KIND, msgspec.json.encode(question).decode()) or "[]"


def of_outlets(body: Json, outlets: tuple[str, ...]) -> list[Told]:
    """Return what a task says of the events of its outlets. Raises TaskFailed if that cannot be kept."""
    try:
        found = list(told(body, outlets))
    except Fail as error:
        raise TaskFailed(str(error), retry=False) from None
    if len(found) > EVENTS_MAX:
        raise TaskFailed(f"the task has {len(found):,} asset events; the limit is {EVENTS_MAX:,}")
    return found


def told(body: Json, outlets: tuple[str, ...]) -> Iterator[Told]:
    for event in body.get("outlet_events") or ():
        asset, partition = event["dest_asset_key"], event.get("partition_key")
        name, alias = asset["name"], event.get("source_alias_name")
        if (key(alias) if alias else name) not in outlets:
            continue
        if alias:
            said = {"uri": asset["uri"], "extra": event.get("dest_asset_extra") or {}}
            extra = encoded(name, event.get("extra") or {})
            yield Told(name, extra, None, alias, encoded(name, said))
            continue
        if partition is not None and (flaw := flaw_of_partition(partition)) is not None:
            raise Fail(f"the partition {partition!r:.80} {flaw}")
        if event.get("extra") or partition is not None:
            yield Told(name, encoded(name, event.get("extra") or {}), partition)
