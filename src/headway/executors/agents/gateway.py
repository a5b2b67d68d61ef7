"""The gateway for agents: one listening socket and one connection per agent, all in the scheduler's
thread.

The gateway handles sessions and bytes and makes no decisions. It collects reports for the next tick,
acknowledges them after the commit, and sends grants. A slow or broken agent affects only its own
connection: writes are buffered, and an agent that reads nothing for the time of a lease is disconnected.
"""

import logging
import selectors
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from headway import clock, descriptors
from headway.agent.frames import TooLarge, frame
from headway.agent.protocol import (
    FENCE_S,
    FRAME_BYTES_MAX,
    LEASE_S,
    PIECE_BYTES,
    Ack,
    AgentMessage,
    Arrival,
    Ask,
    AttemptKey,
    Ended,
    Found,
    Grant,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Named,
    Put,
    Refused,
    Reported,
    RunContext,
    Started,
    Values,
    Welcome,
)
from headway.core.admission import Session
from headway.errors import UsageError
from headway.executors.agents.doors import Outside, listen
from headway.executors.agents.flaws import REPORT_BYTES_MAX, check_names, check_text, flaw_of_hello
from headway.executors.agents.link import Link, crowding
from headway.executors.agents.older import decoded
from headway.executors.agents.translate import report
from headway.executors.base import Envelope

if TYPE_CHECKING:
    from headway.agent.tls import Channel

log = logging.getLogger(__name__)

READ_BYTES: Final = 256 * 1024
STRANGERS_MAX: Final = 64  # connections that have not said Hello
HELLO_S: Final = 5.0  # within which they do
GUESTS_MAX: Final = 1_000  # connections whose Hello waits for its answer
SERVED_MAX: Final = 64  # requests of one agent in a turn of the loop, which all teams share
UNSENT_MAX: Final = 8 * 1024 * 1024  # beyond it an agent is not heard until it reads
RUNS_KNOWN_MAX: Final = 10_000  # of which an agent's results are known to be right
LOOKED_AT_MAX: Final = 500  # connections, in one sweep
LOG_MINUTES: Final = 2  # of an agent's clock that may send their log bytes in one of ours

ENCODER: Final = msgspec.msgpack.Encoder()

T = TypeVar("T")


