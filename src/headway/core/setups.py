"""Setups and teardowns: what a setup serves, what a teardown waits for, what is cleared with a task (Airflow's rules).

A setup serves what is below it and above one of its teardowns, the teardowns directly below it. Without a teardown
it serves all that is below it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

Edges = Sequence[Sequence[int]]


class Shape(NamedTuple):
    """A DAG by its edges, from each task to those directly above and below it."""

    upstream: Edges
    downstream: Edges
    setups: Collection[int]
    teardowns: Collection[int]


class Needs(NamedTuple):
    """``setups``: those that must have succeeded, without those directly upstream; ``scope``: of a teardown, what must
    have ended, the same way.
    """

    setups: tuple[int, ...] = ()
    scope: tuple[int, ...] = ()


NOTHING = Needs()


def reached(start: int, edges: Edges) -> set[int]:
    """Return all that lies beyond ``start``, without it."""
    found: set[int] = set()
    stack = [start]
    while stack:
        for place in edges[stack.pop()]:
            if place not in found:
                found.add(place)
                stack.append(place)
    return found


def teardowns_of(shape: Shape, setup: int) -> list[int]:
    return [place for place in shape.downstream[setup] if place in shape.teardowns]


def served(shape: Shape, setup: int) -> set[int]:
    """Return what the setup serves, without teardowns."""
    below = reached(setup, shape.downstream)
    if own := teardowns_of(shape, setup):
        below &= set[int]().union(*(reached(each, shape.upstream) for each in own))
    return below.difference(shape.teardowns)


def needs(shape: Shape, most: int | None = None) -> dict[int, Needs]:
    """Return for each task that needs something what that is. Raises OverflowError beyond ``most`` pairs."""
    setups: dict[int, list[int]] = {}
    scopes: dict[int, tuple[int, ...]] = {}
    pairs = 0
    for setup in sorted(shape.setups):
        found = served(shape, setup)
        pairs += len(found)
        if most is not None and pairs > most:
            raise OverflowError
        for place in found.difference(shape.downstream[setup]):
            setups.setdefault(place, []).append(setup)
    for teardown in sorted(shape.teardowns):
        found = scope(shape, teardown)
        pairs += len(found)
        if most is not None and pairs > most:
            raise OverflowError
        scopes[teardown] = tuple(sorted(found))
    return {
        place: Needs(tuple(setups.get(place, ())), scopes.get(place, ()))
        for place in sorted({*setups, *scopes})
    }


def scope(shape: Shape, teardown: int) -> set[int]:
    """Return what lies between the setups directly above the teardown and it, without what is directly above."""
    own = [place for place in shape.upstream[teardown] if place in shape.setups]
    if not own:
        return set()
    below = set[int]().union(*(reached(each, shape.downstream) for each in own))
    return below & reached(teardown, shape.upstream).difference(shape.upstream[teardown])


def around(shape: Shape, chosen: Collection[int]) -> set[int]:
    """Return the setups that serve what is chosen, and their teardowns; of a chosen setup its teardowns."""
    found: set[int] = set()
    for setup in shape.setups:
        if setup in chosen:
            found.update(teardowns_of(shape, setup))
        if not served(shape, setup).isdisjoint(set(chosen).difference(shape.setups)):
            found.update((setup, *teardowns_of(shape, setup)))
    return found


def shape_of(edges: Iterable[tuple[Sequence[int], Sequence[int], bool, bool]]) -> Shape:
    """Return the shape of tasks: what is above and below each, and whether it is a setup or a teardown."""
    rows = list(edges)
    return Shape(
        [above for above, *_ in rows],
        [below for _, below, *_ in rows],
        frozenset(place for place, row in enumerate(rows) if row[2]),
        frozenset(place for place, row in enumerate(rows) if row[3]),
    )
