"""Logs through the real server: long, broken, hostile, growing."""

import http.client
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from urllib.parse import quote, urlsplit

import pytest

from headway import clock
from headway.api.logs import search
from headway.client import Client
from headway.config import Layout
from headway.errors import NotFound, UsageError
from headway.paths import log_path
from headway.store.transact import Session
from tests.api import seed
from tests.api.attacks import Watch
from tests.api.conftest import TOKEN

Write = Callable[..., Path]


@pytest.fixture
def write(conn: Session, layout: Layout) -> Write:
    """The log of an attempt that has ended."""
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")

    def write(text: bytes, task_id: str = "t0", index: int = -1) -> Path:
        seed.instance(conn, "r1", task_id, "failed", index)
        seed.attempt(conn, "r1", task_id, index)
        path = layout.data / log_path("r1", task_id, index, 1)
        path.parent.mkdir(parents=True)
        path.write_bytes(text)
        return path

    return write


def numbered(count: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(1, count + 1))


def test_pieces_follow_each_other(client: Client, write: Write) -> None:
    text = numbered(200_000)
    write(text)
    found, offset, complete = b"", 0, False
    while not complete:
        piece, offset, complete = client.log("r1", "t0", offset=offset)
        found += piece
    assert found == text
    assert client.log("r1", "t0", offset=10**12) == (b"", 10**12, True)


def test_the_end_begins_with_a_line(client: Client, write: Write) -> None:
    write(numbered(1000))
    assert client.log_tail("r1", "t0", 30) == (b"line 998\nline 999\nline 1000\n", 8893, True)
    assert client.log_tail("r1", "t0", 10**9)[0] == numbered(1000)


