"""An event loop in a thread of its own, for what may wait while the scheduler's thread does not.

The simulator puts one in its place that has virtual time and no thread.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any


class Background:
    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.tasks: dict[asyncio.Task[None], None] = {}
        self.thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self.thread.start()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a piece of work, from any thread."""

        def begin() -> None:
            task = self.loop.create_task(work)
            self.tasks[task] = None
            task.add_done_callback(self.tasks.pop)

        self.loop.call_soon_threadsafe(begin)

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """End all work, then do the ``last``."""
        self.loop.call_soon_threadsafe(self.stop)
        self.thread.join()
        self.loop.run_until_complete(self.end(last))
        self.loop.close()

    def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.loop.call_soon(self.loop.stop)

    async def end(self, last: Callable[[], Awaitable[None]]) -> None:
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await last()
