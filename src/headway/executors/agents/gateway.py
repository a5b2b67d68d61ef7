"""The gateway for agents: one listening socket and one connection per agent, all in the scheduler's
thread.

The gateway handles sessions and bytes and makes no decisions. It collects reports for the next tick,
acknowledges them after the commit, and sends grants. A slow or broken agent affects only its own
connection: writes are buffered, and an agent that reads nothing for the time of a lease is disconnected.
"""

import errno
import logging
import os
import selectors
import socket
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from headway import clock, descriptors
from headway.agent.frames import FrameReader, TooLarge, frame
from headway.agent.protocol import (
    FENCE_S,
    FRAME_BYTES_MAX,
    LEASE_S,
    PROTOCOL_VERSION,
    Ack,
    AgentMessage,
    Ask,
    AttemptKey,
    Ended,
    Fetch,
    Grant,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Refused,
    RunContext,
    Started,
    Values,
    Welcome,
)
from headway.core.admission import Session
from headway.errors import UsageError
from headway.executors.agents.translate import report
from headway.executors.base import Envelope
from headway.spec.carried import flaw_of_text
from headway.spec.validate import is_id

log = logging.getLogger(__name__)

READ_BYTES: Final = 256 * 1024
STRANGERS_MAX: Final = 64  # connections that have not said Hello
HELLO_S: Final = 5.0  # within which they do
QUEUES_MAX: Final = 64  # of one agent: each costs every tick a little
SLOTS_MAX: Final = 100_000  # of one agent: ticks add up those of all
HELLO_BYTES_MAX: Final = 4 * 1024 * 1024
RUNS_KNOWN_MAX: Final = 10_000  # of which an agent's results are known to be right

DECODER: Final = msgspec.msgpack.Decoder(AgentMessage)
ENCODER: Final = msgspec.msgpack.Encoder()

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Link:
    """One connection. It has a session once its ``Hello`` was accepted."""

    sock: socket.socket
    reader: FrameReader = field(default_factory=lambda: FrameReader(HELLO_BYTES_MAX))
    unsent: bytearray = field(default_factory=bytearray)
    read_at: float = 0.0  # when the agent last took some of what is unsent, or there was nothing
    greeted: bool = False  # it said Hello, which may wait for its answer
    hello: Hello | None = None
    team_id: int = 0
    token_id: str = ""  # of the credential that names the team
    held: set[AttemptKey] = field(default_factory=set)
    ended: set[AttemptKey] = field(default_factory=set)  # heard of, and still live in the database
    known: OrderedDict[str, None] = field(default_factory=OrderedDict)  # runs, the oldest first
    reported: int = 0  # highest sequence number of an Ended taken in and not acknowledged
    acknowledged: int = 0
    heartbeat: int | None = None  # to be renewed in the database, then answered


