"""What has become of earlier runs, and what a task of a run after them does (``depends_on_past``): drawn at random, the
same for Headway and for Airflow.
"""

from random import Random
from typing import Final, NamedTuple

CASES: Final = 150
STATES: Final = ("success", "success", "skipped", "failed", "upstream_failed", "running", "none")


class Before(NamedTuple):
    """An earlier run: how many days, who made it, and the states of the tasks that it has."""

    days: int
    kind: str  # scheduled or manual
    states: dict[str, str]


class Case(NamedTuple):
    catchup: bool
    wait_for_downstream: bool
    ignore_first: bool
    kind: str
    before: tuple[Before, ...]


def cases() -> list[Case]:
    return [drawn(Random(number)) for number in range(CASES)]


def drawn(chance: Random) -> Case:
    before = []
    for days in range(chance.choice([0, 1, 1, 2, 3]), 0, -1):
        states = {name: chance.choice(STATES) for name in ("a", "b", "c")}
        if chance.random() < 0.2:
            del states["a"]
        before.append(Before(days, chance.choice(["scheduled", "manual"]), states))
    return Case(
        catchup=chance.random() < 0.5,
        wait_for_downstream=chance.random() < 0.4,
        ignore_first=chance.random() < 0.6,
        kind=chance.choice(["scheduled", "manual"]),
        before=tuple(before),
    )
