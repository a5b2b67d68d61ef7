"""The messages between an agent and a triggerer, and the board that both see.

A triggerer is a process of a team in which triggers look out for what deferred attempts wait for, and watchers for
events of assets, all in one event loop. ``number`` names a wait or a watcher within its agent. Questions for
connections and variables have a socket of their own, on which they are answered in any order. The *board* says how
often the loop has turned, and which of them it is at: it can be read when the process answers nothing any more.
"""

import mmap
import struct
from typing import Final

import msgspec

from headway.agent.orders import Secrets
from headway.agent.protocol import (
    Watch,
)
from headway.agent.watchers import (
    Standing,
    WatcherEvent,
)

UPWARD_BYTES_MAX: Final = 4 * 1024 * 1024
BOARD: Final = struct.Struct("=QQ")


class Begin(msgspec.Struct, frozen=True, array_like=True, tag=True):
    number: int
    watch: Watch


class BeginWatcher(msgspec.Struct, frozen=True, array_like=True, tag=True):
    number: int
    standing: Standing


class Stored(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The last batch of the watcher is stored: it goes on."""

    number: int
    batch: int


class Stop(msgspec.Struct, frozen=True, array_like=True, tag=True):
    number: int


class Over(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The trigger found something, as JSON, or it failed."""

    number: int
    found: bytes | None = None
    error: str = ""
    exceptions: list[str] = []  # its classes by name


class Fires(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The watcher saw something. ``cursor``: JSON."""

    number: int
    batch: int
    events: list[WatcherEvent]
    cursor: bytes | None = None


class Noted(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The trigger has looked. ``again_s``: until it looks again."""

    number: int
    looks: int
    again_s: float | None = None
    note: str = ""


class Said(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The trigger printed something."""

    number: int
    text: str


class Question(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A trigger or watcher asks. ``blocks``: the loop stands still until it is answered."""

    request: int
    number: int
    kind: str
    name: str
    blocks: bool = False


class Answered(msgspec.Struct, frozen=True, array_like=True, tag=True):
    request: int
    value: str | None = None
    refused: str = ""


DOWN: Final = msgspec.msgpack.Decoder(Begin | BeginWatcher | Stored | Stop)
UP: Final = msgspec.msgpack.Decoder(Over | Fires | Noted | Said | Secrets)
QUESTION: Final = msgspec.msgpack.Decoder(Question)
ANSWERED: Final = msgspec.msgpack.Decoder(Answered)


class Board:
    """Two numbers in memory that two processes share."""

    def __init__(self, fd: int) -> None:
        self.memory = mmap.mmap(fd, mmap.PAGESIZE)

    def read(self) -> tuple[int, int]:
        """Return how often the loop has turned, and the number of the trigger it is at; 0: none."""
        turns, number = BOARD.unpack_from(self.memory)
        return turns, number

    def turned(self) -> None:
        turns, number = self.read()
        BOARD.pack_into(self.memory, 0, turns + 1, number)

    def at(self, number: int) -> int:
        """Note the trigger whose code runs now, and return the one before."""
        turns, before = self.read()
        BOARD.pack_into(self.memory, 0, turns, number)
        return before

    def close(self) -> None:
        self.memory.close()