class Gateway:
    """``arrivals`` are the messages that need the database or a secret backend:

    the scheduler answers them.
    """

    def __init__(self, selector: selectors.BaseSelector, address: str) -> None:
        self.selector = selector
        self.links: dict[str, Link] = {}  # by session
        self.strangers: dict[Link, float] = {}  # since when; the first have waited longest
        self.is_listening = False
        self.envelopes: list[Envelope] = []  # ends, and starts that came with them
        self.starts: list[Envelope] = []  # may wait for the next tick
        self.arrivals: list[tuple[Link, Hello | Fetch | Ask]] = []
        self.listener = listen(address)
        self.address = address
        self.go_on_listening()

    # -- bytes

    def accept(self, _: int) -> None:
        try:
            sock, _address = self.listener.accept()
        except OSError as error:
            self.put_off(error)
            return
        sock.setblocking(False)
        if len(self.strangers) >= STRANGERS_MAX:
            self.drop(next(iter(self.strangers)))  # who has been silent for the longest
        link = Link(sock)
        self.strangers[link] = clock.monotonic()
        self.selector.register(sock, selectors.EVENT_READ, self.handler(link))

    def put_off(self, error: OSError) -> None:
        """Pause accepting connections after an error, without ending and without busy looping."""
        if error.errno in descriptors.SHORTAGE and not isinstance(error, BlockingIOError):
            log.warning("cannot accept agents: %s", error.strerror)
            self.stop_listening()

    def stop_listening(self) -> None:
        if self.is_listening:
            self.selector.unregister(self.listener)
            self.is_listening = False

    def go_on_listening(self) -> None:
        if not self.is_listening:
            self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
            self.is_listening = True

    def sweep(self) -> None:
        """Close connections that sent no ``Hello`` in time, and accept waiting ones again."""
        late = clock.monotonic() - HELLO_S
        for link in [link for link, since in self.strangers.items() if since < late]:
            log.warning("closed an agent connection that was silent for %g s", HELLO_S)
            self.drop(link)
        self.go_on_listening()

    def handler(self, link: Link) -> Callable[[int], None]:
        def handle(events: int) -> None:
            if events & selectors.EVENT_WRITE:
                self.flush(link)
            if events & selectors.EVENT_READ:
                self.read(link)

        return handle

    def read(self, link: Link) -> None:
        try:
            data = link.sock.recv(READ_BYTES)
            if not data:
                self.drop(link)
                return
            for body in link.reader.feed(data):
                self.take(link, DECODER.decode(body), body)
        except BlockingIOError:
            return
        except Exception as error:  # of one agent, whatever it sent
            log.warning("closed an agent connection: %s", error)
            self.drop(link)

    def send(self, link: Link, message: msgspec.Struct) -> None:
        self.send_encoded(link, ENCODER.encode(message))

    def send_encoded(self, link: Link, body: bytes) -> None:
        if not link.unsent:
            link.read_at = clock.monotonic()
        link.unsent += frame(body)
        self.flush(link)

    def flush(self, link: Link) -> None:
        try:
            while link.unsent:
                sent = link.sock.send(link.unsent)
                del link.unsent[:sent]
                link.read_at = clock.monotonic()
        except BlockingIOError:
            pass
        except OSError:
            self.drop(link)
            return
        if link.unsent and clock.monotonic() - link.read_at > LEASE_S:
            log.warning("closed an agent connection that does not read")
            self.drop(link)
            return
        if link.sock.fileno() >= 0:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.unsent else 0)
            if self.selector.get_key(link.sock).events != events:
                self.selector.modify(link.sock, events, self.handler(link))

    def drop(self, link: Link) -> None:
        """Close a connection. Its session lives until the lease ends, because the agent may reconnect."""
        if link.sock.fileno() < 0:
            return
        self.selector.unregister(link.sock)
        link.sock.close()
        self.strangers.pop(link, None)
        if link.hello is not None and self.links.get(link.hello.session) is link:
            del self.links[link.hello.session]

    # -- messages

    def take(self, link: Link, message: AgentMessage, body: bytes) -> None:
        if isinstance(message, Hello):
            self.greet(link, message)
        elif link.hello is None:
            log.warning("closed an agent connection that did not start with Hello")
            self.drop(link)
        else:
            self.hear(link, message, body)

    def greet(self, link: Link, hello: Hello) -> None:
        """Raises ValueError for a second Hello, and for names that cannot be stored."""
        if link.greeted:
            raise ValueError("it said Hello twice")
        link.greeted = True
        check_text(hello.session, hello.agent, hello.host)
        if (why := flaw_of_hello(hello)) is not None:
            self.refuse(link, why, again=False)
        else:
            self.arrivals.append((link, hello))

    def hear(
        self, link: Link, message: Heartbeat | Started | Ended | Fetch | Ask, body: bytes
    ) -> None:
        """Handle a message. Raises ValueError if its names cannot belong to a run."""
        if isinstance(message, Started | Ended | Ask):
            check_text(message.key.run_id, message.key.task_id)
        match message:
            case Heartbeat(seq):
                link.heartbeat = seq
            case Started():
                self.starts.append(envelope(link, message, body))
            case Ended():
                link.reported = max(link.reported, message.seq)
                link.held.discard(message.key)
                link.ended.add(message.key)
                self.envelopes.append(envelope(link, message, body))
            case Fetch() | Ask():
                self.arrivals.append((link, message))

    def give_up(self, link: Link, key: AttemptKey, token: str, why: str) -> None:
        """Report an attempt as ended that its agent neither holds nor can receive, because nothing else would."""
        message = Ended(
            seq=0, key=key, token=token, outcome="lost", cause="never_started", detail=why
        )
        link.ended.add(key)
        self.envelopes.append(envelope(link, message, ENCODER.encode(message)))

    def refuse(self, link: Link, reason: str, *, again: bool = True) -> None:
        log.warning("refused an agent: %s", reason)
        self.send(link, Refused(reason, again))
        self.drop(link)

    def welcome(self, link: Link, hello: Hello, team_id: int, token_id: str) -> None:
        old = self.links.get(hello.session)
        if old is not None:
            self.drop(old)
        link.hello, link.team_id, link.token_id = hello, team_id, token_id
        link.reader.bytes_max = FRAME_BYTES_MAX
        link.held = set(hello.held)
        self.strangers.pop(link, None)
        self.links[hello.session] = link
        self.send(link, Welcome(LEASE_S, FENCE_S))

    # -- for the scheduler

    def places(self) -> dict[int, list[Session]]:
        """Return the free capacity of the connected agents by team."""
        found: dict[int, list[Session]] = {}
        for session, link in self.links.items():
            assert link.hello is not None
            free = link.hello.slots - len(link.held)
            offer = Session(session, link.hello.agent, free, tuple(link.hello.queues))
            found.setdefault(link.team_id, []).append(offer)
        return found

    def drain(self) -> list[Envelope]:
        """Return the received reports, starts first, because a start and its end may arrive in the same tick."""
        now = clock.monotonic()
        reports = [each.aged(now) for each in (*self.starts, *self.envelopes)]
        self.starts, self.envelopes = [], []
        return reports

    def give_back(self, reports: Sequence[Envelope]) -> None:
        """Put the reports of a failed tick back, before any that arrived meanwhile."""
        self.envelopes = [*reports, *self.envelopes]

    def acknowledge(self) -> None:
        """Acknowledge all drained reports, which are now durable."""
        for link in list(self.links.values()):
            if link.reported > link.acknowledged:
                link.acknowledged = link.reported
                self.send(link, Ack(link.acknowledged))

    def deliver(self, session: str, run: RunContext, grants: list[Grant]) -> None:
        """Send grants of one run. If the connection is lost, the agent gets them when it reconnects.

        Raises for what cannot be encoded, without changing anything.
        """
        link = self.links.get(session)
        if link is None or not grants:
            return
        changed = [] if run.run_id in link.known else [run.run_id]
        messages = list(bodies(lambda part: Grants([run], part, changed), grants))
        link.known[run.run_id] = None
        link.known.move_to_end(run.run_id)
        if len(link.known) > RUNS_KNOWN_MAX:  # forgotten too early, its results are fetched again
            link.known.popitem(last=False)
        link.held.update(grant.key for grant in grants)
        for body in messages:
            self.send_encoded(link, body)

    def answer(self, link: Link, values: Values) -> None:
        """Send values in parts if they are too large for one message."""
        body = ENCODER.encode(values)
        if len(body) > FRAME_BYTES_MAX:
            request = values.request
            for part in bodies(lambda few: Values(request, few, [], more=True), values.values):
                self.send_encoded(link, part)
            body = ENCODER.encode(Values(request, [], values.missing))
        self.send_encoded(link, body)

    def forget_run(self, run_id: str) -> None:
        """Note that a run was changed elsewhere, so that agents drop its old results with the next grant."""
        for link in self.links.values():
            link.known.pop(run_id, None)

    def heartbeats(self) -> dict[str, Link]:
        return {s: link for s, link in self.links.items() if link.heartbeat is not None}

    def answer_heartbeat(self, link: Link) -> None:
        assert link.heartbeat is not None
        seq, link.heartbeat = link.heartbeat, None
        self.send(link, HeartbeatAck(seq))

    def close(self) -> None:
        for link in [*self.links.values(), *self.strangers]:
            self.drop(link)
        self.stop_listening()
        self.listener.close()
        if self.address.startswith("unix:"):
            Path(self.address.removeprefix("unix:")).unlink(missing_ok=True)


