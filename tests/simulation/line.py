"""The line between an agent and a scheduler, in memory: the real gateway reads and writes it as a
socket, one selector stands for the operating system's.

What is on the way is lost when either side hangs up.
"""

import itertools
import selectors
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from headway.agent.frames import FrameReader, frame
from headway.agent.protocol import FRAME_BYTES_MAX, AgentMessage, GatewayMessage

ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(GatewayMessage)
NUMBERS = itertools.count(100)


class Line:
    """The gateway's end is a socket to it; the agent's end takes and gives messages."""

    def __init__(self) -> None:
        self.number = next(NUMBERS)
        self.up = bytearray()
        self.down = bytearray()
        self.reader = FrameReader(FRAME_BYTES_MAX)
        self.open = True  # the gateway's end
        self.held = True  # the agent's end

    # -- the gateway's end

    def fileno(self) -> int:
        return self.number if self.open else -1

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def recv(self, size: int) -> bytes:
        if not self.up:
            if self.held:
                raise BlockingIOError
            return b""
        taken = bytes(self.up[:size])
        del self.up[:size]
        return taken

    def send(self, data: bytes | bytearray) -> int:
        if not self.held:
            raise BrokenPipeError
        self.down += data
        return len(data)

    def close(self) -> None:
        self.open = False

    # -- the agent's end

    def tell(self, message: AgentMessage) -> None:
        if self.open:
            self.up += frame(ENCODER.encode(message))

    def hear(self) -> list[GatewayMessage]:
        data, self.down = bytes(self.down), bytearray()
        return [DECODER.decode(body) for body in self.reader.feed(data)]

    def hang_up(self) -> None:
        """Cut: nothing more arrives, and the gateway sees it when it looks."""
        self.held = False
        self.up.clear()
        self.down.clear()


class Listener:
    """Where agents knock."""

    def __init__(self) -> None:
        self.waiting: list[Line] = []

    def accept(self) -> tuple[Line, str]:
        return self.waiting.pop(0), ""

    def fileno(self) -> int:
        return 3

    def close(self) -> None:
        self.waiting.clear()


class Key(NamedTuple):
    fileobj: Any
    events: int
    data: Callable[[int], None]


class Selector:
    """Reports what can be read, in the order of registration."""

    def __init__(self) -> None:
        self.keys: dict[Any, Key] = {}

    def register(self, fileobj: Any, events: int, data: Callable[[int], None]) -> None:
        self.keys[fileobj] = Key(fileobj, events, data)

    modify = register

    def unregister(self, fileobj: Any) -> None:
        del self.keys[fileobj]

    def get_key(self, fileobj: Any) -> Key:
        return self.keys[fileobj]

    def close(self) -> None:
        self.keys.clear()

    def select(self, timeout: float) -> list[tuple[Key, int]]:
        return [
            (key, selectors.EVENT_READ) for key in list(self.keys.values()) if readable(key.fileobj)
        ]


def readable(end: Any) -> bool:
    match end:
        case Line():
            return end.open and (bool(end.up) or not end.held)
        case Listener():
            return bool(end.waiting)
    return False


class Ears:
    """In place of the connection that listens for NOTIFY, whose delivery no seed could repeat."""

    closed = pooled = False

    def execute(self, statement: str) -> None:
        assert statement.startswith("LISTEN")

    def fileno(self) -> int:
        return 4

    def notifies(self, timeout: float) -> list[Any]:
        return []
