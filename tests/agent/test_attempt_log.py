"""The file of a log, to the byte: its lines, what is left out and what is said of it, secrets at every cut."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headway import clock
from headway.agent import logs
from headway.agent.budget import LogBudget
from headway.agent.logs import FINISHED, LINE_BYTES_MAX, AttemptLog, stamp_of
from headway.agent.masking import Masker

NOW = datetime(2030, 1, 2, 3, 4, 5, 999_000, tzinfo=UTC)
AT = b"2030-01-02T03:04:05.999Z "
SECRET = "Tr0ub4dor&3-the-long-one"


class Still(clock.Clock):
    """A clock that stands until its minute is moved."""

    def __init__(self) -> None:
        self.minutes = 100

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.minutes * 60.0


@pytest.fixture(autouse=True)
def still() -> Iterator[Still]:
    still = Still()
    with clock.use(still):
        yield still


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "of a run" / "1.log"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of 100 bytes and 40 more from its end."""
    monkeypatch.setattr(logs, "HEAD_BYTES_MAX", 100)
    monkeypatch.setattr(logs, "TAIL_BYTES_MAX", 40)


def limited(most: int) -> LogBudget:
    budget = LogBudget()
    budget.limit = most
    return budget


def written(path: Path, *pieces: bytes, masker: Masker | None = None) -> bytes:
    log = AttemptLog(str(path), masker or Masker())
    for piece in pieces:
        log.write(piece)
    log.close()
    return path.read_bytes()


def texts(data: bytes) -> list[bytes]:
    """The lines, each of which has its time."""
    lines = data.split(b"\n")
    assert lines.pop() == b""
    assert all(line.startswith(AT) for line in lines), lines
    return [line.removeprefix(AT) for line in lines]


def test_each_line_has_its_time_and_an_end(path: Path) -> None:
    assert stamp_of(NOW) == AT
    assert written(path, b"one", b" two\nthree\n", b"\n", b"four") == (
        AT + b"one two\n" + AT + b"three\n" + AT + b"\n" + AT + b"four\n"
    )


def test_who_prints_nothing_has_no_file(path: Path) -> None:
    AttemptLog(str(path), Masker()).close()
    assert not path.exists()
    log = AttemptLog(str(path), Masker([SECRET]))
    log.write(SECRET[:5].encode())  # held back until the end
    assert not path.exists()
    log.close()
    assert texts(path.read_bytes()) == [SECRET[:5].encode()]


def test_what_is_no_text_becomes_one(path: Path) -> None:
    umlaut = "ü".encode()
    found = written(path, b"a\xffb\0", umlaut[:1], umlaut[1:] + b"\n", umlaut[:1])
    assert texts(found) == ["a�b␀ü".encode(), "�".encode()]
    path.unlink()
    assert texts(written(path, umlaut[:1], b"x\n")) == ["�x".encode()]


@pytest.mark.parametrize(
    ("pieces", "lengths"),
    [
        ([LINE_BYTES_MAX], [LINE_BYTES_MAX]),
        ([LINE_BYTES_MAX + 1], [LINE_BYTES_MAX, 1]),
        ([2 * LINE_BYTES_MAX + 3], [LINE_BYTES_MAX, LINE_BYTES_MAX, 3]),
        ([10, LINE_BYTES_MAX], [LINE_BYTES_MAX, 10]),
        ([LINE_BYTES_MAX, 1], [LINE_BYTES_MAX, 1]),
        ([LINE_BYTES_MAX - 1, 1], [LINE_BYTES_MAX]),
    ],
)
def test_a_line_that_is_too_long_is_several(
    path: Path, pieces: list[int], lengths: list[int]
) -> None:
    for end in (b"\n", b""):
        found = written(path, *(b"x" * size for size in pieces), end)
        assert [len(text) for text in texts(found)] == lengths
        path.unlink()
    log = AttemptLog(str(path), Masker())
    log.write(b"x" * LINE_BYTES_MAX)
    log.write(b"\n" + b"y" * (LINE_BYTES_MAX + 1) + b"\nz\n")
    log.close()
    assert [len(text) for text in texts(path.read_bytes())] == [
        LINE_BYTES_MAX, LINE_BYTES_MAX, 1, 1,
    ]  # fmt: skip


@pytest.mark.usefixtures("small")
def test_the_end_is_kept_with_its_times(path: Path) -> None:
    assert texts(written(path, b"h" * 75, b"t1 ", b"t2\n", b"t3")) == [b"h" * 75 + b"t1 t2", b"t3"]


@pytest.mark.usefixtures("small")
def test_between_beginning_and_end_it_says_how_much_is_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "TAIL_BYTES_MAX", 40 + 2 * len(AT))
    budget = LogBudget()
    log = AttemptLog(str(path), Masker([SECRET]), budget=budget)
    log.write(b"h" * 99 + b"\n")
    log.write(b"four\n")
    for number in range(5):
        log.write(b"%d" % number * 19 + b"\n")
    # Two lines with their times, and the one that goes beyond.
    assert (log.tail_bytes, log.left_out) == (60 + 3 * len(AT), 45)
    assert budget.spent == 100
    log.close()
    # The first line is not whole for all that is known, and a secret may begin before it: nothing is left of so little.
    assert texts(path.read_bytes()) == [b"h" * 99, b"headway: 105 bytes were left out here"]
    assert budget.spent == 160
    log.close()
    assert len(texts(path.read_bytes())) == 2