@pytest.mark.parametrize("count", [0, 1, 999, 40_000])
@pytest.mark.parametrize("unfinished", [b"", b"and on"])
def test_any_line_is_found_by_its_number(
    client: Client, write: Write, count: int, unfinished: bytes
) -> None:
    write(numbered(count) + unfinished)
    everything = [f"line {n}" for n in range(1, count + 1)] + [unfinished.decode()] * bool(
        unfinished
    )
    total = len(everything)
    for first in {1, 2, count // 2, count - 1, count, count + 1} - {0, -1}:
        found = client.log_lines("r1", "t0", first, 3)
        assert found.lines == everything[first - 1 : first + 2]
        assert (found.total_lines, found.complete) == (total, True)
    last = client.log_lines("r1", "t0", -2, 2)
    assert last.first == max(1, total - 1)
    assert len(last.lines) == min(2, total)


def test_a_growing_log_keeps_its_numbers(client: Client, write: Write) -> None:
    path = write(numbered(50_000))
    assert client.log_lines("r1", "t0", 49_999, 9).lines == ["line 49999", "line 50000"]
    with path.open("ab") as log:
        log.write(b"unfinished")
    assert client.log_lines("r1", "t0", 50_000, 9).lines == ["line 50000", "unfinished"]
    with path.open("ab") as log:
        log.write(b" no more\n" + numbered(60_000))
    found = client.log_lines("r1", "t0", 50_001, 2)
    assert (found.lines, found.total_lines) == (["unfinished no more", "line 1"], 110_001)
    path.unlink()
    path.write_bytes(b"another\n")
    assert client.log_lines("r1", "t0", 1, 9).lines == ["another"]


def test_what_is_broken_or_hostile_is_only_text(client: Client, write: Write) -> None:
    text = b"\xff\xfe bad\n\x1b[31mred\x1b[0m\n\x1b]8;;javascript:alert(1)\x07x\n<script>\n\r\n\n"
    write(text + b"y" * 40_000 + b"\nafter\n")
    lines = client.log_lines("r1", "t0", 1, 100).lines
    assert lines[0] == "\ufffd\ufffd bad"
    assert lines[1:6] == [
        "\x1b[31mred\x1b[0m",
        "\x1b]8;;javascript:alert(1)\x07x",
        "<script>",
        "\r",
        "",
    ]
    assert lines[6].startswith("y" * 16384)
    assert lines[6].endswith("… 23,552 more bytes")
    assert lines[7] == "after"
    _, headers = client.ask("GET", "/runs/r1/task-instances/t0/logs", None, {})
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_download_is_a_file_of_plain_text(client: Client, write: Write) -> None:
    write(numbered(100_000))
    content, headers = client.ask("GET", "/runs/r1/task-instances/t0/logs/download", None, {})
    assert content == numbered(100_000)
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Disposition"] == 'attachment; filename="r1-t0-1.log"'
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_text_is_found_with_its_place(client: Client, write: Write) -> None:
    write(numbered(60_000) + "Größe: ÜBER alles\n".encode())
    found = client.search_log("r1", "t0", "LINE 59999")
    assert [(each.line, each.start, each.end) for each in found.matches] == [(59_999, 0, 10)]
    assert found.next_from is None
    assert client.search_log("r1", "t0", "LINE 5", ignore_case=False).matches == []
    (umlaut,) = client.search_log("r1", "t0", "größe: über").matches
    assert (umlaut.line, umlaut.text[umlaut.start : umlaut.end]) == (60_001, "Größe: ÜBER")
    found = client.search_log("r1", "t0", "line", first=59_998, limit=2)
    assert [each.line for each in found.matches] == [59_998, 59_999]
    assert found.next_from == 60_000
    assert len(client.search_log("r1", "t0", "line", first=60_000).matches) == 1
    assert client.search_log("r1", "t0", "line.*9{4}$").matches == []
    assert len(client.search_log("r1", "t0", "line.*9{4}$", regex=True).matches) == 6


def test_a_text_across_the_border_of_two_blocks_is_found(client: Client, write: Write) -> None:
    block = 256 * 1024
    for shift in (-20, -4, -1, 0):
        filler = b"x" * 99 + b"\n"
        text = filler * (block // 100 + 1)
        text = text[: block + shift] + b"needle" + text[block + shift :]
        write(text, f"t{-shift}")
        (match,) = client.search_log("r1", f"t{-shift}", "needle").matches
        assert match.text[match.start : match.end] == "needle"
        assert match.line == text[: block + shift].count(b"\n") + 1


def test_a_search_that_takes_long_is_gone_on_with(
    client: Client, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BUDGET_S", 0.0)
    write(numbered(3000) + b"needle\n")
    first: int | None = 1
    asked, lines = 0, []
    while first is not None:
        found = client.search_log("r1", "t0", "needle ä"[:6], first=first)
        lines += [match.line for match in found.matches]
        asked, first = asked + 1, found.next_from
    assert lines == [3001]


def test_an_expression_that_never_ends_is_ended(client: Client, write: Write) -> None:
    write(b"a" * 40 + b"!\n")
    with pytest.raises(UsageError, match="takes too long"):
        client.search_log("r1", "t0", r"(a+)+$", regex=True)
    with pytest.raises(UsageError, match="not a valid regular expression"):
        client.search_log("r1", "t0", "(", regex=True)


def test_a_run_is_searched_log_by_log(client: Client, write: Write) -> None:
    for index in range(5):
        write(numbered(10) + b"trouble\n" * (index % 2 + 1), "t1", index)
    write(b"no trouble\n", "t2")
    found = list(client.search_run("r1", "trouble", limit=2))
    assert [(each.task_id, each.map_index, each.line) for each in found] == [
        *(("t1", 0, 11), ("t1", 1, 11), ("t1", 1, 12), ("t1", 2, 11)),
        *(("t1", 3, 11), ("t1", 3, 12), ("t1", 4, 11), ("t2", -1, 1)),
    ]


@pytest.fixture
def giant(write: Write) -> Iterator[Path]:
    """100 MB in ten million lines."""
    path = write(b"")
    block = b"".join(b"%09d\n" % number for number in range(100_000))
    with path.open("wb") as log:
        for _ in range(100):
            log.write(block)
        log.write(b"the needle\n")
    yield path
    path.unlink()


@pytest.mark.usefixtures("giant")
def test_ten_million_lines_hold_up_nobody(client: Client, url: str) -> None:
    """The event loop answers others meanwhile, and memory stays where it was."""
    waits: list[float] = []
    over = threading.Event()

    def ask() -> None:
        other = Client(url, TOKEN)
        while not over.is_set():
            began = clock.monotonic()
            other.ask("GET", "/runs", None, {"limit": 1})
            waits.append(clock.monotonic() - began)
        other.close()

    asking = threading.Thread(target=ask)
    asking.start()
    before = resident_bytes()
    try:
        found = client.log_lines("r1", "t0", -1, 1)
        assert (found.lines, found.total_lines) == (["the needle"], 10_000_001)
        assert client.log_lines("r1", "t0", 5_000_001, 1).lines == ["000000000"]
        matches, searches = [], []
        first: int | None = 1
        while first is not None:
            began = clock.monotonic()
            page = client.search_log("r1", "t0", "needle", first=first)
            searches.append(clock.monotonic() - began)
            matches += page.matches
            first = page.next_from
        assert [match.line for match in matches] == [10_000_001]
    finally:
        over.set()
        asking.join()
    # In the event loop a search would hold up every other request until its end.
    assert median(waits) < median(searches) / 2, (waits, searches)
    assert resident_bytes() - before < 80 * 1024 * 1024


def test_a_single_line_of_a_hundred_megabytes(client: Client, write: Write) -> None:
    path = write(b"")
    with path.open("wb") as log:
        for _ in range(100):
            log.write(b"z" * 1_000_000)
    found = client.log_lines("r1", "t0", 1, 10)
    assert found.total_lines == 1
    assert found.lines[0].endswith("more bytes")
    assert client.search_log("r1", "t0", "needle").next_from is None
    path.unlink()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("task_id", "entries"),
    [
        *[(name, 1) for name in (".", "..", "server", "\udcff")],
        # No route, and no text: refused before anything is asked for.
        *[(name, 0) for name in ("../../../etc/passwd", "..%2f..%2fx", "%00", "t0%00")],
    ],
)
def test_no_name_leads_out_of_the_logs(
    url: str, write: Write, watch: Watch, task_id: str, entries: int
) -> None:
    write(b"mine\n")
    raw = quote(task_id, safe="%./", errors="surrogatepass")
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for ending in ("logs", "logs/lines", "logs/download", "logs/search?q=x"):
        with watch.attack(entries):
            path = f"/api/v1/runs/r1/task-instances/{raw}/{ending}"
            connection.request("GET", path, None, headers)
            response = connection.getresponse()
            body = response.read()
        assert response.status in (400, 404), body
        assert b"root:" not in body
    connection.close()


def test_a_link_in_place_of_a_log_is_not_followed(
    client: Client, write: Write, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    path = write(b"mine\n")
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(NotFound, match="replaced"):
        client.log("r1", "t0")


@pytest.mark.parametrize("task_id", ["größe", "a.b", "_x"])
def test_a_log_is_where_the_agent_writes_it(client: Client, write: Write, task_id: str) -> None:
    write(b"here\n", task_id)
    assert client.log("r1", task_id)[0] == b"here\n"


@pytest.mark.parametrize(
    "query", [{"from": 0}, {"count": 0}, {"count": 10**6}, {"attempt": 7}, {"map_index": 10**12}]
)
def test_a_strange_question_is_refused(
    client: Client, write: Write, query: dict[str, object]
) -> None:
    write(b"x\n")
    with pytest.raises(UsageError):
        client.ask("GET", "/runs/r1/task-instances/t0/logs/lines", None, query)
