"""Connections are bounded, and those that only wait for their client keep nobody out."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from headway import clock
from headway.api import room as rooms
from headway.api.patience import PatientProtocol
from headway.api.room import Room
from headway.up.address import url_of
from tests.api import people
from tests.api.browser import API
from tests.api.conftest import TOKEN, served
from tests.api.stream import listening

PATIENCE_S = 60.0
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@dataclass(eq=False)
class Guest:
    address: str = "10.0.0.1"
    is_dismissed: bool = False

    def dismiss(self) -> None:
        self.is_dismissed = True


def test_who_has_waited_longest_makes_room() -> None:
    room, guests = Room(4), [Guest(f"10.0.0.{n}") for n in range(6)]
    assert [room.enter(each) for each in guests[:4]] == [True] * 4
    room.answers(guests[0])
    room.waits(guests[1])  # it did so already: its place in the line is the same
    assert room.enter(guests[4])
    assert room.enter(guests[5])
    assert [each.is_dismissed for each in guests] == [False, True, True, False, False, False]


def test_whoever_is_being_answered_stays() -> None:
    room, guests = Room(2), [Guest("10.0.0.1"), Guest("10.0.0.2"), Guest("10.0.0.3")]
    for each in guests[:2]:
        assert room.enter(each)
        room.answers(each)
    assert not room.enter(guests[2])
    room.leave(guests[2])
    room.waits(guests[2])  # what was never let in is not counted
    room.waits(guests[0])
    assert room.enter(guests[2])
    assert guests[0].is_dismissed
    assert len(room.guests) == 2
    assert set(room.by_crowd) == {"10.0.0.2", "10.0.0.3"}


def test_one_address_does_not_take_all() -> None:
    room = Room(8, proxies={"10.0.0.9"})
    greedy = [Guest() for _ in range(7)]
    assert [room.enter(each) for each in greedy] == [True] * 7
    assert [each.is_dismissed for each in greedy] == [True, *[False] * 6]
    for each in greedy[1:]:
        room.answers(each)
    assert not room.enter(Guest())
    # Behind a proxy are many people: only the whole is bounded.
    behind = [Guest("10.0.0.9") for _ in range(3)]
    assert [room.enter(each) for each in behind] == [True] * 3
    assert behind[0].is_dismissed


def test_a_network_of_one_subscriber_is_one_address() -> None:
    room = Room(8, proxies={"2001:db8::9"})
    greedy = [Guest(f"2001:db8::{number:x}") for number in range(1, 9)]
    assert [room.enter(each) for each in greedy[:7]] == [True] * 7
    assert [each.is_dismissed for each in greedy] == [True, *[False] * 7]
    for each in greedy[1:7]:
        room.answers(each)
    assert not room.enter(greedy[7])
    assert room.enter(Guest("2001:db8:0:1::1")), "of another network"
    assert room.enter(Guest("2001:db8::9")), "a proxy in it is not one of them"
    for each in greedy:
        room.leave(each)
    assert set(room.by_crowd) == {"2001:db8:0:1::/64", "2001:db8::9"}


@pytest.fixture
def small(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, ExitStack]]:
    """A server with room for six connections of one address, and what the test opens to it."""
    monkeypatch.setattr(rooms, "CONNECTIONS_MAX", 8)
    with served(database, tmp_path / "data") as server, ExitStack() as opened:
        yield url_of(server.listener, "127.0.0.1"), opened


def connect(url: str, opened: ExitStack, sent: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=PATIENCE_S)
    opened.callback(line.close)
    line.sendall(sent)
    return line


def is_gone(line: socket.socket) -> bool:
    try:
        return line.recv(100) == b""
    except ConnectionResetError:
        return True


def test_half_open_connections_keep_nobody_out(small: tuple[str, ExitStack]) -> None:
    url, opened = small
    halves = [connect(url, opened, HALF) for _ in range(20)]
    assert people.local(url).ask("GET", f"{API}/session").status == 200
    assert is_gone(halves[0])  # the first had to go, long before their time
    kept = connect(url, opened, HALF + b"\r\n")
    assert kept.recv(100).startswith(b"HTTP/1.1 200")
    for _ in range(10):
        connect(url, opened, b"")
    assert people.local(url).ask("GET", f"{API}/session").status == 200


def test_half_a_body_keeps_nobody_out(small: tuple[str, ExitStack]) -> None:
    url, opened = small
    head = f"POST {API}/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    for _ in range(10):
        connect(url, opened, f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    assert people.local(url).ask("GET", f"{API}/session").status == 200


def test_when_all_are_being_answered_the_next_is_told_so(
    small: tuple[str, ExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "OF_STREAMS", 1.0)
    url, opened = small
    streams = [opened.enter_context(listening(url)) for _ in range(6)]
    for each in streams:
        each.next("ready")
    answer = connect(url, opened, b"").recv(4096)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"\r\nRetry-After: " in answer
    assert b'"code":"too_many_connections"' in answer


def is_taken(line: socket.socket, data: bytes) -> bool:
    """Whether the other end is there; what it takes."""
    try:
        line.sendall(data)
    except TimeoutError:
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def test_who_reads_nothing_of_an_answer_is_let_go(
    small: tuple[str, ExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers fill the buffers of both sides, and then it holds a connection for ever."""
    monkeypatch.setattr(PatientProtocol, "reader_s", 0.2)
    url, opened = small
    line = connect(url, opened, b"")
    line.settimeout(0.05)
    request = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n"
    request += f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
    deadline = clock.monotonic() + PATIENCE_S
    while is_taken(line, request):
        assert clock.monotonic() < deadline
    assert people.local(url).ask("GET", f"{API}/session").status == 200