@pytest.mark.parametrize("piece", [b"\n" * 65_536, b"\0" * 65_536, b"\xff" * 65_535 + b"\n"])
def test_no_output_makes_a_file_longer_than_a_server_takes(path: Path, piece: bytes) -> None:
    log = AttemptLog(str(path), Masker())
    while log.left_out < 3 * logs.TAIL_BYTES_MAX:
        log.write(piece)
    log.close()
    assert logs.HEAD_BYTES_MAX < path.stat().st_size < logs.FILE_BYTES_MAX


@pytest.mark.usefixtures("small")
def test_the_beginning_ends_at_its_last_byte(path: Path) -> None:
    log = AttemptLog(str(path), Masker())
    log.write(b"h" * (100 - len(AT) - 1) + b"\n")
    log.write(b"t\n")
    log.note("ours")
    assert [data for _, data in log.tail] == [b"t\n", b"headway: ours\n"]
    log.close()


def test_of_the_end_all_is_shown_that_begins_no_secret(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "HEAD_BYTES_MAX", 10)
    monkeypatch.setattr(logs, "TAIL_BYTES_MAX", 259)
    masker = Masker([SECRET])
    log = AttemptLog(str(path), masker)
    log.write(b"0123456789")
    for _ in range(100):
        log.write(b"gone")
    log.write(b"a line\n" + b"x" * 200 + b" " + SECRET.encode() + b"\nlast\n")
    log.note("said by us")
    log.close()
    first, said, rest, last, empty, ours = texts(path.read_bytes())
    assert (first, empty) == (b"0123456789", b"")
    missing = 400 + 7 + masker.longest
    assert said == b"headway: %d bytes were left out here" % missing
    assert rest == b"x" * (200 - masker.longest) + b" ***"
    assert (last, ours) == (b"last", b"headway: said by us")


def test_beyond_the_limit_nothing_is_written_and_no_piece_of_a_secret(
    path: Path, still: Still
) -> None:
    masker = Masker([SECRET])
    log = AttemptLog(str(path), masker, budget=limited(10))
    log.write(b"before " + SECRET[:8].encode())  # its beginning is held back, and goes
    umlaut = "ü".encode()
    log.write(SECRET[8:].encode() + umlaut[:1])
    log.note("in any case")
    log.write(b"gone")
    still.minutes += 1
    log.write(b"the rest of a line")
    still.minutes += 1
    log.write(b" and more\n" + b"a" * (masker.longest - 3))
    still.minutes += 1
    log.write(b"bcd\nback!\n")
    log.write(b"again left out")
    still.minutes += 2
    log.write(b"\n" + b"c" * masker.longest + b"ok\n")
    log.close()
    limit = (
        b"headway: the logs of this team reached 10 bytes in a minute, the limit of this agent "
        b"(log_bytes_per_minute): output is left out until the minute is over"
    )
    first = len(SECRET) + 1 + 4 + 18 + 10 + masker.longest
    assert texts(path.read_bytes()) == [
        b"before ",
        limit,
        b"headway: in any case",
        b"headway: %d bytes were left out here" % first,
        b"",
        b"back!",
        limit,
        b"headway: %d bytes were left out here" % (14 + 1 + masker.longest),
        b"ok",
    ]


@pytest.mark.parametrize("pieces", [(0,), (1,), (40,)])
def test_after_a_gap_it_goes_on_exactly_where_no_secret_can_be(
    path: Path, still: Still, pieces: tuple[int]
) -> None:
    masker = Masker([SECRET])
    log = AttemptLog(str(path), masker, budget=limited(4))
    log.write("1234 ü".encode()[:-1])  # half a character
    log.write(b"gone")
    for piece in (b"\n" + b"a" * (masker.longest - pieces[0]), b"a" * pieces[0], b"xyz\n"):
        still.minutes += 1
        log.write(piece)
    log.close()
    first, limit, said, rest = texts(path.read_bytes())
    assert (first, rest) == (b"1234 ", b"xyz")
    assert limit.startswith(b"headway: the logs of this team")
    assert said == b"headway: %d bytes were left out here" % (4 + 1 + masker.longest)


@pytest.mark.parametrize("rest", [b"", b"no end of the line", b"end\n"])
def test_who_ends_in_a_gap_says_how_much_is_missing(path: Path, still: Still, rest: bytes) -> None:
    masker = Masker([SECRET])
    log = AttemptLog(str(path), masker, budget=limited(4))
    log.write(b"12345\n")
    log.write(b"gone")
    if rest:
        still.minutes += 1
        log.write(rest)
    log.close()
    assert texts(path.read_bytes())[2:] == [
        b"headway: %d bytes were left out here" % (4 + len(rest))
    ]


