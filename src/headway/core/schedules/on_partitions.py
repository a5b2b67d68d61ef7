"""Runs on partitions: one is due for a partition when the keys that it waits for are there.

In a spec: the condition on the assets, as of ``on_assets``; the mapper of their keys, and those of single assets;
and what becomes of a key that arrives after the run of its partition: it waits for all of them again, or brings a run.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple

from headway.core import partitions
from headway.core.partitions import BadKey, BadMapping, Mapper, Span
from headway.core.partitions.mappers import IDENTITY
from headway.core.schedules import on_assets
from headway.core.schedules.base import FIRST, BadSchedule
from headway.core.schedules.on_assets import OnAssets

FIELDS: Final = frozenset({"on", "mapper", "mappers", "late", "due_s"})
DUE_MAX: Final = timedelta(days=366)
LOOKED_BACK: Final = (
    timedelta(hours=2),
    timedelta(days=2),
    timedelta(days=40),
    timedelta(days=400),
)

Arrived = Mapping[str, Collection[str]]  # keys by asset


class Late(StrEnum):
    WAIT = "wait"  # until all keys of the partition have arrived again
    RUN = "run"  # at once, of the same partition


class Missing(NamedTuple):
    """The keys of an asset that a partition waits for. ``needed``: so many of them at least."""

    asset: str
    keys: tuple[str, ...]
    needed: int


class Expected(NamedTuple):
    """A partition that stands for a time."""

    partition: str
    span: Span


@dataclass(frozen=True, slots=True)
class OnPartitions(OnAssets):
    """A schedule without fires: each partition whose keys have arrived brings one run."""

    mapper: Mapper
    mappers: tuple[tuple[str, Mapper], ...] = ()
    late: Late = Late.WAIT
    due: timedelta | None = None  # how long after its time a partition is expected to run

    word: ClassVar[str] = "partitions"
    schema: ClassVar[Mapping[str, object]] = {
        "description": "The assets (`on`), the `mapper` of their partition keys, and `mappers` of single assets.",
        "type": "object",
        "required": ["on"],
        "properties": {
            "on": {"type": ["string", "object"]},
            "mapper": {"type": "object"},
            "mappers": {"type": "object", "additionalProperties": {"type": "object"}},
            "late": {"enum": [each.value for each in Late]},
            "due_s": {
                "type": "number",
                "minimum": 0,
                "maximum": DUE_MAX.total_seconds(),
                "description": "Seconds after the end of a partition's time after which it is overdue without a run.",
            },
        },
        "additionalProperties": False,
    }
    form: ClassVar[str] = "PartitionedAssets"
    partitioned: ClassVar[bool] = True

    @classmethod
    def keep(cls, given: object) -> Any:
        kept = getattr(given, "partition_schedule", None)
        return None if isinstance(given, type) or not callable(kept) else kept()

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "OnPartitions":
        if not isinstance(value, Mapping) or "on" not in value or (unknown := set(value) - FIELDS):
            raise BadSchedule(
                f"a schedule on partitions has {', '.join(sorted(FIELDS))}, not {value!a:.60}"
            )
        base = OnAssets.read(value["on"], zone, anchor)
        given = value.get("mappers") or {}
        if not isinstance(given, Mapping) or (unknown := set(given) - base.assets):
            named = "" if not isinstance(given, Mapping) else f": {sorted(unknown)[0]!a:.60}"
            raise BadSchedule(f"mappers are of assets that the schedule names{named}")
        try:
            mapper = partitions.read(value.get("mapper") or IDENTITY, zone)
            mappers = tuple((asset, partitions.read(given[asset], zone)) for asset in sorted(given))
            late = Late(value.get("late", Late.WAIT))
        except BadMapping as error:
            raise BadSchedule(str(error)) from None
        except ValueError as error:
            if isinstance(error, BadSchedule):
                raise
            raise BadSchedule(
                f"late is one of {', '.join(Late)}, not {value.get('late')!a:.40}"
            ) from None
        found = cls(base.condition, mapper, mappers, late, due_of(value.get("due_s")))
        if found.due is not None and found.current(LOOKED_BACK[-1] + FIRST) is None:
            raise BadSchedule(
                "due is of partitions that stand for a time, such as days, and these do not"
            )
        return found

    def mapper_of(self, asset: str) -> Mapper:
        return dict(self.mappers).get(asset, self.mapper)

    def map(self, asset: str, key: str) -> tuple[str, ...]:
        """Return the partitions to which a key of an asset belongs. Raises BadKey."""
        return self.mapper_of(asset).map(key)

    def is_complete(self, partition: str, arrived: Arrived) -> bool:
        """Return whether the keys that arrived are all that a partition waits for. Raises BadKey."""
        met = [asset for asset in self.assets if self.has_all(asset, partition, arrived)]
        return on_assets.is_met(self.condition, met)

    def has_all(self, asset: str, partition: str, arrived: Arrived) -> bool:
        found = self.lacking(asset, partition, arrived)
        return not found.needed

    def lacking(self, asset: str, partition: str, arrived: Arrived) -> Missing:
        """Return what a partition still waits for of one asset. Raises BadKey."""
        mapper = self.mapper_of(asset)
        members = mapper.members(partition)
        here = {each for key in arrived.get(asset, ()) for each in mapper.brought(key, partition)}
        count = sum(each in here for each in members)
        needed = max(0, mapper.needed(len(members)) - count)
        if not arrived.get(asset) and not needed:
            needed = 1  # nothing at all is not enough
        return Missing(
            asset, tuple(key for each, key in members.items() if each not in here), needed
        )

    def missing_of(self, partition: str, arrived: Arrived) -> tuple[Missing, ...]:
        """Return what a partition still waits for, by asset in the order of the condition. Empty: it is complete."""
        lacking: dict[str, Missing] = {}
        met = []
        for asset in self.assets:
            try:
                lacking[asset] = self.lacking(asset, partition, arrived)
            except BadKey:
                lacking[asset] = Missing(asset, (), 1)
            if not lacking[asset].needed:
                met.append(asset)
        return tuple(
            lacking[asset] for asset in dict.fromkeys(on_assets.missing(self.condition, met))
        )

    def span(self, partition: str) -> Span | None:
        """Return the time that a partition stands for; None: it stands for none. Raises BadKey."""
        for asset in sorted(self.assets):
            if (found := self.mapper_of(asset).span(partition)) is not None:
                return found
        return None

    def starts_between(self, first: datetime, last: datetime) -> list[tuple[datetime, str]] | None:
        """Return the partitions that begin between two times, both included, with their starts; None: they are not in
        time.
        """
        for asset in sorted(self.assets):
            mapper = self.mapper_of(asset)
            if (found := mapper.between(first, last)) is not None:
                spans = [(mapper.span(each), each) for each in found]
                return [(span.start, each) for span, each in spans if span is not None]
        return None

    def current(self, now: datetime) -> datetime | None:
        """Return the start of the partition that a time is in; None: its partitions are not in time."""
        for width in LOOKED_BACK:
            if found := self.starts_between(now - width, now):
                return found[-1][0]
        return None

    def expected(self, start: datetime) -> Expected | None:
        """Return the partition that begins at a time, if one does."""
        partition = self.partition_of(start)
        span = None if partition is None else self.span(partition)
        return None if partition is None or span is None else Expected(partition, span)

    def periods(self, first: datetime, last: datetime) -> Iterator[datetime] | None:
        found = self.starts_between(first, last)
        return None if found is None else (start for start, _ in found)

    def partition_of(self, fire: datetime) -> str | None:
        """Return the partition that begins at a time, if one does."""
        return next((key for _, key in self.starts_between(fire, fire) or ()), None)

    def words(self) -> str:
        return f"on partitions of {on_assets.said(self.condition)}"


def due_of(given: object) -> timedelta | None:
    """Read the seconds of a spec. Raises BadSchedule."""
    if given is None:
        return None
    most = DUE_MAX.total_seconds()
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= most:
        raise BadSchedule(f"due is 0 to {DUE_MAX.days} days, not {given!a:.40} s")
    return timedelta(seconds=given)
