"""Questions for connections and variables in the process of a triggerer: many at once, on a socket of their own.

A thread reads the answers. Who asks in a thread waits there; who asks in the event loop's thread holds up the loop
until the answer is there, and ``await`` does not. The context says for which wait or watcher is asked.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import Final

from headway.agent.frames import FrameReader, frame
from headway.agent.orders import ENCODER
from headway.agent.protocol import FRAME_BYTES_MAX
from headway.agent.watching import ANSWERED, Answered, Question
from headway.authoring.secrets import SecretRefused

READ_BYTES: Final = 1 << 16
NOBODY: Final = (
    "nothing says for which wait this thread asks, so it gets no connections and variables; "
    "ask in the trigger and pass them on, or start the thread with asyncio.to_thread"
)
ELSEWHERE: Final = (
    "only the process of the triggerer can ask for connections and variables; "
    "ask there, and pass what is needed to the processes that it starts"
)
GONE: Final = "the agent has ended"


class Asking:
    """``current``: returns the number of the wait or watcher whose code runs, 0 if it is nobody's."""

    def __init__(self, end: socket.socket, current: Callable[[], int]) -> None:
        self.end = end
        self.current = current
        self.pid = os.getpid()
        self.loop_thread = threading.get_ident()
        self.numbers = count(1)
        self.futures: dict[int, Future[Answered]] = {}
        self.lock = threading.Lock()
        self.reader: threading.Thread | None = None  # from the first question on

    def ask(self, kind: str, name: str) -> str | None:
        """Ask, and wait for the answer in this thread. Raises SecretRefused."""
        blocks = threading.get_ident() == self.loop_thread
        return value_of(self.put(kind, name, blocks=blocks).result())

    async def ask_later(self, kind: str, name: str) -> str | None:
        """Ask, and let the loop turn until the answer is there. Raises SecretRefused."""
        return value_of(await asyncio.wrap_future(self.put(kind, name, blocks=False)))

    def put(self, kind: str, name: str, *, blocks: bool) -> Future[Answered]:
        if os.getpid() != self.pid:
            raise SecretRefused(ELSEWHERE)
        if not (number := self.current()):
            raise SecretRefused(NOBODY)
        future: Future[Answered] = Future()
        with self.lock:
            request = next(self.numbers)
            self.futures[request] = future
            if self.reader is None:
                self.reader = threading.Thread(target=self.read, name="answers", daemon=True)
                self.reader.start()
            try:
                self.end.sendall(
                    frame(ENCODER.encode(Question(request, number, kind, name, blocks)))
                )
            except OSError:
                self.futures.pop(request, None)
                raise SecretRefused(GONE) from None
        return future

    def read(self) -> None:
        """Hand answers to those who wait, until the agent closes its end."""
        reader = FrameReader(FRAME_BYTES_MAX)
        while data := self.received():
            for body in reader.feed(data):
                answered = ANSWERED.decode(body)
                self.settle(self.futures.pop(answered.request, None), answered)
        with self.lock:
            left, self.futures = self.futures, {}
        for future in left.values():
            self.settle(future, Answered(0, refused=GONE))

    def received(self) -> bytes:
        try:
            return self.end.recv(READ_BYTES)
        except OSError:
            return b""

    @staticmethod
    def settle(future: Future[Answered] | None, answered: Answered) -> None:
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(answered)


def value_of(answered: Answered) -> str | None:
    if answered.refused:
        raise SecretRefused(answered.refused)
    return answered.value
