"""Weight rules: what the priority of a task is, by its own weight and those around it (Airflow's rules)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class WeightRule(StrEnum):
    ABSOLUTE = "absolute"  # its own
    DOWNSTREAM = "downstream"  # and those of all tasks below it: long ways go first
    UPSTREAM = "upstream"  # and those of all tasks above it: what has begun is ended first


class Weighed(NamedTuple):
    """A task: its own weight, its rule, and the tasks directly above and below it."""

    weight: int
    rule: WeightRule
    upstream: Sequence[int]
    downstream: Sequence[int]


def weights(tasks: Sequence[Weighed]) -> list[int]:
    """Return the weight of each task, which are in their topological order."""
    found = [task.weight for task in tasks]
    forwards = range(len(tasks))
    for rule, places in ((WeightRule.UPSTREAM, forwards), (WeightRule.DOWNSTREAM, forwards[::-1])):
        if any(task.rule is rule for task in tasks):
            add_beyond(found, tasks, rule, places)
    return found


def add_beyond(
    found: list[int], tasks: Sequence[Weighed], rule: WeightRule, places: Sequence[int]
) -> None:
    """Add to each task with the rule what lies beyond it, each task once.

    A set of tasks is a number with a bit for each; it is forgotten when all that need it have it.
    """
    alike = classes(tasks)
    beyond: dict[int, int] = {}
    left: dict[int, int] = {}
    for place in places:
        task = tasks[place]
        near, far = task.upstream, task.downstream
        if rule is WeightRule.DOWNSTREAM:
            near, far = far, near
        reached = 0
        for other in near:
            reached |= beyond[other] | 1 << other
            left[other] -= 1
            if not left[other]:
                del beyond[other]
        if task.rule is rule:
            found[place] += sum(w * (reached & members).bit_count() for w, members in alike)
        if far:
            beyond[place], left[place] = reached, len(far)


def classes(tasks: Sequence[Weighed]) -> list[tuple[int, int]]:
    """Return each weight other than 0, and the set of the tasks that have it."""
    members: dict[int, bytearray] = {}
    for place, task in enumerate(tasks):
        bits = members.setdefault(task.weight, bytearray(len(tasks) // 8 + 1))
        bits[place // 8] |= 1 << place % 8
    return [(weight, int.from_bytes(bits, "little")) for weight, bits in members.items() if weight]
