"""One client of the stream: its topics and its queue of messages."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from headway import clock, ids

QUEUE_BYTES_MAX: Final = 1024 * 1024
HEARTBEAT_S: Final = 15.0
LIFE_S: Final = 55.0  # then it comes again: who was shut out meanwhile stays out
RETRY_MS: Final = 500
TOPICS: Final = ("run", "task_instance", "dag", "pool", "log")


@dataclass(frozen=True, slots=True)
class Interest:
    """The scope of a stream: everything, one DAG or one run."""

    topics: frozenset[str]
    run_id: str | None = None
    dag_id: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """The own team of a guest who watches, and the DAGs of its grants."""

    team_id: int
    team: str
    dag_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Holder:
    """The person who watches, and the id of their session or token; none for the token of the data directory."""

    person_id: int
    credential: str
    visit: Visit | None = None


def frame(event: str, body: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.encode(), body)


def ending(body: bytes, position: object) -> bytes:
    """Add the position to the last event of a group, so that a client gets all of the group or none."""
    return b"%bid: %b\n\n" % (body[:-1], str(position).encode())


def empty(event: str, position: object) -> bytes:
    return ending(frame(event, b"{}"), position)


class Watcher:
    def __init__(
        self, interest: Interest, position: Callable[[], object], holder: Holder | None = None
    ) -> None:
        """``holder`` is None for a client that uses the data directory's token."""
        self.interest = interest
        self.holder = holder
        self.position = position  # up to where everything has been pushed
        self.over = False
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()

    def push(self, data: bytes) -> None:
        """Queue a message without waiting. A client that reads too slowly gets ``reset`` and is closed."""
        if self.over:
            return
        self._waiting.append(data)
        self._bytes += len(data)
        if self._bytes > QUEUE_BYTES_MAX:
            self._waiting.clear()
            self._waiting.append(empty("reset", self.position()))
            self.over = True
        self._news.set()

    def end(self) -> None:
        self.over = True
        self._news.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        until = clock.monotonic() + LIFE_S * (1 - ids.fraction() / 10)
        yield b"retry: %d\n\n" % RETRY_MS
        while True:
            waiting = self._take()
            if waiting:
                yield waiting
            elif self.over or (left_s := until - clock.monotonic()) < 0:
                return
            else:
                try:
                    async with asyncio.timeout(min(HEARTBEAT_S, left_s)):
                        await self._news.wait()
                except TimeoutError:
                    yield b": still here\nid: %b\n\n" % str(self.position()).encode()

    def _take(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        self._news.clear()
        if self.over:
            self._news.set()
        return data
