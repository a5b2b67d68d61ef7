"""What floods a gateway, whose loop all teams share: by counts of what one connection costs it, never by a clock."""

import selectors
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import clock
from headway.agent.frames import frame
from headway.agent.protocol import (
    LEASE_S,
    PIECE_BYTES,
    AgentMessage,
    Fetch,
    Heartbeat,
    Hello,
    Piece,
    Values,
    Welcome,
    XComRef,
)
from headway.agent.tls import Certificate, Channel, trusting
from headway.engine.scheduler import Scheduler
from headway.executors.agents import gateway
from headway.executors.agents.doors import Outside
from headway.executors.agents.gateway import ENCODER, Gateway
from headway.executors.agents.link import HELLO_BYTES_MAX
from tests.certificates import Authority, authority
from tests.executors.test_credentials import greeted, scheduler, teams
from tests.executors.test_hostile_agents import connected, hello
from tests.ports import free_port
from tests.scenarios.test_gateway import Peer
from tests.simulation.process import gateway_of

__all__ = ["scheduler", "teams"]

DEADLINE_S = 60.0


def at_once(messages: list[AgentMessage]) -> bytes:
    return b"".join(frame(ENCODER.encode(message)) for message in messages)


def asks(count: int) -> list[AgentMessage]:
    return [Fetch(number, "r", [XComRef("t")]) for number in range(count)]


def answered(agent: Peer) -> list[int]:
    return [values.request for values in agent.of(Values)]


