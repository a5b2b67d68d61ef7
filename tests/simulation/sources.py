"""Time, chance and names of a world, in the place of the machine's."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from headway.clock import Clock
from headway.ids import Chance

if TYPE_CHECKING:
    from tests.simulation.world import World


class WorldClock(Clock):
    """One for all processes; agents have their own, which drift."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def now(self) -> datetime:
        return self.world.now

    def monotonic(self) -> float:
        return self.world.elapsed

    def sleep(self, seconds: float) -> None:
        """In one thread nothing happens meanwhile."""

    def of_database(self, read: Callable[[], datetime]) -> datetime:
        return self.world.now


class WorldChance(Chance):
    def __init__(self, world: "World") -> None:
        self.world = world

    def run_id(self) -> str:
        return self.world.new_id()

    def token(self) -> str:
        return self.world.new_id("token")

    def salt(self) -> bytes:
        return self.world.salt()

    def fraction(self) -> float:
        return self.world.chance.random()


def nobody_signs_in() -> NoReturn:
    """Return no salt: most worlds seal nothing."""
    raise AssertionError("nobody signs in to a world")
