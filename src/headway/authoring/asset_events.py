"""Events of assets inside a task: those that brought its run, those of its inlets, and its own."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from headway.authoring import secrets
from headway.authoring.assets import Asset
from headway.authoring.run import Fail
from headway.spec.assets import EVENTS_MAX, EXTRA_BYTES_MAX, flaw_of_partition
from headway.spec.carried import flaws, place

KIND: Final = "asset_events"  # of the question to the server
LATEST: Final = 100  # events of an inlet


class AssetEvent(NamedTuple):
    """An event, as it was stored. The ``source_…`` say what made it; of an event from outside, ``by`` does."""

    asset: str
    timestamp: datetime
    extra: dict[str, Any]
    partition: str | None
    source_dag_id: str | None
    source_run_id: str | None
    source_task_id: str | None
    source_map_index: int | None
    by: str | None


class Told(NamedTuple):
    """The words of a task about one event of its outlets. ``extra``: JSON."""

    asset: str
    extra: bytes
    partition: str | None = None


class OutletEvent:
    """The event of an outlet. ``extra`` goes with it. ``add`` makes one for a partition instead."""

    def __init__(self, asset: str) -> None:
        self.asset = asset
        self.extra: dict[str, Any] = {}
        self.partitions: dict[str, Mapping[str, Any]] = {}

    def add(self, partition: str, extra: Mapping[str, Any] | None = None) -> None:
        """Have an event for ``partition``, for instance ``"2026-01-31T05"``, when the task succeeds."""
        if not isinstance(partition, str):
            raise Fail(f"a partition is a text, not {partition!r:.80}")
        if (flaw := flaw_of_partition(partition)) is not None:
            raise Fail(f"the partition {partition!r:.80} {flaw}")
        self.partitions[partition] = dict(extra or {})


class OutletEvents:
    def __init__(self) -> None:
        self.by_name: dict[str, OutletEvent] = {}

    def __getitem__(self, asset: Asset | str) -> OutletEvent:
        name = name_of(asset)
        return self.by_name.setdefault(name, OutletEvent(name))

    def told(self, outlets: tuple[Asset, ...]) -> list[Told]:
        """Return what is to be sent with the end of the task. Raises Fail if it cannot be."""
        known = {asset.name for asset in outlets}
        found: list[Told] = []
        for name, event in self.by_name.items():
            if name not in known:
                raise Fail(
                    f"the asset {name!r:.80} is not an outlet of the task; add it to its outlets"
                )
            if event.partitions:
                found += [Told(name, encoded(name, e), p) for p, e in event.partitions.items()]
            elif event.extra:
                found.append(Told(name, encoded(name, event.extra)))
        if len(found) > EVENTS_MAX:
            raise Fail(f"the task has {len(found):,} asset events; the limit is {EVENTS_MAX:,}")
        return found


class InletEvents:
    def __getitem__(self, asset: Asset | str) -> list[AssetEvent]:
        return asked(json.dumps({"asset": name_of(asset), "limit": LATEST}))


class Triggering(Mapping[str, list[AssetEvent]]):
    @cached_property
    def by_name(self) -> dict[str, list[AssetEvent]]:
        found: dict[str, list[AssetEvent]] = {}
        for event in asked("{}"):
            found.setdefault(event.asset, []).append(event)
        return found

    def __getitem__(self, asset: Asset | str) -> list[AssetEvent]:
        return self.by_name[name_of(asset)]

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


def name_of(asset: Asset | str) -> str:
    return asset.name if isinstance(asset, Asset) else asset


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
