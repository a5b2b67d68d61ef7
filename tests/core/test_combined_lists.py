"""Axes made of several lists: how long they are, and where each item comes from."""

from collections.abc import Iterator
from itertools import product, zip_longest
from typing import Any

import pytest

from headway.core import mapping
from headway.core.graph import Axis, Combine
from headway.core.reasons import MappedOverNothing, NotAList, SourceNotSuccessful
from headway.core.reports import Outcome
from headway.spec import model
from tests.core.build import Story, task

HOW = {Combine.ZIP: zip, Combine.ZIP_LONGEST: zip_longest}


def shapes(depth: int) -> Iterator[Axis]:
    """Every axis of at most three lists of 0 to 2 items, nested up to ``depth``."""
    for length in range(3):
        yield Axis(length=length)
    if depth:
        inner = [Axis(length=0), Axis(length=2), *list(shapes(depth - 1))[3:]]
        for combine in Combine:
            for one, two in product(inner, [Axis(length=length) for length in range(3)]):
                yield Axis(combine=combine, parts=(one, two))
                yield Axis(combine=combine, parts=(two, one))


def meant(axis: Axis, names: Iterator[int]) -> list[object]:
    """The items as Python itself makes them: a leaf has pairs of its number and the place; None: of a fill."""
    if axis.combine is None:
        name = next(names)
        return [(name, place) for place in range(axis.length or 0)]
    lists = [meant(part, names) for part in axis.parts]
    if axis.combine is Combine.CONCAT:
        return [item for each in lists for item in each]
    return list(HOW[axis.combine](*lists))


def flat(item: object) -> list[tuple[int, int]]:
    """The leaves and places that an item is made of."""
    if not isinstance(item, tuple):
        return []
    if item and isinstance(item[0], int):
        return [item]
    return [place for part in item for place in flat(part)]


def test_every_small_combination_has_the_items_that_python_makes_of_it() -> None:
    checked = 0
    for axis in shapes(3):
        items = meant(axis, iter(range(100)))
        length = mapping.axis_length(axis, lambda leaf: leaf.length)
        assert length == len(items), axis
        for place, item in enumerate(items):
            found = mapping.places_in(axis, place, lambda leaf: leaf.length)
            assert len(found) == len(list(axis.leaves()))
            assert [(n, at) for n, at in enumerate(found) if at >= 0] == flat(item), axis
            checked += 1
    assert checked > 5_000


def over(combine: str, *parts: str | int) -> model.Mapping:
    made = tuple(
        model.Axis(argument="", task_id=part)
        if isinstance(part, str)
        else model.Axis(argument="", length=part)
        for part in parts
    )
    axis = model.Axis(argument="x", combine=combine, parts=made)  # type: ignore[arg-type]
    return model.Mapping(axes=(axis, model.Axis(argument="y", length=2)))


def both(combine: str, **options: Any) -> Story:
    each = model.Task(
        task_id="each", upstream=("a", "b"), mapping=over(combine, "a", "b"), **options
    )
    return Story(task("a"), task("b"), each).begin()


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("zip", [[0, 0, 0], [0, 0, 1]]),
        ("zip_longest", [[0, 0, 0], [0, 0, 1], [-1, 1, 0], [-1, 1, 1]]),
        ("concat", [[0, -1, 0], [0, -1, 1], [-1, 0, 0], [-1, 0, 1], [-1, 1, 0], [-1, 1, 1]]),
    ],
)
def test_places_in_the_lists_of_two_tasks_and_a_literal(
    combine: str, expected: list[list[int]]
) -> None:
    story = both(combine).succeed("a", length=1).succeed("b", length=2)
    run = story.run
    found = [mapping.positions(run, each) for each in run.instances[2].values()]
    assert found == expected
    story.everything_counts()


@pytest.mark.parametrize("combine", Combine)
def test_what_is_no_list_is_named(combine: str) -> None:
    story = both(combine).succeed("a", length=1).succeed("b", length=None)
    assert (story.state("each"), story.at("each").reason) == ("failed", NotAList("b"))


def test_nothing_in_one_is_nothing_of_a_zip_alone() -> None:
    for combine, state in (("zip", "skipped"), ("zip_longest", "queued"), ("concat", "queued")):
        story = both(combine).succeed("a", length=0).succeed("b", length=1)
        name = "each" if state == "skipped" else "each[0]"
        assert story.state(name) == state
    assert both("zip").succeed("a", "b", length=0).at("each").reason == MappedOverNothing()


@pytest.mark.parametrize("combine", Combine)
@pytest.mark.parametrize(
    ("end", "state"), [(Outcome.SKIPPED, "skipped"), (Outcome.FAILED, "upstream_failed")]
)
def test_a_source_that_brought_nothing_decides_whatever_the_rule(
    combine: str, end: Outcome, state: str
) -> None:
    story = both(combine, trigger_rule="all_done").succeed("a", length=2)
    story.end("b", end, retry=False)
    story.tick()
    ended = "skipped" if end is Outcome.SKIPPED else "failed"
    assert (story.state("each"), story.at("each").reason) == (
        state,
        SourceNotSuccessful("b", ended),
    )


@pytest.mark.parametrize("combine", Combine)
def test_a_list_that_is_made_again_calls_back_what_has_not_started(combine: str) -> None:
    from headway.core import commands

    story = both(combine).succeed("a", "b", length=2)
    commands.clear(story.run, [story.at("b")], "user:ann")
    assert {each.intent for each in story.run.instances[2].values()} == {"clear"}
