"""The triggerers of an agent, and the waits and watchers that they look after."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from headway import clock
from headway.agent.lines import Line
from headway.agent.masking import Masker
from headway.agent.protocol import Watch
from headway.agent.servers import FileServer
from headway.agent.watchers import Standing
from headway.agent.watching import Board
from headway.spec.shared import SHARED

if TYPE_CHECKING:
    from headway.agent.trigger_asks import Asked

FOUND_BYTES_MAX: Final = 256 * 1024


class Home(NamedTuple):
    """The code that a triggerer has: a DAG file of a bundle version, or none; ``alone``: for one wait."""

    version: str
    file: str
    alone: int = 0


@dataclass(eq=False, slots=True)
class Waiting:
    """A wait or a watcher that is looked after. ``begun``: how often, in a process; ``told``: what a watcher told.

    ``asked``: its open questions.
    """

    number: int
    watch: Watch | Standing
    home: Home
    deaths: int = 0
    said: int = 0
    noted_at: float = float("-inf")
    begun: int = 0
    told: int = 0
    asked: "dict[int, Asked]" = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Triggerer:
    """``masker``: of all that the process was handed since it began. ``blocking``: for whose answer its loop waits."""

    home: Home
    waits: dict[int, Waiting] = field(default_factory=dict)
    server: FileServer | None = None
    mark: int = 0
    control: Line | None = None
    asks: Line | None = None
    output: int = -1
    board: Board | None = None
    masker: Masker = field(default_factory=Masker)
    forked_at: float = 0.0
    blocking: "Asked | None" = None
    tail: deque[bytes] = field(default_factory=lambda: deque(maxlen=16))
    turns: int = 0
    still: int = 0  # looks at which the loop had not turned
    deaths: int = 0
    start_at: float = 0.0
    used_at: float = field(default_factory=clock.monotonic)


def home_of(facts: bytes, version: str, file: str) -> Home:
    """Return where the code is. That all share is ours, whatever a task says of its trigger."""
    told = msgspec.json.decode(facts)
    is_ours = told.get("shared") is True and str(told.get("trigger")) in SHARED
    return Home("", "") if is_ours else Home(version, file)


def flaw_of(body: bytes | None) -> str:
    """Return why what a process sent as JSON cannot be stored."""
    if body is not None and len(body) > FOUND_BYTES_MAX:
        return f"it has {len(body):,} bytes; the limit is {FOUND_BYTES_MAX:,}"
    try:
        msgspec.json.decode(body or b"null")
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        return str(error)
    return ""
