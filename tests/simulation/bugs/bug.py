"""A bug to plant in the simulator, with the symptom by which it must be found."""

from typing import Any, NamedTuple

from tests.simulation.world import STEPS, World

BUG_SEEDS = range(300)


class Bug(NamedTuple):
    """What to put where, by what it must be found, and seeds that find it quickly: the first
    finding ends the search. When a change of the simulator makes other histories of these seeds,
    ``SEARCH=1`` searches all of ``BUG_SEEDS``, and the seed that it names belongs here.
    """

    name: str
    symptom: str
    seeds: tuple[int, ...]
    places: tuple[tuple[Any, str, object], ...]
    steps: int = STEPS
    world: type[World] = World


def bug(name: str, symptom: str, seeds: tuple[int, ...], *places: tuple[Any, str, object]) -> Bug:
    return Bug(name, symptom, seeds, places)
