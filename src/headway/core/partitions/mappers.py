"""Mappers: from the keys of an asset's partitions to the partitions of a DAG's runs, with what each run waits for.

A spec keeps a mapper as an object with its kind. To *map* a key is to name the partitions that it belongs to. A
partition waits for *members*: one, whichever key brings it, or all parts of a window. A key brings members; what is
missing is shown as keys again.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any, ClassVar, Final

from headway.core.partitions import keys
from headway.core.partitions.periods import Period, Span, following, start_of
from headway.core.partitions.windows import Segments, Window, window_of
from headway.core.partitions.words import BadKey, BadMapping
from headway.core.zones import UnknownZone, check_zone

DEPTH_MAX: Final = 5
KEYS_MAX: Final = (
    1_000  # partitions that one key may be mapped to, and members that one may wait for
)
PARTS_MAX: Final = 10

Member = object  # hashable: an instant, a key, or a tuple of those


@dataclass(frozen=True, slots=True)
class Mapper:
    """The identity: a partition waits for the same key."""

    kind: ClassVar[str] = "identity"
    is_of_times: ClassVar[bool] = False

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        return cls()

    def map(self, key: str) -> tuple[str, ...]:
        """Return the partitions that a key belongs to. Raises BadKey."""
        return (key,)

    def members(self, partition: str) -> Mapping[Member, str]:
        """Return what a partition waits for, each with the key that shows it. Raises BadKey."""
        return {partition: partition}

    def brought(self, key: str, partition: str) -> Collection[Member]:
        """Return the members of a partition that a key brings."""
        return (partition,)

    def needed(self, members: int) -> int:
        """Return how many of so many members complete a partition."""
        return members

    def span(self, partition: str) -> Span | None:
        """Return the time that a partition stands for; None: it stands for no time, or cannot be read."""
        return None

    def between(self, first: datetime, last: datetime) -> list[str] | None:
        """Return the partitions that begin between two times, both included; None: they are not in time."""
        return None


@dataclass(frozen=True, slots=True)
class Allowed(Mapper):
    """The identity for some keys, and no others."""

    allowed: frozenset[str]

    kind: ClassVar[str] = "allowed"

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        return cls(frozenset(texts(data, "keys")))

    def map(self, key: str) -> tuple[str, ...]:
        if key not in self.allowed:
            raise BadKey(f"{key!r:.80} is not one of {', '.join(sorted(self.allowed)):.200}")
        return (key,)


@dataclass(frozen=True, slots=True)
class Fixed(Mapper):
    """Every key belongs to one partition."""

    to: str

    kind: ClassVar[str] = "fixed"

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        return cls(text(data, "to"))

    def map(self, key: str) -> tuple[str, ...]:
        return (self.to,)


@dataclass(frozen=True, slots=True)
class StartOf(Mapper):
    """The period that a time lies in."""

    period: Period
    zone: str
    input_format: str | None = None
    output_format: str | None = None

    kind: ClassVar[str] = "start_of"
    is_of_times: ClassVar[bool] = True

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        zone = data.get("timezone") or zone
        try:
            check_zone(zone)
        except UnknownZone as error:
            raise BadMapping(str(error)) from None
        found = cls(
            period_of(data, "period"), zone, data.get("input_format"), data.get("output_format")
        )
        if found.input_format is not None:
            keys.pattern(found.input_format)
        if found.output_format is not None:
            keys.pattern(found.output_format)
        keys.check_output(found.output_format, found.period, zone)
        return found

    def map(self, key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(self.key_of, self.starts(key))))

    def starts(self, key: str) -> list[datetime]:
        found = keys.moments(key, self.input_format, self.zone)
        return list(dict.fromkeys(start_of(each, self.period, self.zone) for each in found))

    def key_of(self, start: datetime) -> str:
        return keys.key_of(start, self.period, self.output_format, self.zone)

    def input_key(self, moment: datetime, period: Period) -> str:
        return keys.key_of(moment, period, self.input_format, self.zone)

    def span(self, partition: str) -> Span:
        moment = keys.moments(partition, self.output_format, self.zone)[0]
        start = start_of(moment, self.period, self.zone)
        return Span(start, following(start, self.period, self.zone))

    def between(self, first: datetime, last: datetime) -> list[str] | None:
        found: list[str] = []
        start = start_of(first, self.period, self.zone)
        if start < first:
            start = following(start, self.period, self.zone)
        while start <= last and len(found) <= KEYS_MAX * 10:
            found.append(self.key_of(start))
            start = following(start, self.period, self.zone)
        return list(dict.fromkeys(found))


def upstream_and_window(
    data: Mapping[str, Any], zone: str, depth: int
) -> tuple[Mapper, Window | Segments]:
    """Return the mapper that is mapped first and the window around what it names. Raises BadMapping."""
    upstream, window = read(data.get("upstream"), zone, depth + 1), window_of(data.get("window"))
    if isinstance(window, Window) and not isinstance(upstream, StartOf):
        raise BadMapping("a window of time needs a mapper of times (start_of) upstream")
    return upstream, window


@dataclass(frozen=True, slots=True)
class Rollup(Mapper):
    """Many keys make one partition: all parts of a window, or at least so many of them.

    ``at_least``: a number of parts; negative: so many may be missing; None: none may.
    """

    upstream: Mapper
    window: Window | Segments
    at_least: int | None = None

    kind: ClassVar[str] = "rollup"

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        upstream, window = upstream_and_window(data, zone, depth)
        if isinstance(window, Segments) and (upstream.is_of_times or isinstance(upstream, Rollup)):
            raise BadMapping("segments need a mapper of keys upstream, not of times")
        least = data.get("at_least")
        if least is not None and (
            not isinstance(least, int) or isinstance(least, bool) or not least
        ):
            raise BadMapping("at_least is a whole number other than 0")
        if least is not None and (most := window.most(upstream)) is not None and least > most:
            raise BadMapping(f"at_least {least} can never be: the window has {most} parts")
        return cls(upstream, window, least)

    def map(self, key: str) -> tuple[str, ...]:
        found = self.upstream.map(key)
        if isinstance(self.window, Segments) and key not in self.window.keys:
            raise BadKey(f"{key!r:.80} is not one of {', '.join(self.window.keys):.200}")
        if isinstance(self.window, Segments) or not self.window.is_backward:
            return found
        assert isinstance(self.upstream, StartOf)
        return tuple(map(self.upstream.key_of, self.window.ends_after(self.upstream, key)))

    def members(self, partition: str) -> Mapping[Member, str]:
        return members_of(self, partition)

    def brought(self, key: str, partition: str) -> Collection[Member]:
        if isinstance(self.window, Segments):
            return (key,)
        assert isinstance(self.upstream, StartOf)
        return self.window.parts_of(self.upstream, key)

    def needed(self, members: int) -> int:
        if self.at_least is None:
            return members
        return min(self.at_least, members) if self.at_least > 0 else max(0, members + self.at_least)

    def span(self, partition: str) -> Span | None:
        return self.upstream.span(partition)

    def between(self, first: datetime, last: datetime) -> list[str] | None:
        return self.upstream.between(first, last)


@lru_cache(maxsize=1024)
def members_of(mapper: Rollup, partition: str) -> Mapping[Member, str]:
    if isinstance(mapper.window, Segments):
        return {key: key for key in mapper.window.keys}
    assert isinstance(mapper.upstream, StartOf)
    return mapper.window.members(mapper.upstream, partition)


@dataclass(frozen=True, slots=True)
class FanOut(Mapper):
    """One key belongs to many partitions: those of each part of a window."""

    upstream: Mapper
    window: Window | Segments
    downstream: Mapper
    most: int = KEYS_MAX

    kind: ClassVar[str] = "fan_out"

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        upstream, window = upstream_and_window(data, zone, depth)
        given = data.get("downstream")
        if given is None and isinstance(window, Window):
            given = {"kind": StartOf.kind, "period": window.part}
        most = data.get("at_most", KEYS_MAX)
        if not isinstance(most, int) or isinstance(most, bool) or not 0 < most <= KEYS_MAX:
            raise BadMapping(f"at_most is a number from 1 to {KEYS_MAX:,}")
        return cls(upstream, window, read(given, zone, depth + 1), most)

    def map(self, key: str) -> tuple[str, ...]:
        if isinstance(self.window, Segments):
            self.upstream.map(key)
            given: Iterable[str] = self.window.keys
        else:
            assert isinstance(self.upstream, StartOf)
            given = [
                part
                for partition in self.upstream.map(key)
                for part in self.window.members(self.upstream, partition).values()
            ]
        found = tuple(dict.fromkeys(each for part in given for each in self.downstream.map(part)))
        if len(found) > self.most:
            raise BadKey(
                f"{key!r:.80} belongs to {len(found):,} partitions; the limit is {self.most:,}"
            )
        return found

    def span(self, partition: str) -> Span | None:
        return self.downstream.span(partition)

    def between(self, first: datetime, last: datetime) -> list[str] | None:
        return self.downstream.between(first, last)


@dataclass(frozen=True, slots=True)
class Product(Mapper):
    """Keys of several dimensions, with a delimiter between them: each has a mapper."""

    mappers: tuple[Mapper, ...]
    delimiter: str = "|"

    kind: ClassVar[str] = "product"

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        delimiter = data.get("delimiter", "|")
        if not isinstance(delimiter, str) or not 0 < len(delimiter) <= 10:
            raise BadMapping("a delimiter is a text of at most 10 characters")
        mappers = several(data, zone, depth)
        if any(mapper.needed(KEYS_MAX) < KEYS_MAX for mapper in mappers):
            raise BadMapping(
                "a product waits for all parts: at_least cannot be one of its mappers'"
            )
        return cls(mappers, delimiter)

    def split(self, key: str) -> list[str]:
        found = key.split(self.delimiter)
        if len(found) != len(self.mappers):
            wanted = f"{len(self.mappers)} parts with {self.delimiter!r} between them"
            raise BadKey(f"{key!r:.80} does not have {wanted}")
        return found

    def map(self, key: str) -> tuple[str, ...]:
        found = [
            mapper.map(part) for mapper, part in zip(self.mappers, self.split(key), strict=True)
        ]
        bounded(len(each) for each in found)
        return tuple(map(self.delimiter.join, product(*found)))

    def members(self, partition: str) -> Mapping[Member, str]:
        found = [
            mapper.members(part)
            for mapper, part in zip(self.mappers, self.split(partition), strict=True)
        ]
        bounded(len(each) for each in found)
        every = product(*(each.items() for each in found))
        return {
            tuple(member for member, _ in one): self.delimiter.join(key for _, key in one)
            for one in every
        }

    def brought(self, key: str, partition: str) -> Collection[Member]:
        triples = zip(self.mappers, self.split(key), self.split(partition), strict=True)
        return list(product(*(mapper.brought(part, whole) for mapper, part, whole in triples)))

    def span(self, partition: str) -> Span | None:
        """Return that of its only part which is a time."""
        pairs = zip(self.mappers, self.split(partition), strict=True)
        found = [span for mapper, part in pairs if (span := mapper.span(part)) is not None]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Chain(Mapper):
    """Mappers one after another: the partitions of one are the keys of the next."""

    mappers: tuple[Mapper, ...]

    kind: ClassVar[str] = "chain"

    @classmethod
    def of(cls, data: Mapping[str, Any], zone: str, depth: int) -> "Mapper":
        return cls(several(data, zone, depth))

    def map(self, key: str) -> tuple[str, ...]:
        return through(self.mappers, key)

    def members(self, partition: str) -> Mapping[Member, str]:
        return self.mappers[-1].members(partition)

    def brought(self, key: str, partition: str) -> Collection[Member]:
        last = self.mappers[-1]
        return [
            member
            for between in through(self.mappers[:-1], key)
            if partition in last.map(between)
            for member in last.brought(between, partition)
        ]

    def needed(self, members: int) -> int:
        return self.mappers[-1].needed(members)

    def span(self, partition: str) -> Span | None:
        return self.mappers[-1].span(partition)

    def between(self, first: datetime, last: datetime) -> list[str] | None:
        return self.mappers[-1].between(first, last)


KINDS: Final[dict[str, type[Mapper]]] = {
    each.kind: each for each in (Mapper, Allowed, Fixed, StartOf, Rollup, FanOut, Product, Chain)
}
IDENTITY: Final = {"kind": Mapper.kind}


def read(data: object, zone: str, depth: int = 0) -> Mapper:
    """Return the mapper that a spec keeps. ``zone``: that of the DAG. Raises BadMapping."""
    if not isinstance(data, Mapping) or data.get("kind") not in KINDS:
        raise BadMapping(f"a partition mapper is one of {', '.join(KINDS)}, not {data!a:.60}")
    if depth >= DEPTH_MAX:
        raise BadMapping(f"a partition mapper is nested more than {DEPTH_MAX} levels deep")
    return KINDS[data["kind"]].of(data, zone, depth)


def through(mappers: Iterable[Mapper], key: str) -> tuple[str, ...]:
    found: tuple[str, ...] = (key,)
    for mapper in mappers:
        found = tuple(dict.fromkeys(part for each in found for part in mapper.map(each)))
        bounded([len(found)])
    return found


def bounded(counts: Iterable[int]) -> None:
    """Raise BadKey if the product of ``counts`` is too large."""
    total = 1
    for count in counts:
        total *= count
    if total > KEYS_MAX:
        raise BadKey(f"it has {total:,} parts; the limit is {KEYS_MAX:,}")


def several(data: Mapping[str, Any], zone: str, depth: int) -> tuple[Mapper, ...]:
    given = data.get("mappers")
    if not isinstance(given, list | tuple) or not 1 < len(given) <= PARTS_MAX:
        raise BadMapping(f"a {data['kind']} has from 2 to {PARTS_MAX} mappers")
    return tuple(read(each, zone, depth + 1) for each in given)


def texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given = data.get(name)
    if (
        not isinstance(given, list | tuple)
        or not given
        or not all(isinstance(k, str) and k for k in given)
    ):
        raise BadMapping(f"{name} is a list of texts that are not empty")
    if len(given) > KEYS_MAX:
        raise BadMapping(f"{name} has {len(given):,} entries; the limit is {KEYS_MAX:,}")
    return tuple(dict.fromkeys(given))


def text(data: Mapping[str, Any], name: str) -> str:
    found = data.get(name)
    if not isinstance(found, str) or not found:
        raise BadMapping(f"{name} is a text that is not empty")
    return found


def period_of(data: Mapping[str, Any], name: str) -> Period:
    try:
        return Period(data.get(name, ""))
    except ValueError:
        raise BadMapping(
            f"{name} is one of {', '.join(Period)}, not {data.get(name)!a:.40}"
        ) from None
