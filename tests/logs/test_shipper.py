"""From the spool to the store: while a log is written, when it has ended, when somebody dies, when nothing works."""

import io
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.agent.logs import AttemptLog
from headway.agent.masking import Masker
from headway.config import Layout
from headway.errors import NotReachable
from headway.logs import shipment, shipper, spool, status
from headway.logs.remote import Part, Remote, open_store
from headway.logs.shipper import Shipper
from headway.paths import log_path, spool_name, stored_log
from tests.logs.s3 import Store

Begin = Callable[..., AttemptLog]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.prepare()
    return layout


@pytest.fixture
def begin(layout: Layout) -> Begin:
    """The log of an attempt as its agent writes it."""

    def begin(task_id: str = "t") -> AttemptLog:
        path = log_path("r1", task_id, -1, 1)
        spooled = layout.spool / spool_name(stored_log("default", path))
        return AttemptLog(str(layout.data / path), Masker(), str(spooled))

    return begin


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipper, "PAUSE_S_MIN", 0.0)


def name_of(task_id: str = "t") -> str:
    return stored_log("default", log_path("r1", task_id, -1, 1))


def whole(remote: Remote, task_id: str = "t") -> bytes | None:
    file = io.BytesIO()
    return file.getvalue() if remote.fetch_whole(name_of(task_id), file) else None


def joined(remote: Remote, task_id: str = "t") -> bytes:
    file = io.BytesIO()
    remote.fetch_parts(name_of(task_id), file)
    return file.getvalue()


def spooled(layout: Layout) -> list[str]:
    return [path.name for path in layout.spool.rglob("*") if path.is_file()]


def test_a_log_is_there_while_it_is_written_and_whole_when_it_has_ended(
    remote: Remote, layout: Layout, begin: Begin
) -> None:
    works = Shipper(remote, layout)
    works.turn()
    log = begin()
    log.write(b"first\n")
    works.turn()
    assert joined(remote) == Path(log.path).read_bytes()
    assert joined(remote).endswith(b"first\n")
    log.write(b"second\n")
    works.turn()
    assert joined(remote).endswith(b"second\n")
    assert whole(remote) is None
    log.close()
    works.turn()
    assert whole(remote) == Path(log.path).read_bytes()
    assert remote.parts(name_of()) == []
    assert spooled(layout) == []
    assert status.read(layout) == status.Shipping()
    works.close()


def test_a_part_grows_and_then_another_begins(
    remote: Remote, layout: Layout, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipment, "PART_BYTES", 100)
    works = Shipper(remote, layout)
    log = begin()
    for _ in range(6):
        log.write(b"x" * 30 + b"\n")  # with its time: 56 bytes
        works.turn()
    assert remote.parts(name_of()) == [Part(0, 112), Part(112, 112), Part(224, 112)]
    assert joined(remote) == Path(log.path).read_bytes()
    works.close()
    # Who goes on from here asks the store how far it has come.
    log.write(b"y" * 30 + b"\n")
    again = Shipper(remote, layout)
    again.turn()
    assert [part.offset for part in remote.parts(name_of())] == [0, 112, 224, 336]
    log.close()
    again.turn()
    assert whole(remote) == Path(log.path).read_bytes()
    assert remote.parts(name_of()) == []
    again.close()


def test_a_crash_at_any_point_of_the_end_is_gone_on_from(
    remote: Remote, layout: Layout, begin: Begin
) -> None:
    """The whole is there, the parts are not gone, the name in the spool neither."""
    log = begin()
    log.write(b"all\n")
    first = Shipper(remote, layout)
    first.turn()
    log.close()
    first.close()
    remote.put_whole(name_of(), Path(log.path))
    second = Shipper(remote, layout)
    second.turn()
    assert whole(remote) == Path(log.path).read_bytes()
    assert (remote.parts(name_of()), spooled(layout)) == ([], [])
    second.close()


def test_a_log_that_was_left_ends_with_a_reason(
    remote: Remote, layout: Layout, begin: Begin
) -> None:
    log = begin()
    log.write(b"half a line")
    os.close(log.fd)  # as when its process is killed
    works = Shipper(remote, layout)
    works.turn()
    text = whole(remote)
    assert text == Path(log.path).read_bytes()
    assert text is not None
    first, last, end = text.split(b"\n")
    assert first.endswith(b"half a line")
    assert last[24:] == b" headway: lost: the agent ended before this log was closed"
    assert end == b""
    works.close()


def test_a_reason_is_written_once(layout: Layout, begin: Begin) -> None:
    log = begin()
    log.write(b"printed\n")
    os.close(log.fd)
    path = Path(log.path)
    assert spool.look(path).state == "left"
    spool.finish(path)
    path.chmod(0o640)  # as if it had died before the end
    spool.finish(path)
    assert path.read_bytes().count(b"headway: lost") == 1
    assert spool.look(path).state == "finished"


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize(
    ("code", "number", "words"),
    [("AccessDenied", 403, "access denied"), ("NoSuchBucket", 404, "bucket does not exist")],
)
def test_trouble_is_told_once_and_nothing_is_lost(
    remote: Remote,
    s3_server: Store,
    layout: Layout,
    begin: Begin,
    caplog: pytest.LogCaptureFixture,
    code: str,
    number: int,
    words: str,
) -> None:
    caplog.set_level(logging.WARNING)
    works = Shipper(remote, layout)
    works.turn()
    logs = {task_id: begin(task_id) for task_id in ("a", "b")}
    with s3_server.trouble(number, code):
        for task_id, log in logs.items():
            log.write(task_id.encode())
            works.turn()
            log.close()
            works.turn()
        told = status.read(layout)
        assert told is not None
        assert told.waiting == 2
        assert told.bytes == sum(Path(log.path).stat().st_size for log in logs.values())
        assert words in told.error
        assert str(told).startswith("2 logs wait for the log store (")
    assert len(caplog.records) == 1
    works.turn()
    assert [whole(remote, each) for each in logs] == [
        Path(log.path).read_bytes() for log in logs.values()
    ]
    assert spooled(layout) == []
    assert len(caplog.records) == 2
    assert status.read(layout) == status.Shipping()
    works.close()


def test_when_nothing_works_the_store_is_asked_ever_more_seldom() -> None:
    pauses = [shipper.pause_s(failures) for failures in range(1, 8)]
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


class Choosy(Remote):
    """Takes all logs but one."""

    def put_whole(self, name: str, log: Path) -> None:
        if name == name_of("bad"):
            raise NotReachable("it does not take this one")
        super().put_whole(name, log)


def test_a_log_that_cannot_be_shipped_holds_up_no_other(
    layout: Layout, begin: Begin, tmp_path: Path
) -> None:
    plain = open_store(f"file://{tmp_path}/store", {})
    works = Shipper(Choosy(plain.blobs), layout)
    for task_id in ("bad", "good"):
        log = begin(task_id)
        log.write(b"x\n")
        log.close()
    works.turn()
    assert whole(plain, "good") is not None
    assert spooled(layout) == [spool_name(name_of("bad"))]
    late = begin("late")
    late.write(b"x\n")
    late.close()
    works.turn()
    assert whole(plain, "late") is not None
    works.close()


def test_without_a_store_a_log_has_one_name_and_stays_as_it_was(layout: Layout) -> None:
    path = layout.data / log_path("r1", "t", -1, 1)
    log = AttemptLog(str(path), Masker())
    log.write(b"x\n")
    log.close()
    assert path.stat().st_nlink == 1
    assert path.stat().st_mode & spool.WRITABLE
    assert not layout.spool.exists()
    assert status.read(layout) is None