def test_after_a_wrong_beginning_nothing_is_heard(
    scheduler: Scheduler, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = connected(scheduler, tmp_path)
    stranger.sock.sendall(at_once([Heartbeat(number) for number in range(1_000)]))
    scheduler.wait(1.0)
    assert caplog.text.count("did not start with Hello") == 1


@pytest.mark.usefixtures("teams")
def test_many_requests_of_one_agent_take_turns_with_those_of_others(
    scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "SERVED_MAX", 3)
    flood = greeted(scheduler, tmp_path, "a", "sa")
    other = greeted(scheduler, tmp_path, "b", "sb")
    flood.sock.sendall(at_once(asks(10)))
    scheduler.wait(1.0)
    scheduler.serve()
    assert answered(flood) == [0, 1, 2]
    flood.sock.sendall(at_once(asks(1)))
    other.sock.sendall(at_once(asks(1)))
    scheduler.wait(1.0)
    assert len(gateway_of(scheduler).arrivals) == 8  # no more of the flood is heard
    scheduler.serve()
    assert answered(other) == [0]
    deadline = clock.monotonic() + DEADLINE_S
    while len(answered(flood)) < 11 and clock.monotonic() < deadline:
        scheduler.wait(DEADLINE_S)  # what is late wakes the loop
        scheduler.serve()
    assert answered(flood) == [*range(10), 0]


@pytest.mark.usefixtures("teams")
def test_who_does_not_read_is_not_heard_until_it_reads(
    scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "UNSENT_MAX", 4 * PIECE_BYTES)
    agent = greeted(scheduler, tmp_path, "a", "sa")
    assert agent.of(Welcome)
    link = gateway_of(scheduler).links["sa"]
    agent.sock.sendall(at_once(asks(1)))
    scheduler.wait(1.0)
    while len(link.unsent) <= gateway.UNSENT_MAX:
        gateway_of(scheduler).send(link, Piece(1, b"x" * PIECE_BYTES))
    size = len(link.unsent)
    agent.sock.sendall(at_once(asks(100)))
    for _ in range(3):
        scheduler.wait(0.0)
        scheduler.serve()
    assert len(link.unsent) == size
    assert len(gateway_of(scheduler).arrivals) == 1  # what was heard before
    deadline = clock.monotonic() + DEADLINE_S
    while len(answered(agent)) < 101 and clock.monotonic() < deadline:
        scheduler.wait(0.1)
        scheduler.serve()
    assert len(answered(agent)) == 101


@pytest.mark.usefixtures("teams")
def test_who_reads_nothing_for_a_lease_is_left_without_being_sent_more(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    greeted(scheduler, tmp_path, "a", "sa")
    link = gateway_of(scheduler).links["sa"]
    while not link.unsent:
        gateway_of(scheduler).send(link, Piece(1, b"x" * PIECE_BYTES))
    link.read_at -= LEASE_S + 1
    scheduler.sweep()
    assert gateway_of(scheduler).links == {}


class Door:
    """A gateway with an address for other machines, and its loop."""

    def __init__(self, folder: Path, trusted: Authority) -> None:
        self.selector = selectors.DefaultSelector()
        self.port = free_port()
        self.path = f"{folder}/g.sock"
        files = trusted.sign("gateway", "127.0.0.1")
        outside = Outside(f"tls:127.0.0.1:{self.port}", Certificate(*files))
        self.gateway = Gateway(self.selector, f"unix:{self.path}", outside)
        self.context = trusting(trusted.ca.read_text())
        self.socks: list[socket.socket] = []

    def turn(self) -> None:
        for key, events in self.selector.select(0.05):
            key.data(events)

    def knock(self, host: str = "") -> socket.socket:
        """Connect from a host, or from this machine, and be accepted."""
        before = set(self.gateway.strangers)
        if host:
            sock = socket.create_connection(("127.0.0.1", self.port), DEADLINE_S, (host, 0))
        else:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.path)
        self.socks.append(sock)
        deadline = clock.monotonic() + DEADLINE_S
        while not set(self.gateway.strangers) - before:
            assert clock.monotonic() < deadline
            self.turn()
        return sock

    def shake(self, host: str = "127.0.0.1") -> tuple[socket.socket, Channel]:
        sock = self.knock(host)
        channel = Channel(self.context, server=False, hostname="127.0.0.1")
        sock.sendall(channel.to_send())
        while not channel.is_open:
            sock.settimeout(0.05)
            self.turn()
            try:
                channel.feed(sock.recv(1 << 16))
            except TimeoutError:
                continue
            sock.sendall(channel.to_send())
        return sock, channel

    def greet(self, session: str, host: str) -> None:
        """Connect, and say Hello."""
        sock, channel = self.shake(host)
        channel.write(at_once([hello(session)]))
        sock.sendall(channel.to_send())
        deadline = clock.monotonic() + DEADLINE_S
        while self.gateway.strangers:
            assert clock.monotonic() < deadline
            self.turn()

    def is_left(self, count: int) -> bool:
        """Return whether so many strangers are left, soon."""
        deadline = clock.monotonic() + DEADLINE_S
        while len(self.gateway.strangers) != count and clock.monotonic() < deadline:
            self.turn()
        return len(self.gateway.strangers) == count

    def close(self) -> None:
        for sock in self.socks:
            sock.close()
        self.gateway.close()
        self.selector.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    found = Door(tmp_path, authority(tmp_path))
    yield found
    found.close()


def test_a_crowd_of_one_machine_keeps_only_itself_out(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "STRANGERS_MAX", 4)
    door.knock()
    door.knock("127.0.0.2")
    for _ in range(10):
        door.knock("127.0.0.1")
    hosts = sorted(link.host for link in door.gateway.strangers)
    assert hosts == ["", "127.0.0.1", "127.0.0.1", "127.0.0.2"]


def test_who_said_hello_waits_for_the_answer_however_many_come(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand pods that start at once are asked about one after the other: those that wait are no strangers."""
    monkeypatch.setattr(gateway, "STRANGERS_MAX", 2)
    monkeypatch.setattr(gateway, "HELLO_S", 0.0)
    for number in range(6):
        door.greet(f"s{number}", "127.0.0.1")
    door.gateway.sweep()
    waiting = [message.session for _, message in door.gateway.due() if isinstance(message, Hello)]
    assert waiting == [f"s{number}" for number in range(6)]
    assert len(door.gateway.guests) == 6


def test_where_too_many_wait_the_last_of_a_crowd_comes_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So those that wait get in, one after the other, and a crowd of one machine keeps nobody else out."""
    monkeypatch.setattr(gateway, "GUESTS_MAX", 3)
    for number in range(5):
        door.greet(f"crowd{number}", "127.0.0.1")
    door.greet("other", "127.0.0.2")
    waiting = [message.session for _, message in door.gateway.due() if isinstance(message, Hello)]
    assert waiting == ["crowd0", "crowd1", "other"]


def test_what_no_agent_says_ends_its_connection_and_no_other(door: Door) -> None:
    silent, other = door.knock("127.0.0.1"), door.knock("127.0.0.1")
    half = Channel(door.context, server=False, hostname="127.0.0.1").to_send()
    silent.sendall(half[: len(half) // 2])
    other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert door.is_left(1)
    large, channel = door.shake()
    channel.write(frame(b"\xc1" * 1_000_000))
    large.sendall(channel.to_send())
    assert door.is_left(1)
    longer, channel = door.shake()
    channel.write((HELLO_BYTES_MAX + 1).to_bytes(4, "big"))
    longer.sendall(channel.to_send())
    assert door.is_left(1)
    right, channel = door.shake()
    channel.write(at_once([hello("s1")]))
    right.sendall(channel.to_send())
    deadline = clock.monotonic() + DEADLINE_S
    while not door.gateway.arrivals and clock.monotonic() < deadline:
        door.turn()
    assert len(door.gateway.arrivals) == 1


def test_a_goodbye_ends_a_connection(door: Door) -> None:
    sock, channel = door.shake()
    with pytest.raises(ssl.SSLWantReadError):
        channel.tls.unwrap()
    sock.sendall(channel.to_send())
    assert door.is_left(0)
