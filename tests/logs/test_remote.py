"""The log store: what it holds, what it says when it is in trouble."""

import io
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.blobs.s3 import only
from headway.errors import NotReachable, UsageError
from headway.logs.remote import LOGS, Part, Remote, chosen, open_store
from headway.paths import log_path, spool_name, stored_log, stored_of
from tests.logs.s3 import Store

NAME = stored_log("default", log_path("r1", "größe/../x", -1, 1))


@pytest.fixture(params=["s3", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    """What every store must do."""
    if request.param == "file":
        return open_store(f"file://{tmp_path}/a/store", {})
    remote: Remote = request.getfixturevalue("remote")
    return remote


def whole_of(remote: Remote, name: str = NAME) -> bytes | None:
    file = io.BytesIO()
    return file.getvalue() if remote.fetch_whole(name, file) else None


def joined(remote: Remote) -> bytes | None:
    file = io.BytesIO()
    return file.getvalue() if remote.fetch_parts(NAME, file) else None


def test_a_whole_log_comes_back(place: Remote, tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    log.write_bytes("grüße\n".encode())
    assert whole_of(place) is None
    place.put_whole(NAME, log)
    assert whole_of(place) == "grüße\n".encode()
    assert place.names("default", "r1") == {NAME}


def test_parts_are_joined_up_to_the_first_gap(place: Remote) -> None:
    assert joined(place) is None
    place.put_part(NAME, 0, b"on")
    place.put_part(NAME, 0, b"one")
    place.put_part(NAME, 3, b"two")
    place.put_part(NAME, 9, b"four")
    assert joined(place) == b"onetwo"
    assert place.parts(NAME) == [Part(0, 3), Part(3, 3), Part(9, 4)]
    assert place.names("default", "r1") == {NAME}
    place.remove_parts(NAME, [0, 3, 6, 9])
    assert place.parts(NAME) == []


def test_a_run_is_removed_and_no_other(place: Remote, tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    log.write_bytes(b"x")
    other = [
        stored_log("default", log_path("r10", "t", -1, 1)),
        stored_log("b", log_path("r1", "t", -1, 1)),
    ]
    for name in (NAME, *other):
        place.put_whole(name, log)
    place.put_part(NAME, 0, b"x")
    place.remove("default", "r1")
    place.remove("default", "r1")
    assert whole_of(place) is None
    assert place.parts(NAME) == []
    assert [whole_of(place, name) for name in other] == [b"x", b"x"]


def test_an_object_is_plain_text_for_every_tool(
    remote: Remote, bucket: str, s3_server: Store, tmp_path: Path
) -> None:
    log = tmp_path / "1.log"
    log.write_bytes(b"2026-01-31T05:00:01.000Z hello\n")
    name = stored_log("default", log_path("r1", "extract", 3, 2))
    assert name == "default/r1/extract/3/2.log"
    remote.put_whole(name, log)
    assert s3_server.read(f"{bucket}/{name}") == (log.read_bytes(), "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "access denied"),
        (403, "RequestTimeTooSkewed", "clock is wrong"),
        (400, "Strange", "answers Strange"),
    ],
)
def test_trouble_has_words(
    remote: Remote, s3_server: Store, status: int, code: str, words: str, tmp_path: Path
) -> None:
    log = tmp_path / "1.log"
    log.write_bytes(b"x")
    with s3_server.trouble(status, code):
        questions: list[Callable[[], object]] = [
            remote.check,
            lambda: remote.put_part(NAME, 0, b"x"),
            lambda: remote.put_whole(NAME, log),
            lambda: whole_of(remote),
            lambda: remote.parts(NAME),
            lambda: remote.remove("default", "r1"),
        ]
        for question in questions:
            with pytest.raises(NotReachable, match=words) as caught:
                question()
            assert "\n" not in caught.value.message
            assert "secret" not in str(caught.value)
    remote.check()


def test_a_bucket_that_is_missing_is_no_empty_log(s3_server: Store) -> None:
    remote = open_store("s3://not-there/x", s3_server.variables)
    questions: list[Callable[[], object]] = [
        remote.check,
        lambda: whole_of(remote),
        lambda: joined(remote),
    ]
    for question in questions:
        with pytest.raises(NotReachable, match="bucket does not exist"):
            question()


def test_a_store_that_is_away_says_so() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        remote = open_store("s3://b/x", {"AWS_ENDPOINT_URL": endpoint, **keys})
        with pytest.raises(NotReachable, match="does not answer"):
            remote.check()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/tmp/x",
        "s3:",
        "s3:///x",
        "gs://b/x",
        "file://host/x",
        "file:///",
        "s3://b/x?y=1",
        "https://x/y",
    ],
)
def test_a_url_that_names_no_store_is_one_clear_error(url: str) -> None:
    with pytest.raises(UsageError, match=r"is not a (valid|folder)") as caught:
        open_store(url, {})
    assert "s3://bucket/prefix" in str(caught.value)


def test_half_a_key_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="SecretAccessKey"):
        open_store("s3://b/x", {"AWS_ACCESS_KEY_ID": "a"})


def test_the_store_may_have_variables_of_its_own() -> None:
    everybody = {"AWS_ACCESS_KEY_ID": "of-tasks", "PATH": "/bin"}
    own = {"HEADWAY_LOG_STORE_AWS_ACCESS_KEY_ID": "own"}
    assert chosen(everybody) == {"AWS_ACCESS_KEY_ID": "of-tasks"}
    assert chosen(everybody | own) == own


def test_what_the_library_reads_is_only_what_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-tasks")
    with only({"HEADWAY_LOG_STORE_AWS_ACCESS_KEY_ID": "own"}, LOGS):
        assert os.environ["AWS_ACCESS_KEY_ID"] == "own"
        assert "AWS_SESSION_TOKEN" not in os.environ
    assert os.environ["AWS_SESSION_TOKEN"] == "of-tasks"
    assert "AWS_ACCESS_KEY_ID" not in os.environ


@pytest.mark.parametrize("task_id", ["t", "../../x", "a!b/c", "ö" * 120, "x" * 250])
def test_a_name_in_the_spool_leads_back(task_id: str) -> None:
    stored = stored_log("default", log_path("r1", task_id, 7, 12))
    assert stored.count("/") == 4
    name = spool_name(stored)
    assert all(0 < len(part) <= 255 and part not in (".", "..") for part in name.split("/"))
    assert stored_of(name) == stored
