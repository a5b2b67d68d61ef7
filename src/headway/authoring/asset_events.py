"""Events of assets inside a task: those that brought its run, those of its inlets, and its own."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple, overload

from headway.authoring import secrets
from headway.authoring.assets import Asset, AssetAlias
from headway.authoring.run import Fail
from headway.core.aliases import ADDED_MAX, alias_of
from headway.core.foreign import foreign
from headway.spec.assets import EVENTS_MAX, EXTRA_BYTES_MAX, flaw_of_partition
from headway.spec.carried import flaws, place
from headway.spec.errors import BadSpec

KIND: Final = "asset_events"  # of the question to the server
LATEST: Final = 100  # events of an inlet


class AssetEvent(NamedTuple):
    """An event, as it was stored. The ``source_…`` say what made it; of an event from outside, ``by`` does.

    ``aliases``: the names of those through which the task added the asset.
    """

    asset: str
    timestamp: datetime
    extra: dict[str, Any]
    partition: str | None
    source_dag_id: str | None
    source_run_id: str | None
    source_task_id: str | None
    source_map_index: int | None
    by: str | None
    aliases: Sequence[str] = ()


class Told(NamedTuple):
    """The words of a task about one event of its outlets. ``extra``: JSON.

    ``alias``: the name of the one through which it adds the asset; ``definition``: the asset, as JSON.
    """

    asset: str
    extra: bytes
    partition: str | None = None
    alias: str = ""
    definition: bytes | None = None


class OutletEvent:
    """The event of an outlet. ``extra`` goes with it. ``add`` makes one for a partition instead."""

    def __init__(self, asset: str) -> None:
        self.asset = asset
        self.extra: dict[str, Any] = {}
        self.partitions: dict[str, Mapping[str, Any]] = {}

    def add(self, partition: str, extra: Mapping[str, Any] | None = None) -> None:
        """Have an event for ``partition``, for instance ``"2026-01-31T05"``, when the task succeeds."""
        self.partitions[checked(partition)] = dict(extra or {})

    def told(self) -> Iterator[Told]:
        if self.partitions:
            for partition, extra in self.partitions.items():
                yield Told(self.asset, encoded(self.asset, extra), partition)
        elif self.extra:
            yield Told(self.asset, encoded(self.asset, self.extra))


class AliasEvents:
    """The assets that the task has updated under an alias. None is added of itself."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.added: dict[tuple[str, str | None], tuple[Asset, Mapping[str, Any]]] = {}

    def add(
        self,
        asset: Asset | str,
        extra: Mapping[str, Any] | None = None,
        *,
        partition: str | None = None,
    ) -> None:
        """Have an event of ``asset`` when the task succeeds. An asset that nobody knows yet is created."""
        if not isinstance(asset, Asset | str):
            raise Fail(f"an asset or its name can be added to an alias, not {asset!r:.80}")
        try:
            found = Asset(asset) if isinstance(asset, str) else asset
        except BadSpec as error:
            raise Fail(str(error)) from None
        if (other := foreign(found.name)) is not None:
            raise Fail(
                f"the asset {found.name} is of the team {other.team}, and only its tasks update it"
            )
        part = None if partition is None else checked(partition)
        self.added[found.name, part] = found, dict(extra or {})

    def told(self) -> Iterator[Told]:
        for (name, partition), (asset, extra) in self.added.items():
            said = {"uri": asset.uri, "group": asset.group, "extra": asset.extra}
            yield Told(name, encoded(name, extra), partition, self.alias, encoded(name, said))


def checked(partition: object) -> str:
    """Return a partition. Raises Fail if it is none."""
    if not isinstance(partition, str):
        raise Fail(f"a partition is a text, not {partition!r:.80}")
    if (flaw := flaw_of_partition(partition)) is not None:
        raise Fail(f"the partition {partition!r:.80} {flaw}")
    return partition


