"""Weight rules: the priority of a task by what is around it."""

from random import Random

import pytest

from headway.core.weights import Weighed, WeightRule, weights
from tests.core.build import Story, task


def diamond(rule: str) -> Story:
    a = task("a", priority_weight=1, weight_rule=rule)
    b = task("b", "a", priority_weight=10, weight_rule=rule)
    c = task("c", "a", priority_weight=100, weight_rule=rule)
    return Story(a, b, c, task("d", "b", "c", priority_weight=-5, weight_rule=rule))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("absolute", [1, 10, 100, -5]),
        ("downstream", [106, 5, 95, -5]),
        ("upstream", [1, 11, 101, 106]),
    ],
)
def test_each_task_around_counts_once(rule: str, expected: list[int]) -> None:
    assert [node.weight for node in diamond(rule).run.graph.nodes] == expected


def test_rules_may_differ() -> None:
    story = Story(
        task("a", priority_weight=2, weight_rule="downstream"),
        task("b", "a", priority_weight=3),
        task("c", "b", priority_weight=4, weight_rule="upstream"),
    )
    assert [node.weight for node in story.run.graph.nodes] == [9, 3, 9]


def test_the_longer_way_goes_first() -> None:
    """Of two that are ready at once, by the static rank (ADR 7)."""
    story = Story(
        task("short", weight_rule="downstream"),
        task("long", weight_rule="downstream"),
        task("after", "long", weight_rule="downstream"),
    )
    story.pools["default"].slots = 1
    story.begin()
    assert (story.state("long"), story.state("short")) == ("queued", "ready")


@pytest.mark.parametrize("seed", range(100))
def test_all_are_as_a_walk_finds_them(seed: int) -> None:
    chance = Random(seed)
    count = chance.randint(1, 12)
    upstream = [[n for n in range(place) if chance.random() < 0.3] for place in range(count)]
    downstream = [[low for low in range(count) if place in upstream[low]] for place in range(count)]
    tasks = [
        Weighed(
            chance.randint(-3, 3), chance.choice(list(WeightRule)), upstream[at], downstream[at]
        )
        for at in range(count)
    ]
    assert weights(tasks) == [walked(tasks, place) for place in range(count)]


def walked(tasks: list[Weighed], start: int) -> int:
    rule = tasks[start].rule
    found, stack = {start}, [start] if rule is not WeightRule.ABSOLUTE else []
    while stack:
        task = tasks[stack.pop()]
        for other in task.downstream if rule is WeightRule.DOWNSTREAM else task.upstream:
            if other not in found:
                found.add(other)
                stack.append(other)
    return sum(tasks[place].weight for place in found)


def test_a_chain_of_twenty_thousand() -> None:
    count = 20_000
    tasks = [
        Weighed(1, WeightRule.DOWNSTREAM, [n - 1] if n else [], [n + 1] if n + 1 < count else [])
        for n in range(count)
    ]
    assert weights(tasks) == list(range(count, 0, -1))
