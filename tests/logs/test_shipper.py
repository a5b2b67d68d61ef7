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
from headway.logs.spool import Spool
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

    def begin(task_id: str = "t", team: str = "default") -> AttemptLog:
        path = log_path("r1", task_id, -1, 1)
        spooled = layout.spool / spool_name(stored_log(team, path))
        return AttemptLog(str(layout.data / team / path), Masker(), str(spooled))

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
    ours = Spool(path.parent)
    assert spool.look(ours, path.name).state == "left"
    spool.finish(ours, path.name)
    path.chmod(0o640)  # as if it had died before the end
    spool.finish(ours, path.name)
    assert path.read_bytes().count(b"headway: lost") == 1
    assert spool.look(ours, path.name).state == "finished"


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


# -- spools of teams, in which their tasks may put anything


@pytest.fixture
def plain(tmp_path: Path) -> Remote:
    return open_store(f"file://{tmp_path}/store", {})


def of_team(layout: Layout, team: str, task_id: str = "t", text: bytes = b"x\n") -> AttemptLog:
    """A finished log of a team with a spool of its own."""
    path = log_path("r1", task_id, -1, 1)
    spooled = layout.team_spools / team / spool_name(stored_log(team, path))
    spooled.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = AttemptLog(str(layout.data / team / path), Masker(), str(spooled))
    log.write(text)
    log.close()
    return log


def keys(remote: Remote) -> set[str]:
    return {each.key for page in remote.blobs.pages("") for each in page}


def test_each_team_ships_from_a_spool_of_its_own(layout: Layout, plain: Remote) -> None:
    works = Shipper(plain, layout)
    long_name = "x" * 150  # more than one name has place for
    for team in ("a", "b"):
        of_team(layout, team)
        of_team(layout, team, f"{long_name}.{long_name}")
    works.turn()
    assert len(keys(plain)) == 4
    assert {key.partition("/")[0] for key in keys(plain)} == {"a", "b"}
    assert [name for each in spool.every(layout) for name in each.names()] == []
    works.close()


def test_what_a_team_puts_into_its_spool_is_no_way_out(
    layout: Layout, plain: Remote, tmp_path: Path
) -> None:
    """No other team's name, no link, no pipe, nothing without end. What is whole goes, in the same turn."""
    secret = tmp_path / "secret"
    secret.write_text("of the server")
    secret.chmod(0o440)
    of_team(layout, "a", "good")
    of_team(layout, "b")
    bad = layout.team_spools / "a"
    for name in (
        "b!r1!t!-1!1.log",
        "a!..!b!r1!t!-1!1.log",
        "a!r1!..!-1!1.log",
        "a!r1!t!-1!1.log.parts!0",
    ):
        (bad / name).write_text("forged")
        (bad / name).chmod(0o440)
    (bad / "a!r1!link!-1!1.log").symlink_to(secret)
    (bad / "a!r1!hard!-1!1.log").hardlink_to(secret)
    os.mkfifo(bad / "a!r1!pipe!-1!1.log")
    (bad / "a!r1!pi").symlink_to(tmp_path, target_is_directory=True)
    with (bad / "a!r1!endless!-1!1.log").open("wb") as file:
        file.truncate(spool.LOG_BYTES_MAX + 1)
    (bad / "a!r1!endless!-1!1.log").chmod(0o440)
    deep = bad
    for _ in range(30):
        deep = deep / "d"
    deep.mkdir(parents=True)
    works = Shipper(plain, layout)
    for _ in range(3):
        works.turn()
    assert keys(plain) >= {"a/r1/good/-1/1.log", "b/r1/t/-1/1.log"}
    allowed = {"a/r1/good/-1/1.log", "b/r1/t/-1/1.log", "a/r1/hard/-1/1.log"}
    assert keys(plain) <= allowed, "a hard link to a file of one's own user is one's own"
    text = io.BytesIO()
    assert plain.fetch_whole("b/r1/t/-1/1.log", text)
    assert text.getvalue().endswith(b" x\n")
    assert secret.read_text() == "of the server"
    assert works.error == "", "the store is not to blame"
    works.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_a_file_of_another_user_is_not_shipped(
    layout: Layout, plain: Remote, tmp_path: Path
) -> None:
    of_team(layout, "a")
    name = "a!r1!stolen!-1!1.log"
    (tmp_path / "secret").write_text("of the server")
    (tmp_path / "secret").chmod(0o440)
    (layout.team_spools / "a" / name).hardlink_to(tmp_path / "secret")
    os.chown(layout.team_spools / "a", 4242, 4242)
    os.chown(layout.team_spools / "a/a!r1!t!-1!1.log", 4242, 4242)
    works = Shipper(plain, layout)
    works.turn()
    assert keys(plain) == {"a/r1/t/-1/1.log"}
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o440
    works.close()


