"""The filters and orders of Airflow's lists, over items in Airflow's shape.

Our API finds what its indexes answer; the rest of what a caller asks for is looked for here in what it found.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any, Final, NamedTuple

from headway.api.airflow.inner import Problem

Json = Mapping[str, Any]
Rule = Callable[[Json], bool]
Query = Mapping[str, list[str]]

BOUNDS: Final = {"gte": ge, "gt": gt, "lte": le, "lt": lt}
ANYTHING: Final = "~"


class Filters(NamedTuple):
    """The filters and orders of a list, by the fields of its items.

    ``ranges``: fields with ``_gte``, ``_gt``, ``_lte`` and ``_lt``; ``equal``: parameters that name values of a field;
    ``patterns``: names before ``_pattern`` and ``_prefix_pattern``; ``orders``: words of ``order_by`` and their fields.
    """

    ranges: tuple[str, ...] = ()
    equal: Mapping[str, str] = {}
    patterns: Mapping[str, str] = {}
    orders: Mapping[str, str] = {}

    def names(self) -> tuple[str, ...]:
        """Return the parameters of the query."""
        bounds = (f"{field}_{bound}" for field in self.ranges for bound in BOUNDS)
        patterns = (f"{name}_{kind}pattern" for name in self.patterns for kind in ("", "prefix_"))
        order = ("order_by",) if self.orders else ()
        return (*bounds, *self.equal, *patterns, *order)

    def rules(self, query: Query) -> list[Rule]:
        """Return what an item must fulfil. Raises Problem."""
        found: list[Rule] = []
        for field in self.ranges:
            for bound, holds in BOUNDS.items():
                if given := query.get(f"{field}_{bound}"):
                    found.append(bounded(field, holds, read(f"{field}_{bound}", given[0])))
        for name, field in self.equal.items():
            if given := query.get(name):
                found.append(among(field, given))
        for name, field in self.patterns.items():
            if given := query.get(f"{name}_pattern"):
                found.append(like(field, given[0]))
            if given := query.get(f"{name}_prefix_pattern"):
                found.append(begins(field, given[0]))
        return found

    def sorted(self, query: Query, items: Sequence[Json]) -> list[Json]:
        """Return the items in the order that is asked for. Raises Problem."""
        found = list(items)
        for word in reversed(query.get("order_by", [])):
            name = word.removeprefix("-")
            if name not in self.orders:
                known = ", ".join(self.orders)
                raise Problem(400, f"order_by={word} is not an order here; one of: {known}", [])
            by = place_of(self.orders[name])
            found.sort(key=by, reverse=word.startswith("-"))
        return found


def place_of(field: str) -> Callable[[Json], tuple[bool, Any]]:
    """Return the key of an order; what has no value comes last, as in PostgreSQL."""

    def key(item: Json) -> tuple[bool, Any]:
        value = item.get(field)
        return (value is None, 0 if value is None else comparable(value))

    return key


def comparable(value: Any) -> Any:
    moment = moment_of(value) if isinstance(value, str) else None
    return value if moment is None else moment


def moment_of(text: str) -> datetime | None:
    if not text[:4].isdecimal():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read(name: str, text: str) -> datetime | float:
    """Return the bound that a parameter gives: a number of seconds for a duration, else a moment."""
    if name.startswith("duration"):
        try:
            return float(text)
        except ValueError:
            raise Problem(422, f"{name} must be a number, not {text[:40]!r}", []) from None
    if (found := moment_of(text)) is None:
        raise Problem(422, f"{name} must be a time in ISO 8601, not {text[:40]!r}", [])
    return found


def bounded(field: str, holds: Callable[[Any, Any], bool], bound: datetime | float) -> Rule:
    def rule(item: Json) -> bool:
        value = item.get(field)
        return value is not None and holds(comparable(value), bound)

    return rule


def among(field: str, wanted: Sequence[str]) -> Rule:
    """``none`` and ``null`` are the words for no value."""
    words = {"" if word in ("none", "null", "None") else word for word in wanted}

    def rule(item: Json) -> bool:
        value = item.get(field)
        return ("" if value is None else str(value)) in words

    return rule


def like(field: str, pattern: str) -> Rule:
    """``%`` is any text, ``_`` any character, ``|`` is between alternatives; letters of both cases are alike."""
    if pattern == ANYTHING:
        return lambda item: True
    terms = [[piece_of(text) for text in term.split("%")] for term in pattern.split("|")]
    return lambda item: any(in_turn(pieces, str(item.get(field) or "")) for pieces in terms)


def piece_of(text: str) -> re.Pattern[str]:
    """Compile what is between two ``%``. All that it finds has one length, so nothing is tried twice."""
    parts = ("." if char == "_" else re.escape(char) for char in text)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def in_turn(pieces: Sequence[re.Pattern[str]], text: str) -> bool:
    """Return whether the text has the pieces one after another, each looked for behind the one before."""
    place = 0
    for piece in pieces:
        if (found := piece.search(text, place)) is None:
            return False
        place = found.end()
    return True


def begins(field: str, pattern: str) -> Rule:
    if pattern == ANYTHING:
        return lambda item: True
    starts = tuple(re.sub(r"[^0-9A-Za-z]+$", "", term) for term in pattern.split("|"))
    return lambda item: str(item.get(field) or "").startswith(starts)


def contains(field: str, text: str) -> Rule:
    return lambda item: text in json.dumps(item.get(field))
