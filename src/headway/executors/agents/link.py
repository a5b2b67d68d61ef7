"""A connection to an agent."""

import socket
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from headway.agent.budget import LogBudget
from headway.agent.frames import FrameReader
from headway.agent.protocol import PROTOCOL_VERSION, AttemptKey, Hello
from headway.agent.watchers import WatcherKey
from headway.core.crowds import crowd_of

if TYPE_CHECKING:
    from headway.agent.tls import Channel

HELLO_BYTES_MAX: Final = 4 * 1024 * 1024


@dataclass(eq=False, slots=True)
class Link:
    """One connection. It has a session once its ``Hello`` was accepted."""

    sock: socket.socket
    channel: "Channel | None" = None  # of TLS
    host: str = ""  # where it comes from, on another machine
    reader: FrameReader = field(default_factory=lambda: FrameReader(HELLO_BYTES_MAX))
    unsent: bytearray = field(default_factory=bytearray)
    late: bool = False  # some of its requests wait for the next turn, and it is not heard meanwhile
    read_at: float = 0.0  # when the agent last took some of what is unsent, or there was nothing
    greeted: bool = False  # it said Hello, which may wait for its answer
    version: int = PROTOCOL_VERSION  # that it speaks
    hello: Hello | None = None
    team_id: int = 0
    token_id: str = ""  # of the credential that names the team
    held: set[AttemptKey] = field(default_factory=set)
    ended: set[AttemptKey] = field(default_factory=set)  # heard of, and still live in the database
    known: OrderedDict[str, None] = field(default_factory=OrderedDict)  # runs, the oldest first
    reported: int = 0  # highest sequence number of an Ended taken in and not acknowledged
    acknowledged: int = 0
    files: dict[object, str] = field(
        default_factory=dict
    )  # results that it may read, where they are
    watched: set[AttemptKey] = field(default_factory=set)  # waits that its triggerers look after
    found: set[AttemptKey] = field(default_factory=set)  # of these, told and not yet stored
    watchers: set[WatcherKey] | None = None  # None: not yet brought level
    heartbeat: int | None = None  # to be renewed in the database, then answered
    draining: bool = False  # nothing is granted to it any more
    log_bytes: int = 0  # that the logs of its attempts took in the last minute, as it says
    logs: LogBudget = field(default_factory=LogBudget)  # what it really sent of them

    @property
    def session(self) -> str:
        """The session of who was let in."""
        assert self.hello is not None
        return self.hello.session


def crowding(links: Iterable[Link]) -> Link:
    """Return the first of those from where most come: a crowd keeps only itself out."""
    found = list(links)
    crowds = Counter(crowd_of(link.host) for link in found)
    return max(found, key=lambda link: crowds[crowd_of(link.host)])
