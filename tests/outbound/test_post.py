"""One request to a URL that a team chose: its address is checked, no redirect followed, time and size are limited."""

import asyncio
from typing import Any

import pytest

from headway.core.outbound import networks
from headway.outbound import post as module
from headway.outbound.post import ANSWER_CHARS_MAX, READ_BYTES_MAX, Answer, post
from tests.outbound.receiver import FAILED, OK, Receiver, nobody
from tests.outbound.world import LOCAL


class Counting:
    """A stream that counts what is read from it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self.count = 0

    async def read(self, most: int) -> bytes:
        data = await self.reader.read(most)
        self.count += len(data)
        return data


def sent(url: str, allowed: Any = LOCAL) -> Answer:
    return asyncio.run(post(url, {"x-headway-event": "ping"}, b'{"id": "1"}', allowed))


def test_a_request_arrives_as_it_was_sent(receiver: Receiver) -> None:
    answer = sent(receiver.url)
    assert (answer.code, answer.trouble, answer.text) == (200, None, "ok")
    request = receiver.next()
    assert (request.path, request.body) == ("/events?from=headway", b'{"id": "1"}')
    assert request.headers["x-headway-event"] == "ping"
    assert request.headers["host"] == receiver.url.split("/")[2]


@pytest.mark.parametrize(
    ("raw", "code", "trouble"),
    [
        (FAILED, 500, "it answered 500"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, None),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK, 200, None),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            302,
            "it answered 302, and redirects are not followed: give the URL to which it leads",
        ),
        (b"220 mail ready\r\n", None, "what it answered is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, None, "what it answered is not HTTP"),
        (b"", None, "what it answered is not HTTP"),
    ],
)
def test_what_counts_as_delivered_is_2xx(
    receiver: Receiver, raw: bytes, code: int | None, trouble: str | None
) -> None:
    receiver.answers = [raw]
    answer = sent(receiver.url)
    assert (answer.code, answer.trouble) == (code, trouble)
    assert len([receiver.next(), *receiver.all()]) == 1


def test_of_a_huge_answer_the_beginning_is_read(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = []

    async def connect(*where: Any, **options: Any) -> Any:
        reader, writer = await asyncio.open_connection(*where, **options)
        readers.append(Counting(reader))
        return readers[0], writer

    monkeypatch.setattr(module, "open_connection", connect)
    size = 50_000_000
    text = "\0<é>".encode() * (size // 5)
    receiver.answers = [f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + text]
    answer = sent(receiver.url)
    assert (answer.code, answer.trouble) == (200, None)
    assert answer.text is not None
    assert len(answer.text) <= ANSWER_CHARS_MAX
    assert "\0" not in answer.text
    assert readers[0].count < 2 * READ_BYTES_MAX


def test_headers_without_an_end_are_not_read_for_ever(receiver: Receiver) -> None:
    receiver.answers = [b"HTTP/1.1 103 Early\r\n\r\n" * 100_000]
    assert sent(receiver.url).trouble == "what it answered is not HTTP"


def test_who_does_not_answer_is_given_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIME_OUT_S", 0.2)
    receiver.answers = [None]
    answer = sent(receiver.url)
    assert (answer.code, answer.trouble) == (None, "it did not answer within 0.2 s")


def test_nobody_listens() -> None:
    with nobody() as url:
        assert str(sent(url).trouble).startswith("the connection failed: ")
    assert sent("http://nowhere.invalid/").trouble == "there is no host nowhere.invalid"
    assert "the connection failed" in str(sent("http://127.0.0.1:70000/").trouble)


def test_what_is_not_public_is_not_connected_to(receiver: Receiver) -> None:
    port = receiver.url.split(":")[2]
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"):
        answer = sent(f"http://{host}:{port}", networks("10.0.0.0/8"))
        assert "no public address" in str(answer.trouble), host
    assert "127" not in str(
        sent(f"http://localhost:{port}", []).trouble
    )  # what a name means inside
    assert receiver.all() == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is looked at first, and ours afterwards, leads nowhere."""
    asked = []

    async def resolved(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34" if len(asked) == 1 else "127.0.0.1"]

    connected = []

    async def connect(host: str, port: int, **options: Any) -> Any:
        connected.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(module, "resolved", resolved)
    monkeypatch.setattr(module, "open_connection", connect)
    sent(f"http://rebound.example.com:{receiver.url.split(':')[2]}", [])
    assert (asked, connected) == (["rebound.example.com"], ["93.184.216.34"])


def test_of_several_addresses_those_that_are_public_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def resolved(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "93.184.216.34", "127.0.0.1", "93.184.216.35"]

    connected = []

    async def connect(host: str, port: int, **options: Any) -> Any:
        connected.append((host, options["server_hostname"]))
        raise ConnectionRefusedError

    monkeypatch.setattr(module, "resolved", resolved)
    monkeypatch.setattr(module, "open_connection", connect)
    sent("https://example.com", [])
    assert connected == [("93.184.216.34", "example.com"), ("93.184.216.35", "example.com")]


def test_a_certificate_is_checked(receiver: Receiver) -> None:
    """A server without TLS is no receiver of https."""
    answer = sent(receiver.url.replace("http://", "https://"))
    assert answer.code is None
    assert str(answer.trouble).startswith("the connection failed: ")
