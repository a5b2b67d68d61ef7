"""Windows: the parts that make one partition. Of time, or some keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from headway.core.partitions import keys
from headway.core.partitions.periods import (
    SIZES,
    Period,
    Span,
    following,
    parts,
    preceding,
    start_of,
)
from headway.core.partitions.words import BadMapping

if TYPE_CHECKING:
    from headway.core.partitions.mappers import Mapper, StartOf

# The parts of a period, unless it is said otherwise.
PARTS: Final = {
    Period.HOUR: Period.MINUTE,
    Period.DAY: Period.HOUR,
    Period.WEEK: Period.DAY,
    Period.MONTH: Period.DAY,
    Period.QUARTER: Period.MONTH,
    Period.YEAR: Period.MONTH,
}
# So many parts a period has at most, in any zone: a day on which the clock is changed has up to 26 hours.
MOST: Final = {
    (Period.HOUR, Period.MINUTE): 60,
    (Period.DAY, Period.HOUR): 26,
    (Period.WEEK, Period.DAY): 7,
    (Period.MONTH, Period.DAY): 31,
    (Period.MONTH, Period.WEEK): 5,
    (Period.QUARTER, Period.MONTH): 3,
    (Period.YEAR, Period.MONTH): 12,
    (Period.YEAR, Period.QUARTER): 4,
}
KEYS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Segments:
    """Some keys, which together make one partition."""

    keys: tuple[str, ...]

    def most(self, upstream: "Mapper") -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Window:
    """All parts that begin within a period; backward: after the start of the one before, up to its own."""

    period: Period
    part: Period
    is_backward: bool = False

    def most(self, upstream: "Mapper") -> int | None:
        return MOST.get((self.period, self.part))

    def members(self, upstream: "StartOf", partition: str) -> dict[object, str]:
        """Return the starts of the parts of a partition, with the keys that show them."""
        start = upstream.span(partition).start
        return {
            each: upstream.input_key(each, self.part)
            for each in parts(self.around(start, upstream.zone), self.part, upstream.zone)
        }

    def around(self, start: datetime, zone: str) -> Span:
        if not self.is_backward:
            return Span(start, following(start, self.period, zone))
        before = preceding(start, self.period, zone)
        return Span(following(before, self.part, zone), following(start, self.part, zone))

    def parts_of(self, upstream: "StartOf", key: str) -> list[datetime]:
        """Return the parts that a key brings."""
        found = keys.moments(key, upstream.input_format, upstream.zone)
        return list(dict.fromkeys(start_of(each, self.part, upstream.zone) for each in found))

    def ends_after(self, upstream: "StartOf", key: str) -> list[datetime]:
        """Return the periods to which a part belongs backward: the one that begins with it, else the one after."""
        found = []
        for part in self.parts_of(upstream, key):
            start = start_of(part, self.period, upstream.zone)
            found.append(start if start == part else following(start, self.period, upstream.zone))
        return found


def window_of(data: object) -> Window | Segments:
    """Return the window that a spec keeps. Raises BadMapping."""
    if not isinstance(data, Mapping):
        raise BadMapping(f"a window has a period or segments, not {data!a:.60}")
    if "segments" in data:
        return segments(data["segments"])
    try:
        period = Period(data.get("period", ""))
        part = Period(str(data.get("part") or PARTS.get(period, "")))
    except ValueError:
        raise BadMapping(f"a window is of one of {', '.join(PARTS)}, with smaller parts") from None
    if SIZES.index(part) >= SIZES.index(period) or most_parts(period, part) > KEYS_MAX:
        raise BadMapping(f"a window of a {period} cannot have a {part} as its part")
    direction = data.get("direction", "forward")
    if direction not in ("forward", "backward"):
        raise BadMapping(f"a direction is forward or backward, not {direction!a:.40}")
    return Window(period, part, direction == "backward")


def most_parts(period: Period, part: Period) -> int:
    minutes = {
        Period.MINUTE: 1, Period.HOUR: 60, Period.DAY: 1_440, Period.WEEK: 10_080, Period.MONTH: 44_640,
        Period.QUARTER: 132_480, Period.YEAR: 527_040,
    }  # fmt: skip
    return minutes[period] // minutes[part]


def segments(given: Any) -> Segments:
    if (
        not isinstance(given, list | tuple)
        or not given
        or not all(isinstance(k, str) and k for k in given)
    ):
        raise BadMapping("segments are a list of texts that are not empty")
    if len(given) > KEYS_MAX:
        raise BadMapping(f"there are {len(given):,} segments; the limit is {KEYS_MAX:,}")
    return Segments(tuple(dict.fromkeys(given)))