def flaw_of_hello(hello: Hello) -> str | None:
    """Return why an agent cannot be let in, whatever its token says."""
    if hello.protocol_version != PROTOCOL_VERSION:
        return (
            f"the agent uses protocol version {hello.protocol_version}, "
            f"this scheduler {PROTOCOL_VERSION}"
        )
    if not 1 <= hello.slots <= SLOTS_MAX:
        return f"the agent has {hello.slots:,} slots; it must have 1 to {SLOTS_MAX:,}"
    if not 1 <= len(hello.queues) <= QUEUES_MAX:
        return f"the agent serves {len(hello.queues):,} queues; it must serve 1 to {QUEUES_MAX}"
    if odd := [queue for queue in hello.queues if not is_id(queue)]:
        return f"the agent serves the queue {odd[0][:40]!a}, which is not a valid name"
    return None


def check_text(*names: str) -> None:
    for name in names:
        if (why := flaw_of_text(name)) is not None:
            raise ValueError(f"a name in its message {why}")


def envelope(link: Link, message: Started | Ended, body: bytes) -> Envelope:
    return Envelope(link.team_id, message.key.run_id, report(message), body, clock.monotonic())


def bodies(message: Callable[[list[T]], msgspec.Struct], parts: list[T]) -> Iterator[bytes]:
    """Yield messages with ``parts`` in order, each within the limit of a frame. Raises TooLarge."""
    body = ENCODER.encode(message(parts))
    if len(body) <= FRAME_BYTES_MAX:
        yield body
    elif len(parts) == 1:
        raise TooLarge(f"a message of {len(body)} bytes, {FRAME_BYTES_MAX} are allowed")
    else:
        half = len(parts) // 2
        yield from bodies(message, parts[:half])
        yield from bodies(message, parts[half:])


def listen(address: str) -> socket.socket:
    """``unix:PATH`` or ``tcp:HOST:PORT``.

    Replaces a socket file that a killed process left behind.
    """
    kind, _, place = address.partition(":")
    try:
        if kind == "unix":
            return listen_unix(Path(place))
        host, _, port = place.rpartition(":")
        listener = socket.create_server((host, int(port)), backlog=64)
        listener.setblocking(False)
        return listener
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        raise UsageError(
            f"the gateway cannot listen on {address}: {'it is in use' if busy else error.strerror}"
        ) from error


def listen_unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    # Who may enter the folder may knock: it is private, or for the agents of teams that have users of their own.
    old = os.umask(0o111)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old)
    listener.listen(64)
    listener.setblocking(False)  # who knocked may be gone
    return listener


def grouped(keys: Iterator[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Group pairs by their first item, in order."""
    found: dict[str, list[Any]] = {}
    for name, value in keys:
        found.setdefault(name, []).append(value)
    return found
