"""Watchers in an agent: what they tell, when they go on, and who goes on when their process dies."""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from headway import WatcherEvent
from headway.agent.telling import event_of
from headway.agent.watchers import Fired, Release, Sighted, Taken, WatcherKey
from headway.authoring.values import NotSerialisable
from headway.authoring.watching import found_files
from tests.agent.gateway import Gateway
from tests.cli.conftest import wait_until

OURS = "headway.authoring.watching:"


def extras(fired: Fired) -> list[dict[str, Any]]:
    return [json.loads(event.extra) for event in fired.events]


def take(gateway: Gateway, key: WatcherKey, batch: int) -> Fired:
    """Hear of a batch, and say that it is stored."""
    fired = gateway.fired(key, batch)
    gateway.send(Taken(key, batch))
    return fired


def add(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def stored(path: Path) -> list[str]:
    mark = Path(f"{path}.stored")
    return mark.read_text().split() if mark.exists() else []


def test_a_watcher_goes_on_when_what_it_told_is_stored(shared: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    add(path, "a", "b")
    key = shared.stand("lines", kwargs={"path": str(path)})
    first = shared.fired(key, 1)
    assert (extras(first)[0]["line"], first.events[0].key, first.cursor) == ("a", "a", b"1")
    assert stored(path) == []
    shared.send(Taken(key, 1, again_s=0.01))  # not now: it is told again
    shared.said.remove(first)
    assert take(shared, key, 1) == first
    assert extras(take(shared, key, 2))[0]["line"] == "b"
    wait_until(lambda: stored(path) == ["a", "b"], "the watcher did not go on")
    shared.send(Release([key]))


def test_it_begins_at_its_cursor(shared: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    add(path, "a", "b", "c")
    key = shared.stand("lines", kwargs={"path": str(path)}, cursor=2, life=7)
    assert extras(take(shared, key, 1))[0]["line"] == "c"
    shared.send(Release([key]))


def test_what_ends_or_raises_is_told_and_others_go_on(shared: Gateway, tmp_path: Path) -> None:
    good, bad, over = (tmp_path / name for name in ("good", "bad", "over"))
    add(bad, "raise")
    add(over, "end")
    key = shared.stand("lines", kwargs={"path": str(good)})
    failed = shared.stand("lines", kwargs={"path": str(bad)})
    ended = shared.stand("lines", kwargs={"path": str(over)})
    assert shared.stopped(failed).error == "ValueError: a bad line"
    assert shared.stopped(ended).error == ""
    assert "yields no events" in shared.stopped(shared.stand("yields_nothing")).error
    assert "has no trigger 'nobody'" in shared.stopped(shared.stand("nobody")).error
    add(good, "a")
    assert extras(take(shared, key, 1))[0]["line"] == "a"
    shared.send(Release([key]))


def test_what_was_told_and_not_taken_is_told_again_on_a_new_connection(
    own: Gateway, tmp_path: Path
) -> None:
    path = tmp_path / "lines"
    add(path, "a", "b")
    key = own.stand("lines", kwargs={"path": str(path)})
    first = own.fired(key, 1)
    own.said.clear()
    own.hang_up()
    assert own.accept().watchers == [key]
    assert take(own, key, 1) == first
    assert extras(take(own, key, 2))[0]["line"] == "b"


def test_when_its_process_dies_the_next_one_goes_on_behind_what_was_told(
    own: Gateway, tmp_path: Path
) -> None:
    """The batch that was not taken is still to be stored, so the next process does not tell it again."""
    path = tmp_path / "lines"
    add(path, "a", "b", "c")
    key = own.stand("lines", kwargs={"path": str(path)})
    take(own, key, 1)
    second = own.fired(key, 2)
    os.kill(extras(second)[0]["pid"], signal.SIGKILL)
    wait_until(lambda: gone(extras(second)[0]["pid"]), "it still runs")
    own.send(Taken(key, 2))
    third = take(own, key, 3)
    assert extras(third)[0]["line"] == "c"
    assert extras(third)[0]["pid"] != extras(second)[0]["pid"]
    assert [one.batch for one in own.said if isinstance(one, Fired)] == [1, 2, 3]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_that_blocks_gets_a_process_of_its_own(own: Gateway, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad", tmp_path / "good"
    own.stand("lines", kwargs={"path": str(bad)})
    key = own.stand("lines", kwargs={"path": str(good)})
    add(good, "a")
    take(own, key, 1)
    add(bad, "block")
    add(good, "b")
    assert extras(take(own, key, 2))[0]["line"] == "b"


# -- those of Headway


def files(gateway: Gateway, folder: Path, **options: Any) -> WatcherKey:
    kwargs = {"path": f"{folder}/*.csv", "every_s": 0.02, "existing": False, "partition": None}
    return gateway.stand(f"{OURS}files", kwargs={**kwargs, **options})


def test_each_new_file_is_one_event(shared: Gateway, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("1")
    key = files(shared, tmp_path, partition=r"orders-(.*)\.csv")
    assert take(shared, key, 1).events == [], "what is there at first is the beginning"
    (tmp_path / "other.txt").write_text("1")
    (tmp_path / "orders-2026.csv").write_text("12")
    fired = take(shared, key, 2)
    (extra,) = extras(fired)
    assert (extra["path"], extra["size"]) == (f"{tmp_path}/orders-2026.csv", 2)
    assert fired.events[0].partition == "2026"
    (tmp_path / "old.csv").write_text("changed")
    assert [extra["size"] for extra in extras(take(shared, key, 3))] == [7]
    (tmp_path / "old.csv").unlink()
    (tmp_path / "new.csv").write_text("")
    fired = take(shared, key, 4)
    assert [extra["path"] for extra in extras(fired)] == [f"{tmp_path}/new.csv"]
    assert fired.cursor is not None
    assert len(json.loads(fired.cursor)) == 2
    shared.send(Release([key]))


def test_files_that_are_there_count_if_asked_for_in_batches(
    shared: Gateway, tmp_path: Path
) -> None:
    for number in range(150):
        (tmp_path / f"{number:03}.csv").write_text("")
    key = files(shared, tmp_path, existing=True)
    take(shared, key, 1)
    told = [extra["path"] for batch in (2, 3) for extra in extras(take(shared, key, batch))]
    assert sorted(told) == [f"{tmp_path}/{number:03}.csv" for number in range(150)]
    shared.send(Release([key]))


def test_files_that_came_while_nobody_looked_are_events(shared: Gateway, tmp_path: Path) -> None:
    key = files(shared, tmp_path)
    cursor = json.loads(take(shared, key, 1).cursor or b"")
    shared.send(Release([key]))
    (tmp_path / "a.csv").write_text("")
    facts = {"path": f"{tmp_path}/*.csv", "every_s": 0.02, "existing": False, "partition": None}
    again = shared.stand(f"{OURS}files", kwargs=facts, cursor=cursor, life=2)
    assert [extra["path"] for extra in extras(take(shared, again, 1))] == [f"{tmp_path}/a.csv"]
    shared.send(Release([again]))


def test_a_name_that_is_no_partition_stops_no_other_file(shared: Gateway, tmp_path: Path) -> None:
    key = files(shared, tmp_path, partition=r"mail-(.*)\.csv")
    take(shared, key, 1)
    for number, name in enumerate(("mail-.csv", "mail-a\nb.csv", "mail-7.csv")):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (number, number))
    told = [event for batch in batches(shared, key, 3) for event in batch.events]
    assert [event.partition for event in told] == [None, None, "7"]
    note = shared.wait(lambda: next((n for n in notes(shared, key) if "3 files" in n), None))
    assert note.endswith("mail-.csv' names no partition")
    shared.send(Release([key]))


def batches(gateway: Gateway, key: WatcherKey, events: int) -> Iterator[Fired]:
    """Take batches, from the second one, until they have so many events."""
    number = 2
    while events > 0:
        fired = take(gateway, key, number)
        yield fired
        number, events = number + 1, events - len(fired.events)


def notes(gateway: Gateway, key: WatcherKey) -> list[str]:
    sighted = [said for said in gateway.said if isinstance(said, Sighted)]
    return [look.note for said in sighted for look in said.looks if look.key == key]


def test_links_that_lead_to_themselves_stop_nothing(shared: Gateway, tmp_path: Path) -> None:
    """Two links to a folder above would make 2 to the power of 40 paths of each file."""
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "in").mkdir()
    for name in ("up", "again"):
        (tmp_path / "in" / name).symlink_to(tmp_path)
    key = files(shared, tmp_path, path=f"{tmp_path}/**/*.csv")
    take(shared, key, 1)
    for name in ("in/a.csv", "b.csv", ".hidden.csv"):
        (tmp_path / name).write_text("")
    told = [extra["path"] for batch in batches(shared, key, 2) for extra in extras(batch)]
    assert sorted(told) == [f"{tmp_path}/b.csv", f"{tmp_path}/in/a.csv"]
    shared.send(Release([key]))


def test_two_stars_at_the_end_are_all_files_below(tmp_path: Path) -> None:
    (tmp_path / "in" / ".git").mkdir(parents=True)
    for name in ("a", "in/b", "in/.git/c"):
        (tmp_path / name).write_text("")
    there = sorted(file.path for file in found_files(f"{tmp_path}/**"))
    assert there == [f"{tmp_path}/a", f"{tmp_path}/in/b"]
    assert found_files(f"{tmp_path}/**/a**") == found_files(f"{tmp_path}/a")
    assert [file.path for file in found_files(f"{tmp_path}/in/.git/**")] == [
        f"{tmp_path}/in/.git/c"
    ]


class Site:
    """A page that has a version, or none."""

    def __init__(self) -> None:
        self.etag: str | None = '"1"'
        self.status = 200
        self.body = b"hello"
        self.asked: list[str | None] = []


@pytest.fixture
def site() -> Iterator[tuple[Site, str]]:
    page = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("If-None-Match")
            page.asked.append(known)
            same = page.etag is not None and known == page.etag
            self.send_response(304 if same else page.status)
            if page.etag is not None:
                self.send_header("ETag", page.etag)
            self.end_headers()
            if not same:
                self.wfile.write(page.body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield page, f"http://127.0.0.1:{server.server_address[1]}/rates?key=secret"
        server.shutdown()
        thread.join()


def test_each_change_of_an_answer_is_one_event(shared: Gateway, site: tuple[Site, str]) -> None:
    page, url = site
    key = shared.stand(f"{OURS}answers", kwargs={"url": url, "every_s": 0.02})
    first = take(shared, key, 1)
    assert (first.events, first.cursor) == ([], b'"etag:\\"1\\""')
    asked = len(page.asked)
    wait_until(lambda: len(page.asked) > asked + 2, "nobody asks")
    assert '"1"' in page.asked
    page.etag = '"2"'
    (extra,) = extras(take(shared, key, 2))
    assert extra == {"url": url.partition("?")[0], "version": 'etag:"2"', "before": 'etag:"1"'}
    page.status, page.etag = 503, '"3"'
    asked = len(page.asked)
    wait_until(lambda: len(page.asked) > asked + 2, "nobody asks")
    page.status, page.etag = (
        200,
        None,
    )  # no trouble is a change; the body counts where there is no version
    (extra,) = extras(take(shared, key, 3))
    assert extra["version"].startswith("sha256:")
    page.body = b"other"
    assert extras(take(shared, key, 4))[0]["before"] == extra["version"]
    shared.send(Release([key]))


def test_a_function_that_looks_tells_what_is_true_and_new(shared: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "state"
    key = shared.stand("state", kwargs={"path": str(path)}, every_s=0.02)
    path.write_text("open")
    assert extras(take(shared, key, 1)) == [{"found": "open"}]
    path.unlink()
    assert take(shared, key, 2).events == []
    path.write_text("open")
    assert extras(take(shared, key, 3)) == [{"found": "open"}], "it was not true in between"
    look = shared.wait(
        lambda: next(
            (
                look
                for said in shared.said
                if isinstance(said, Sighted)
                for look in said.looks
                if look.key == key
            ),
            None,
        )
    )
    assert (look.looks >= 1, look.again_s) == (True, 0.02)
    shared.send(Release([key]))


@pytest.mark.parametrize("etag", ["x" * 20_000, "a\x01b", "\xe9"])
def test_an_etag_that_no_event_can_have_is_compared_all_the_same(
    shared: Gateway, site: tuple[Site, str], etag: str
) -> None:
    page, url = site
    key = shared.stand(f"{OURS}answers", kwargs={"url": url, "every_s": 0.02})
    take(shared, key, 1)
    page.etag = etag
    (extra,) = extras(take(shared, key, 2))
    assert extra["version"].startswith("sha256:")
    page.etag = '"3"'
    assert extras(take(shared, key, 3))[0]["before"] == extra["version"]
    assert etag not in page.asked
    shared.send(Release([key]))


def test_an_answer_that_is_no_http_is_one_that_does_not_count(shared: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        key = shared.stand(f"{OURS}answers", kwargs={"url": url, "every_s": 0.02})
        peer, _ = server.accept()
        with peer:
            peer.recv(1000)
            peer.sendall(b"\x00\xff nothing that is known\r\n\r\n")
        note = shared.wait(lambda: next(iter(notes(shared, key)), None))
    assert note.startswith(f"{url} does not answer: ")
    shared.send(Release([key]))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (WatcherEvent(partition=7), "the partition of an event must be a string, not int"),  # type: ignore[arg-type]
        (WatcherEvent(key=b"k"), "the key of an event must be a string, not bytes"),  # type: ignore[arg-type]
        (WatcherEvent(key="a\0"), "the key of an event contains a control character"),
        (WatcherEvent(partition=""), "the partition of an event is empty"),
        (WatcherEvent(["x"]), "the extra of an event must be a dict, not list"),  # type: ignore[arg-type]
        (WatcherEvent({"x": object()}), "the extra['x'] is of type object"),
        (WatcherEvent({"x": "y" * 20_000}), "the extra of an event has 20,008 bytes"),
    ],
)
def test_what_cannot_be_an_event_is_said(event: WatcherEvent, message: str) -> None:
    with pytest.raises((ValueError, NotSerialisable)) as caught:
        event_of(event)
    assert str(caught.value).startswith(message)
