"""Logs that are not on this machine any more, through the real API and a real S3 server."""

import http.client
import io
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from headway.api.logs import places, search
from headway.api.logs.places import LogPlaces
from headway.cli.trouble import describe
from headway.client import Client
from headway.config import Layout
from headway.errors import NotFound, NotReachable
from headway.logs import cache
from headway.logs.cache import LogCache
from headway.logs.remote import Remote, open_store
from headway.paths import log_path, stored_log
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api import seed
from tests.api.conftest import TOKEN, served
from tests.logs.s3 import Store

TEXT = b"".join(b"2026-01-31T05:00:01.000Z line %d\n" % number for number in range(1, 1001))

Put = Callable[..., str]


@pytest.fixture
def put(conn: Session, remote: Remote, tmp_path: Path) -> Put:
    """An attempt that has failed, whose log is only in the store."""
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")

    def put(text: bytes | None, task_id: str = "t0", index: int = -1) -> str:
        seed.instance(conn, "r1", task_id, "failed", index)
        seed.attempt(conn, "r1", task_id, index, "no heartbeat for 15 s")
        name = stored_log("default", log_path("r1", task_id, index, 1))
        if text is not None:
            (tmp_path / "draft").write_bytes(text)
            remote.put_whole(name, tmp_path / "draft")
        return name

    return put


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data")


@pytest.fixture
def url(database: str, layout: Layout, remote: Remote) -> Iterator[str]:
    kept = LogPlaces(LogCache(remote, layout.log_cache))
    with served(database, layout.data, places=kept) as server:
        yield url_of(server.listener, "127.0.0.1")


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    client = Client(url, TOKEN)
    yield client
    client.close()


def test_a_log_is_read_from_the_store_as_if_it_were_here(client: Client, put: Put) -> None:
    put(TEXT)
    assert client.log("r1", "t0") == (TEXT, len(TEXT), True)
    assert client.log_tail("r1", "t0", 40) == (TEXT[-35:], len(TEXT), True)
    found = client.log_lines("r1", "t0", -2, 2)
    assert [line[25:] for line in found.lines] == ["line 999", "line 1000"]
    assert (found.total_lines, found.complete) == (1000, True)
    assert [each.line for each in client.search_log("r1", "t0", "LINE 999").matches] == [999]
    content, _ = client.ask("GET", "/runs/r1/task-instances/t0/logs/download", None, {})
    assert content == TEXT


def test_a_log_that_broke_off_says_why(client: Client, put: Put, remote: Remote) -> None:
    name = put(None)
    remote.put_part(name, 0, b"2026-01-31T05:00:01.000Z one\n")
    remote.put_part(name, 29, b"2026-01-31T05:00:01.000Z tw")
    remote.put_part(name, 100, b"behind a gap\n")
    lines = client.log_lines("r1", "t0", 1, 9).lines
    assert [line[25:] for line in lines] == [
        "one",
        "tw",
        "headway: the log ends here: the rest did not reach the log store"
        " (exception: no heartbeat for 15 s)",
    ]


def test_the_rest_is_seen_when_it_has_come(
    client: Client, put: Put, remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "FRESH_S", 0.0)
    name = put(None)
    remote.put_part(name, 0, b"one\n")
    assert b"ends here" in client.log("r1", "t0")[0]
    (tmp_path / "whole").write_bytes(b"one\ntwo\n")
    remote.put_whole(name, tmp_path / "whole")
    assert client.log("r1", "t0")[0] == b"one\ntwo\n"


def test_what_was_never_written_is_empty_and_no_error(client: Client, put: Put) -> None:
    put(None)
    assert client.log("r1", "t0") == (b"", 0, True)
    assert client.log_lines("r1", "t0", 1, 9).total_lines == 0
    assert list(client.search_run("r1", "x")) == []


def test_all_logs_of_runs_are_searched_wherever_they_are(
    client: Client, put: Put, layout: Layout
) -> None:
    for index in range(4):
        put(b"trouble\n" if index % 2 else None, "t1", index)
    put(None, "t2")
    here = layout.data / log_path("r1", "t2", -1, 1)
    here.parent.mkdir(parents=True)
    here.write_bytes(b"more trouble\n")
    expected = [("t1", 1, 1), ("t1", 3, 1), ("t2", -1, 1)]
    found = client.search_run("r1", "trouble")
    assert [(each.task_id, each.map_index, each.line) for each in found] == expected
    again = client.search_logs("tr.uble", regex=True)
    assert [(each.task_id, each.map_index, each.line) for each in again] == expected