def test_a_flood_in_one_spool_holds_up_no_other(layout: Layout, plain: Remote) -> None:
    for number in range(3 * shipper.BATCH):
        of_team(layout, "a", f"t{number}")
    of_team(layout, "b")
    works = Shipper(plain, layout)
    assert "b" in {each.of.team for each in works.look()[:2]}
    works.close()


def test_a_flood_of_one_team_holds_up_no_other_in_the_servers_spool(
    layout: Layout, plain: Remote, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all teams have one user, their logs wait side by side."""
    of_a = [begin(f"t{number}", "a") for number in range(3 * shipper.BATCH)]
    of_b = begin("t", "b")
    for log in (*of_a, of_b):
        log.write(b"x\n")
    works = Shipper(plain, layout)
    assert spool_name(stored_log("b", log_path("r1", "t", -1, 1))) in live(works)[:2]
    of_a[
        0
    ].close()  # what has ended comes after all that is live, but for a team that has nothing else
    of_b.close()
    assert spool_name(stored_log("b", log_path("r1", "t", -1, 1))) in live(works)[:2]
    monkeypatch.setattr(spool, "ENTRIES_MAX", 10)  # of each team: the flood crowds nobody out
    assert len(live(works)) == 11
    assert {name[:2] for name in live(works)} == {"a!", "b!"}
    works.close()
    for log in of_a:
        log.close()


def live(works: Shipper) -> list[str]:
    return [each.spooled for each in works.look()]


def test_a_spool_of_which_nothing_works_pauses_alone(layout: Layout, plain: Remote) -> None:
    class Against(Remote):
        def put_whole(self, name: str, log: Path) -> None:
            if name.startswith("a/"):
                raise NotReachable("the store takes nothing of a")
            super().put_whole(name, log)

    works = Shipper(Against(plain.blobs), layout)
    of_team(layout, "a")
    works.turn()
    assert works.error == "the store takes nothing of a"
    of_team(layout, "b")
    works.turn()
    assert keys(plain) == {"b/r1/t/-1/1.log"}
    works.close()


def test_only_so_much_of_a_spool_is_looked_at(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "ENTRIES_MAX", 10)
    folder = layout.team_spools / "a"
    folder.mkdir(parents=True)
    for number in range(50):
        (folder / f"a!r1!t{number}!-1!1.log").touch()
    assert len(list(Spool(folder, "a").names())) == 10


def test_what_is_not_wanted_goes_from_every_spool(layout: Layout) -> None:
    of_team(layout, "a")
    of_team(layout, "b")
    for each in spool.every(layout):
        each.remove("a/r1/", None)
    assert [name for each in spool.every(layout) for name in each.names()] == ["b!r1!t!-1!1.log"]


def test_without_a_store_a_log_has_one_name_and_stays_as_it_was(layout: Layout) -> None:
    path = layout.data / log_path("r1", "t", -1, 1)
    log = AttemptLog(str(path), Masker())
    log.write(b"x\n")
    log.close()
    assert path.stat().st_nlink == 1
    assert path.stat().st_mode & spool.WRITABLE
    assert not layout.spool.exists()
    assert status.read(layout) is None