class Gateway:
    """An address that begins with ``tls:`` is that of ``outside``.

    ``arrivals`` are the messages that need the database or a secret backend:

    the scheduler answers them.
    """

    def __init__(
        self, selector: selectors.BaseSelector, address: str, outside: Outside | None = None
    ) -> None:
        self.selector = selector
        self.links: dict[str, Link] = {}  # by session
        self.beating: dict[str, Link] = {}  # of these, those whose heartbeat waits for its answer
        self.held = 0  # attempts, of all connections
        self.turn: list[
            str
        ] = []  # sessions that are still to be looked at, before it is the first one's turn again
        self.strangers: dict[Link, float] = {}  # since when; the first have waited longest
        self.guests: dict[
            Link, None
        ] = {}  # who said Hello and is not let in yet; the first have waited longest
        self.is_listening = False
        self.envelopes: list[Envelope] = []  # ends, and starts that came with them
        self.starts: list[Envelope] = []  # may wait for the next tick
        self.arrivals: list[tuple[Link, Arrival]] = []
        self.orphans_until = 0.0  # waits of an agent that left are soon free
        self.triggers = False  # an attempt was deferred, and is to be looked after
        self.address = address
        self.outside = outside
        self.listeners = {listen(address): address}
        if outside is not None and outside.address != address:
            self.listeners[listen(outside.address)] = outside.address
        self.go_on_listening()

    # -- bytes

    def accept(self, listener: socket.socket, _: int) -> None:
        try:
            sock, address = listener.accept()
        except OSError as error:
            self.put_off(error)
            return
        sock.setblocking(False)
        if len(self.strangers) >= STRANGERS_MAX:
            self.drop(crowding(self.strangers))  # who has been silent for the longest
        host = address[0] if isinstance(address, tuple) else ""
        link = Link(sock, self.channel_of(listener), host)
        self.strangers[link] = clock.monotonic()
        self.selector.register(sock, selectors.EVENT_READ, self.handler(link))

    def put_off(self, error: OSError) -> None:
        """Pause accepting connections after an error, without ending and without busy looping."""
        if error.errno in descriptors.SHORTAGE and not isinstance(error, BlockingIOError):
            log.warning("cannot accept agents: %s", error.strerror)
            self.stop_listening()

    def stop_listening(self) -> None:
        if self.is_listening:
            for listener in self.listeners:
                self.selector.unregister(listener)
            self.is_listening = False

    def go_on_listening(self) -> None:
        if not self.is_listening:
            for listener in self.listeners:
                self.selector.register(
                    listener, selectors.EVENT_READ, partial(self.accept, listener)
                )
            self.is_listening = True

    def channel_of(self, listener: socket.socket) -> "Channel | None":
        if self.outside is None or self.listeners[listener] != self.outside.address:
            return None
        from headway.agent.tls import Channel  # most gateways need none of it

        return Channel(self.outside.certificate.context, server=True)

    def renew_certificate(self) -> None:
        """Use the certificate that somebody has put in place of the old one, for connections from now on."""
        try:
            if self.outside is not None and self.outside.certificate.load():
                log.info("the certificate of the gateway was loaded again")
        except UsageError as error:
            log.error("%s; the old one is used", error)

    def sweep(self) -> None:
        """Close connections that sent no ``Hello`` in time, and accept waiting ones again."""
        late = clock.monotonic() - HELLO_S
        for link in [link for link, since in self.strangers.items() if since < late]:
            log.warning("closed an agent connection that was silent for %g s", HELLO_S)
            self.drop(link)
        for link in [link for link in self.links.values() if link.unsent]:
            self.flush(link)  # who reads nothing may be sent nothing more
        self.renew_certificate()
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
            for body in link.reader.feed(self.plain(link, data)):
                self.take(link, decoded(body, link.version), body)
                if link.sock.fileno() < 0:
                    return  # nobody hears the rest
            if link.channel is not None and link.channel.is_over:
                self.drop(link)
        except BlockingIOError:
            return
        except Exception as error:  # of one agent, whatever it sent
            log.warning("closed an agent connection: %s", error)
            self.drop(link)

    def plain(self, link: Link, data: bytes) -> bytes:
        if link.channel is None:
            return data
        found = link.channel.feed(data)
        if out := link.channel.to_send():
            self.send_bytes(link, out)
        return found

    def send(self, link: Link, message: msgspec.Struct) -> None:
        self.send_encoded(link, ENCODER.encode(message))

    def send_encoded(self, link: Link, body: bytes) -> None:
        data = frame(body)
        if link.channel is not None:
            link.channel.write(data)
            data = link.channel.to_send()
        self.send_bytes(link, data)

    def send_bytes(self, link: Link, data: bytes) -> None:
        if not link.unsent:
            link.read_at = clock.monotonic()
        link.unsent += data
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
        self.watch(link)

    def watch(self, link: Link) -> None:
        """Hear a connection unless it is behind with reading or with its requests; be woken for what waits."""
        if link.sock.fileno() < 0:
            return
        waits = bool(link.unsent) or link.late
        hears = len(link.unsent) <= UNSENT_MAX and not link.late
        events = selectors.EVENT_WRITE * waits | selectors.EVENT_READ * hears
        if self.selector.get_key(link.sock).events != events:
            self.selector.modify(link.sock, events, self.handler(link))

    def drop(self, link: Link) -> None:
        """Close a connection. Its session lives until the lease ends, because the agent may reconnect."""
        if link.sock.fileno() < 0:
            return
        self.selector.unregister(link.sock)
        link.sock.close()
        self.strangers.pop(link, None)
        self.guests.pop(link, None)
        if link.hello is not None and self.links.get(link.hello.session) is link:
            del self.links[link.hello.session]
            self.beating.pop(link.hello.session, None)
            self.held -= len(link.held)
            if link.watched:
                self.orphans_until = clock.monotonic() + LEASE_S

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
        if hello.attempt is not None:
            check_text(hello.attempt.run_id, hello.attempt.task_id)
        if (why := flaw_of_hello(hello)) is not None:
            self.refuse(link, why, again=False)
            return
        link.version = hello.protocol_version
        self.strangers.pop(link, None)
        self.guests[link] = None
        if (
            len(self.guests) > GUESTS_MAX
        ):  # who comes last comes again, so that those before it get in
            self.drop(crowding(reversed(self.guests)))
        self.arrivals.append((link, hello))

    def hear(
        self,
        link: Link,
        message: Heartbeat | Reported | Arrival,
        body: bytes,
    ) -> None:
        """Handle a message. Raises ValueError if its names cannot belong to a run, or it is longer than any."""
        if len(body) > REPORT_BYTES_MAX:
            raise ValueError(f"a message of {len(body):,} bytes; the limit is {REPORT_BYTES_MAX:,}")
        if isinstance(message, Reported | Ask | Put):
            check_names(message.by if isinstance(message, Ask) else message)
        if isinstance(message, Put) and len(message.data) > PIECE_BYTES:
            raise ValueError(f"a piece of {len(message.data)} bytes, {PIECE_BYTES} are allowed")
        match message:
            case Heartbeat(seq, log_bytes, draining):
                link.heartbeat, link.log_bytes = seq, max(0, log_bytes)
                link.draining |= draining
                self.beating[link.session] = link
            case Started() | Named():
                self.starts.append(envelope(link, message, body))
            case Ended():
                link.reported = max(link.reported, message.seq)
                self.release(link, [message.key])
                link.ended.add(message.key)
                self.envelopes.append(envelope(link, message, body))
                self.triggers |= message.deferral is not None
            case Found():
                link.reported = max(link.reported, message.seq)
                if message.key in link.watched:  # nobody ends a wait that another one looks after
                    link.found.add(message.key)
                    self.envelopes.append(envelope(link, message, body))
            case _:
                self.arrivals.append((link, message))

    def hold(self, link: Link, keys: set[AttemptKey]) -> None:
        """Note that an agent holds attempts."""
        self.held += len(keys - link.held)
        link.held |= keys

    def release(self, link: Link, keys: Collection[AttemptKey]) -> None:
        """Note that an agent does not hold attempts, or no longer."""
        self.held -= len(link.held.intersection(keys))
        link.held.difference_update(keys)

    def has_orphans(self) -> bool:
        """Return whether waits of an agent that left may be to be handed out soon."""
        return clock.monotonic() < self.orphans_until

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
        link.draining = hello.draining
        link.reader.bytes_max = FRAME_BYTES_MAX
        link.held, link.watched = set(hello.held), set(hello.watched)
        self.held += len(link.held)
        self.guests.pop(link, None)
        self.links[hello.session] = link
        self.send(link, Welcome(LEASE_S, FENCE_S))

    # -- for the scheduler

    def due(self) -> Iterator[tuple[Link, Any]]:
        """Yield what is to be answered in this turn: of each connection a few, and none of who does not read.

        The rest is due in the next turn, in its order.
        """
        arrivals, self.arrivals = self.arrivals, []
        served: Counter[Link] = Counter()
        late: dict[Link, list[Any]] = {}
        for link, message in arrivals:
            if link.sock.fileno() < 0:
                continue
            if link in late or served[link] == SERVED_MAX or len(link.unsent) > UNSENT_MAX:
                late.setdefault(link, []).append(message)
            else:
                served[link] += 1
                yield link, message
        self.arrivals[:0] = [(link, each) for link, of_link in late.items() for each in of_link]
        for link in served.keys() | late.keys():
            link.late = link in late
            self.watch(link)

    def places(self) -> dict[int, list[Session]]:
        """Return the free capacity of the connected agents by team. The pod of an attempt takes no other one."""
        found: dict[int, list[Session]] = {}
        for session, link in self.links.items():
            assert link.hello is not None
            if link.hello.attempt is not None:
                continue
            free = 0 if link.draining else link.hello.slots - len(link.held)
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
            link.watched -= link.found
            link.found.clear()
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
        self.hold(link, {grant.key for grant in grants})
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

    def next_to_look_at(self) -> list[Link]:
        """Return the connections to compare with the database now: all, or in turn where they are very many."""
        self.turn = self.turn or list(self.links)
        due, self.turn = self.turn[:LOOKED_AT_MAX], self.turn[LOOKED_AT_MAX:]
        return [self.links[session] for session in due if session in self.links]

    def heartbeats(self) -> dict[str, Link]:
        return dict(self.beating)

    def answer_heartbeat(self, link: Link, log_bytes: int | None) -> None:
        link.logs.limit = None if log_bytes is None else LOG_MINUTES * log_bytes
        assert link.heartbeat is not None
        seq, link.heartbeat = link.heartbeat, None
        self.beating.pop(link.session, None)
        self.send(link, HeartbeatAck(seq, log_bytes))

    def close(self) -> None:
        for link in [*self.links.values(), *self.strangers, *self.guests]:
            self.drop(link)
        self.stop_listening()
        for listener in self.listeners:
            listener.close()
        if self.address.startswith("unix:"):
            Path(self.address.removeprefix("unix:")).unlink(missing_ok=True)


def envelope(link: Link, message: Reported, body: bytes) -> Envelope:
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
