"""Runs on data: one is due when the assets that a condition names have new events.

In a spec a condition is the name of an asset, or ``{"all": […]}`` or ``{"any": […]}`` of conditions.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple, Union

from headway.core import aliases
from headway.core.reasons import AwaitsAssets, Reason
from headway.core.schedules.base import BadSchedule, Schedule
from headway.core.words import listed

ALL: Final = "all"
ANY: Final = "any"
ASSETS_MAX: Final = 200  # of one condition
DEPTH_MAX: Final = 10

Condition = str | Mapping[str, Any]  # as JSON
Frozen = Union[str, "Several"]


class Several(NamedTuple):
    all: bool  # else one of them is enough
    parts: tuple[Frozen, ...]


@dataclass(frozen=True, slots=True)
class OnAssets(Schedule):
    """A schedule without fires: events of its assets bring the runs."""

    condition: Frozen

    word: ClassVar[str] = "assets"
    schema: ClassVar[Mapping[str, object]] = {
        "description": (
            "The name of an asset, `@alias:` with the name of an alias, or an object with `all` or `any` and "
            "a list of such."
        ),
        "type": ["string", "object"],
    }
    form: ClassVar[str] = "an asset or a list of assets"
    recurs: ClassVar[bool] = False
    idle: ClassVar[Reason | None] = AwaitsAssets()

    @classmethod
    def keep(cls, given: object) -> Condition | None:
        """Take what has a method ``condition``, and lists of such: all of them are then waited for."""
        if isinstance(given, list | tuple) and given:
            parts = [cls.keep(one) for one in given]
            if any(part is None for part in parts):
                return None
            return parts[0] if len(parts) == 1 else {ALL: parts}
        condition = getattr(given, "condition", None)
        if isinstance(given, type) or not callable(condition):
            return None
        made: Condition = condition()
        return made

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "OnAssets":
        condition = frozen(value)
        count = sum(1 for _ in names(condition))
        if count > ASSETS_MAX:
            raise BadSchedule(f"a condition names {count:,} assets; the limit is {ASSETS_MAX:,}")
        return cls(condition)

    @property
    def assets(self) -> frozenset[str]:
        return frozenset(names(self.condition))

    def is_met(self, arrived: Collection[str]) -> bool:
        return is_met(self.condition, arrived)

    def missing(self, arrived: Collection[str]) -> tuple[str, ...]:
        """Return the assets whose events would complete the condition, in the order in which it names them."""
        return tuple(dict.fromkeys(missing(self.condition, arrived)))

    def following(self, after: datetime) -> datetime | None:
        return None

    def preceding(self, before: datetime) -> datetime | None:
        return None

    def words(self) -> str:
        return f"on {said(self.condition)}"


def frozen(condition: object, depth: int = 0) -> Frozen:
    """Read a condition. Raises BadSchedule if it is none."""
    if isinstance(condition, str) and condition:
        return condition
    word, parts = None, None
    if isinstance(condition, Mapping) and len(condition) == 1:
        word, parts = next(iter(condition.items()))
    if word not in (ALL, ANY) or not isinstance(parts, list | tuple) or not parts:
        raise BadSchedule(
            f"a condition is the name of an asset, or has a list of conditions under all or any, not {condition!a:.60}"
        )
    if depth >= DEPTH_MAX:
        raise BadSchedule(f"a condition is nested more than {DEPTH_MAX} levels deep")
    return Several(word == ALL, tuple(frozen(part, depth + 1) for part in parts))


def names(condition: Frozen) -> Iterator[str]:
    """Yield the assets of a condition, as often as it names them."""
    if isinstance(condition, str):
        yield condition
    else:
        for part in condition.parts:
            yield from names(part)


def is_met(condition: Frozen, arrived: Collection[str]) -> bool:
    if isinstance(condition, str):
        return condition in arrived
    return (all if condition.all else any)(is_met(part, arrived) for part in condition.parts)


def missing(condition: Frozen, arrived: Collection[str]) -> Iterator[str]:
    if is_met(condition, arrived):
        return
    if isinstance(condition, str):
        yield condition
        return
    for part in condition.parts:
        yield from missing(part, arrived)


def said(condition: Frozen, inner: bool = False) -> str:
    if isinstance(condition, str):
        return aliases.said(condition)
    told = [said(part, inner=True) for part in condition.parts]
    text = listed(told) if condition.all else " or ".join(told)
    return f"({text})" if inner and len(told) > 1 else text