@pytest.mark.usefixtures("small")
def test_a_gap_before_the_end_counts_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AttemptLog(str(path), Masker(), budget=limited(10))
    log.write(b"0123456789\n")
    log.write(b"gone")  # with the line about it the beginning is full
    log.write(b"t1\n")
    log.write(b"t2\n")
    log.close()
    assert texts(path.read_bytes())[2:] == [b"headway: 7 bytes were left out here", b"t2"]


def test_a_note_begins_a_line(path: Path) -> None:
    log = AttemptLog(str(path), Masker([SECRET]))
    log.note("first")
    log.write(b"half")
    log.note(f"of {SECRET}")
    log.close()
    assert texts(path.read_bytes()) == [b"headway: first", b"half", b"headway: of ***"]


class Os:
    """The module ``os`` as the log sees it, with some functions of our own."""

    def __init__(self, **ours: Callable[..., Any]) -> None:
        self.__dict__.update(ours)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


# -- a disk that takes nothing


@pytest.mark.parametrize("room", [0, 70, 10_000])
@pytest.mark.parametrize("length", [3, 300])
def test_what_a_disk_does_not_take_is_said_at_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int, length: int
) -> None:
    """``room``: bytes that are free again when the log ends."""
    real, full = os.write, False

    def write(fd: int, data: bytes) -> int:
        if full and os.fstat(fd).st_size + len(data) > most:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data)

    most = 0
    monkeypatch.setattr(logs, "os", Os(write=write))
    log = AttemptLog(str(path), Masker())
    log.write(b"x" * length + b"\n")
    size, full = path.stat().st_size, True
    log.write(b"lost\n")
    log.write(b"too\n")
    most = size + room
    note = AT + b"headway: %d bytes were not written: No space left on device\n" % (2 * len(AT) + 9)
    log.close()
    kept = AT + b"x" * length + b"\n"
    if length == 3 and room == 0:  # there is not even space for the note
        assert path.read_bytes() == b""
    elif room >= len(note) + 1:
        assert path.read_bytes() == kept + b"\n" + note
    else:
        assert path.read_bytes() == kept[: max(0, len(kept) - 2 * len(note))] + b"\n" + note


def test_a_folder_that_cannot_be_made_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = AttemptLog(str(tmp_path / "file" / "1.log"), Masker())
    log.write(b"lost\n")
    log.write(b"again\n")
    assert log.refused_bytes == 2 * len(AT) + 5 + 6
    assert log.refusal in ("Not a directory", "File exists")
    log.close()


# -- on its way to a log store


def test_the_second_name_is_locked_until_it_is_read_only(path: Path, tmp_path: Path) -> None:
    spooled = tmp_path / "spool" / "deep" / "a!1.log"
    log = AttemptLog(str(path), Masker(), str(spooled))
    log.write(b"x\n")
    assert path.samefile(spooled)
    with spooled.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    assert spooled.stat().st_mode & 0o777 == 0o640
    assert spooled.parent.stat().st_mode & 0o777 == 0o700
    log.close()
    assert log.fd == -1
    assert spooled.stat().st_mode & 0o777 == FINISHED
    with spooled.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    more = AttemptLog(str(path), Masker(), str(spooled))  # the attempt goes on in another process
    more.write(b"y\n")
    assert spooled.stat().st_mode & 0o777 == 0o640
    more.close()
    assert texts(spooled.read_bytes()) == [b"x", b"y"]


def test_an_ordinary_user_opens_a_finished_log_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, opened = os.open, list[int]()

    def ordinary(file: str, flags: int, mode: int = 0o777, **more: int) -> int:
        if flags & os.O_WRONLY and os.path.exists(file) and not os.stat(file).st_mode & 0o200:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), file)
        opened.append(real(file, flags, mode, **more))
        return opened[-1]

    monkeypatch.setattr(logs, "os", Os(open=ordinary))
    spooled = tmp_path / "a!1.log"
    for text in (b"one\n", b"two\n"):
        log = AttemptLog(str(path), Masker(), str(spooled))
        log.write(text)
        assert path.stat().st_mode & 0o777 == 0o640
        log.close()
    assert texts(path.read_bytes()) == [b"one", b"two"]
    assert len(opened) == 3
    for each in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(each)
    path.chmod(FINISHED)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    log = AttemptLog(str(path), Masker())
    log.write(b"x\n")
    assert log.refusal
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == FINISHED


def test_without_a_store_it_stays_writable(path: Path) -> None:
    written(path, b"x\n")
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_nlink == 1


def test_what_cannot_be_linked_stays_here(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = AttemptLog(str(path), Masker(), str(tmp_path / "file" / "a!1.log"))
    log.write(b"x\n")
    log.close()
    assert texts(path.read_bytes()) == [b"x"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_in_place_of_a_log_is_not_written(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    log = AttemptLog(str(path), Masker())
    log.write(b"x\n")
    log.close()
    assert not (tmp_path / "elsewhere").exists()
