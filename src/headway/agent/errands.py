"""Requests of an agent for files, in order, a few at a time, until each has its answer.

What the gateway cannot answer now is asked again later; what is open when a connection is lost, on the next one.
"""

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final

from msgspec.structs import replace

from headway import clock
from headway.agent.link import Link
from headway.agent.loop import Loop
from headway.agent.protocol import Errand, Piece

OPEN_MAX: Final = 4
AGAIN_S: Final = 1.0

Done = Callable[[Piece], None]


class Errands:
    """``may_send``: whether the gateway has let us in on this connection."""

    def __init__(self, loop: Loop, link: Link, may_send: Callable[[], bool]) -> None:
        self.loop = loop
        self.link = link
        self.may_send = may_send
        self.requests = count(1)
        self.open: dict[int, tuple[Errand, Done]] = {}
        self.waiting: deque[tuple[Errand, Done]] = deque()

    def run(self, errand: Errand, done: Done) -> None:
        """Send a request, whose number is filled in here, and tell ``done`` the answer."""
        self.waiting.append((errand, done))
        self.send_some()

    def send_some(self) -> None:
        while self.waiting and len(self.open) < OPEN_MAX and self.may_send():
            errand, done = self.waiting.popleft()
            request = next(self.requests)
            self.open[request] = (replace(errand, request=request), done)
            self.link.send(self.open[request][0])

    def send_again(self) -> None:
        for errand, _ in self.open.values():
            self.link.send(errand)
        self.send_some()

    def answered(self, piece: Piece) -> None:
        if (found := self.open.pop(piece.request, None)) is None:
            return  # it was asked for twice
        if piece.again:
            self.loop.at(clock.monotonic() + AGAIN_S, lambda: self.run(*found))
        else:
            found[1](piece)
        self.send_some()


class Download:
    """A file, piece after piece. ``want``: the request for what follows an offset.

    ``took`` may raise OSError, ``done`` is told why the file could not be had, or nothing.
    """

    def __init__(
        self,
        errands: Errands,
        want: Callable[[int], Errand],
        took: Callable[[bytes], None],
        done: Callable[[str], None],
    ) -> None:
        self.errands = errands
        self.want = want
        self.took = took
        self.done = done
        self.offset = 0
        self.go_on()

    def go_on(self) -> None:
        self.errands.run(self.want(self.offset), self.came)

    def came(self, piece: Piece) -> None:
        if piece.refused:
            self.done(piece.refused)
            return
        try:
            self.took(piece.data)
        except OSError as error:
            self.done(f"the agent cannot store a file: {error.strerror}")
            return
        self.offset += len(piece.data)
        if self.offset >= piece.size:
            self.done("")
        elif piece.data:
            self.go_on()
        else:
            self.done("a file became shorter while it was sent")