class OutletEvents:
    def __init__(self) -> None:
        self.by_name: dict[str, OutletEvent | AliasEvents] = {}

    @overload
    def __getitem__(self, asset: AssetAlias) -> AliasEvents: ...
    @overload
    def __getitem__(self, asset: Asset | str) -> OutletEvent: ...
    def __getitem__(self, asset: Asset | AssetAlias | str) -> OutletEvent | AliasEvents:
        name = name_of(asset)
        alias = alias_of(name)
        made = OutletEvent(name) if alias is None else AliasEvents(alias)
        return self.by_name.setdefault(name, made)

    def told(self, outlets: tuple[Asset | AssetAlias, ...]) -> list[Told]:
        """Return what is to be sent with the end of the task. Raises Fail if it cannot be."""
        known = {asset.name for asset in outlets}
        found: list[Told] = []
        for name, event in self.by_name.items():
            if name not in known:
                what = "asset" if alias_of(name) is None else "alias"
                raise Fail(
                    f"the {what} {alias_of(name) or name!r:.80} is not an outlet of the task; add it to its outlets"
                )
            found += event.told()
        if len(found) > EVENTS_MAX:
            raise Fail(f"the task has {len(found):,} asset events; the limit is {EVENTS_MAX:,}")
        if (added := len({one.asset for one in found if one.alias})) > ADDED_MAX:
            raise Fail(f"the task adds {added:,} assets to aliases; the limit is {ADDED_MAX}")
        return found


class InletEvents:
    def __getitem__(self, asset: Asset | AssetAlias | str) -> list[AssetEvent]:
        return asked(json.dumps({"asset": name_of(asset), "limit": LATEST}))


class Triggering(Mapping[Asset | AssetAlias | str, list[AssetEvent]]):
    @cached_property
    def by_name(self) -> dict[str, list[AssetEvent]]:
        found: dict[str, list[AssetEvent]] = {}
        for event in asked("{}"):
            found.setdefault(event.asset, []).append(event)
        return found

    def __getitem__(self, asset: Asset | AssetAlias | str) -> list[AssetEvent]:
        """Return the events of an asset, or those that came through an alias. Raises KeyError: there is none."""
        if (alias := alias_of(name_of(asset))) is None:
            return self.by_name[name_of(asset)]
        events = [each for found in self.by_name.values() for each in found]
        if not (through := [each for each in events if alias in each.aliases]):
            raise KeyError(asset)
        return sorted(through, key=lambda each: each.timestamp)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)


class Events:
    """All of them, for one attempt."""

    def __init__(self) -> None:
        self.outlets = OutletEvents()
        self.inlets = InletEvents()
        self.triggering = Triggering()


def name_of(asset: Asset | AssetAlias | str) -> str:
    return asset if isinstance(asset, str) else asset.name


def encoded(name: str, extra: Mapping[str, Any]) -> bytes:
    """Return the extra of an event as JSON. Raises Fail if it is none, or too large."""
    try:
        text = json.dumps(extra, allow_nan=False)
        kept = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise Fail(f"the extra of the asset {name!r} is not JSON: {error}") from None
    for path, why in flaws(kept):
        raise Fail(f"the extra of the asset {name!r}{place(path)} {why}")
    if len(text) > EXTRA_BYTES_MAX:
        raise Fail(
            f"the extra of the asset {name!r} has {len(text):,} bytes; the limit is {EXTRA_BYTES_MAX:,}"
        )
    return text.encode()


def asked(question: str) -> list[AssetEvent]:
    """Ask the server. Without one, as in a unit test, there are no events."""
    text = secrets.ask(KIND, question) if secrets.ask is not secrets.ask_environment else None
    return [event_of(**each) for each in json.loads(text or "[]")]


def event_of(timestamp: str, **fields: Any) -> AssetEvent:
    return AssetEvent(timestamp=datetime.fromisoformat(timestamp), **fields)
