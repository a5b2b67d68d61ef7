"""An event loop in the time of a world, without a thread: it goes on when the world lets it, until nothing is due."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from headway.executors.kubernetes.background import Background

if TYPE_CHECKING:
    from tests.simulation.world import World


RESOLUTION_S: Final = 1e-9


class Loop(asyncio.BaseEventLoop):
    """Instead of waiting for a timer or for the outside, it stops."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self.world = world
        self._selector = self
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return self.world.elapsed

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None or timeout >= self._clock_resolution:
            self.stop()
        return []

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody is asleep."""


class Paced(Background):
    """In the place of the executor's thread: the world says when it goes on."""

    def __init__(self, world: "World") -> None:
        self.loop = Loop(world)
        self.tasks = {}

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks[task] = None
        task.add_done_callback(self.tasks.pop)

    def go_on(self) -> None:
        self.loop.run_forever()

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        self.stop()
        self.go_on()
        self.loop.run_until_complete(self.end(last))

    def die(self) -> None:
        """Its process is gone: whatever was under way ends here."""
        for task in list(self.tasks):
            task.cancel()
        for task in list(self.tasks):
            with suppress(asyncio.CancelledError):
                self.loop.run_until_complete(task)
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
