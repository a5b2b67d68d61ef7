"""The line from a watcher in a triggerer to its agent: one batch at a time, the next one when that is stored."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headway.agent.watchers import (
    WatcherEvent as Event,
)
from headway.agent.watching import Fires
from headway.authoring.values import to_json
from headway.authoring.watchers import WatcherEvent
from headway.core.watchers import BATCH_MAX, CURSOR_BYTES_MAX
from headway.spec.assets import flaw_of_extra, flaw_of_words


class Telling:
    def __init__(self, number: int, send: Callable[[Fires], None]) -> None:
        self.number = number
        self.send = send
        self.batch = 0
        self.waiting: asyncio.Future[None] | None = None
        self.turn = asyncio.Lock()  # of a watcher that tells in several tasks of its own

    async def tell(self, events: Sequence[WatcherEvent], cursor: Any) -> None:
        """Tell, and return when it is stored. Raises ValueError, NotSerialisable: it cannot be."""
        if len(events) > BATCH_MAX:
            raise ValueError(f"it tells {len(events):,} events at once; the limit is {BATCH_MAX}")
        checked = [event_of(event) for event in events]
        body = None if cursor is None else to_json(cursor, "the cursor")
        if body is not None and len(body) > CURSOR_BYTES_MAX:
            raise ValueError(
                f"its cursor has {len(body):,} bytes; the limit is {CURSOR_BYTES_MAX:,}"
            )
        async with self.turn:
            self.batch += 1
            self.waiting = asyncio.get_running_loop().create_future()
            self.send(Fires(self.number, self.batch, checked, body))
            await self.waiting

    def stored(self, batch: int) -> None:
        if batch == self.batch and self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(None)


def event_of(given: WatcherEvent) -> Event:
    """Return the event as the agent sends it. Raises ValueError with what is wrong."""
    if not isinstance(given.extra, Mapping):
        raise ValueError(f"the extra of an event must be a dict, not {type(given.extra).__name__}")
    extra = to_json(dict(given.extra), "the extra")
    if (flaw := flaw_of_extra(extra)) is not None:
        raise ValueError(f"the extra of an event {flaw}")
    check("partition", given.partition)
    check("key", given.key)
    return Event(extra, given.partition, given.key)


def check(word: str, given: object) -> None:
    if given is None:
        return
    if not isinstance(given, str):
        raise ValueError(f"the {word} of an event must be a string, not {type(given).__name__}")
    if (flaw := flaw_of_words(given)) is not None:
        raise ValueError(f"the {word} of an event {flaw}")