def test_a_search_goes_on_where_its_time_was_over(
    client: Client, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BUDGET_S", 0.0)
    monkeypatch.setattr(places, "BUDGET_S", 0.0)
    for index in range(5):
        put(b"trouble\n", "t1", index)
    assert [each.map_index for each in client.search_run("r1", "trouble")] == [0, 1, 2, 3, 4]


def test_a_store_in_trouble_is_an_error_and_no_empty_log(
    client: Client, put: Put, s3_server: Store, layout: Layout
) -> None:
    put(TEXT)
    put(None, "t1")
    here = layout.data / log_path("r1", "t1", -1, 1)
    here.parent.mkdir(parents=True)
    here.write_bytes(b"here\n")
    with s3_server.trouble(403, "AccessDenied"):
        for question in (
            lambda: client.log("r1", "t0"),
            lambda: client.log_lines("r1", "t0", 1, 1),
            lambda: client.search_log("r1", "t0", "x"),
            lambda: list(client.search_run("r1", "x")),
        ):
            with pytest.raises(NotReachable, match="access denied") as caught:
                question()
            assert "headway doctor" in str(caught.value.hint)
        assert client.log("r1", "t1")[0] == b"here\n"
        assert client.diagnosis("r1").errors  # without excerpts
        why, instead = describe(client, "r1", "t0", -1)
        assert why.startswith("t0: ")
        assert "cannot use the log store" in instead
    assert client.log("r1", "t0")[0] == TEXT


def test_a_store_that_hangs_is_waited_for_a_while(
    database: str, put: Put, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PATIENCE_S", 0.2)
    put(None)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        remote = open_store("s3://b/x", {"AWS_ENDPOINT_URL": endpoint, **keys}, request_s=2.0)
        kept = LogPlaces(LogCache(remote, layout.log_cache))
        with served(database, layout.data, places=kept) as server:
            client = Client(url_of(server.listener, "127.0.0.1"), TOKEN)
            with pytest.raises(NotReachable, match="did not answer within"):
                client.log("r1", "t0")
            client.close()
            kept.threads.shutdown()


def test_a_team_reads_only_what_is_its_own(
    client: Client, put: Put, remote: Remote, tmp_path: Path
) -> None:
    put(None)
    (tmp_path / "theirs").write_bytes(b"of another team\n")
    remote.put_whole(stored_log("other", log_path("r1", "t0", -1, 1)), tmp_path / "theirs")
    remote.put_whole(stored_log("other", log_path("r2", "t0", -1, 1)), tmp_path / "theirs")
    assert client.log("r1", "t0")[0] == b""
    with pytest.raises(NotFound):
        client.log("r2", "t0")
    assert list(client.search_run("r1", "another")) == []


@pytest.mark.parametrize(
    "task_id", ["../../../other/r1/t0", "..%2f..%2fother%2fr1%2ft0", "%00", "..", "t0/-1/1.log"]
)
def test_no_name_leads_to_other_objects(
    url: str, put: Put, remote: Remote, tmp_path: Path, task_id: str
) -> None:
    put(b"mine\n")
    (tmp_path / "theirs").write_bytes(b"of another team\n")
    remote.put_whole(stored_log("other", log_path("r1", "t0", -1, 1)), tmp_path / "theirs")
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=30)
    for run_id in ("r1", "../other/r1", "..%2fother%2fr1"):
        path = f"/api/v1/runs/{run_id}/task-instances/{quote(task_id, safe='%./')}/logs"
        connection.request("GET", path, None, {"Authorization": f"Bearer {TOKEN}"})
        response = connection.getresponse()
        assert response.status in (400, 404), response.read()
        assert b"another team" not in response.read()
    connection.close()


def test_the_cache_is_bounded_and_the_longest_unread_go(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "draft").write_bytes(b"x" * 100)
    names = [stored_log("default", log_path("r1", f"t{n}", -1, 1)) for n in range(4)]
    for name in names:
        remote.put_whole(name, tmp_path / "draft")
    kept = LogCache(remote, tmp_path / "cache", bytes_max=300)
    for name in names[:3]:
        assert kept.fetch(name, "") is not None
    age(kept, names[0], 30)
    age(kept, names[1], 20)
    age(kept, names[2], 10)
    assert kept.known(names[0], "") is not None  # it is read again
    kept.fetch(names[3], "")
    assert [kept.known(name, "") is not None for name in names] == [True, False, True, True]
    assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) == 300


def age(kept: LogCache, name: str, seconds: float) -> None:
    whole, _ = kept.places(name, "")
    at = whole.stat().st_mtime - seconds
    os.utime(whole, (at, at))


def test_a_failure_on_the_way_leaves_nothing_half(
    remote: Remote, s3_server: Store, tmp_path: Path
) -> None:
    kept = LogCache(remote, tmp_path / "cache")
    with s3_server.trouble(403, "AccessDenied"), pytest.raises(NotReachable):
        kept.fetch("default/r1/t/-1/1.log", "")
    assert list((tmp_path / "cache").iterdir()) == []
    file = io.BytesIO()
    assert not remote.fetch_whole("default/r1/t/-1/1.log", file)
