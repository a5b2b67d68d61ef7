"""Files that travel between the data directory of the server and agents that do not share it: bundles, results, logs.

Threads read and write them (``asks``). Who may ask for what is decided before (``errands``), from the database and from
what is bound to the agent; an agent names no path. Every piece of a file may come twice. Where the users of
teams write too, no link is followed.
"""

import errno
import logging
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from headway import bundle, clock
from headway.agent.logs import FILE_BYTES_MAX, FINISHED, stamp_of
from headway.agent.orders import RESULT_BYTES_MAX
from headway.agent.protocol import PIECE_BYTES, Errand, Piece, Put, WantBundle, WantResult
from headway.errors import HeadwayError, NotAllowed
from headway.executors.agents.asks import Why
from headway.paths import (
    folder_below,
    log_path,
    open_below,
    rendered_of,
    spool_name,
    stored_log,
    xcom_ending,
    xcom_path,
)

log = logging.getLogger(__name__)

BLOBS_MAX: Final = 1_000  # of one request
LOG_BYTES_MAX: Final = 64 * 1024 * 1024  # of an attempt, however often it goes on
RENDERED_BYTES_MAX: Final = 64 * 1024 * 1024
OPEN_MAX: Final = 200  # requests of a team that wait, each of a piece
LEFT_S: Final = 30.0  # after which the log of an agent that is gone is complete
LEFT: Final = b"headway: lost: the agent ended before this log was closed\n"
READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
WRITE: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Job:
    """A request that may be answered. ``file``: of a result, below the data directory."""

    errand: Errand
    team: str = ""
    file: str = ""


@dataclass(slots=True)
class Unfinished:
    """A log to which more may come, of a server with a log store."""

    session: str
    team: str
    seen_at: float


def not_now(job: Job, why: Why) -> Piece:
    if why == "absent":
        return Piece(job.errand.request, refused="this scheduler has no data directory")
    return Piece(job.errand.request, again=True)


class Files:
    """``spool``: where logs are shipped from, if there is a log store."""

    def __init__(self, data: Path, spool: Path | None = None) -> None:
        self.data = data
        self.spool = spool
        self.unfinished: dict[str, Unfinished] = {}  # by path

    def answer(self, team_id: int, session: str, job: Job) -> Piece:
        """Answer one request. Never raises: what goes wrong is a refusal with its reason."""
        request = job.errand.request
        try:
            match job.errand:
                case WantBundle() as want:
                    return self.bundle(want)
                case WantResult(offset=offset):
                    return self.piece(request, open_below(self.data, job.file.split("/")), offset)
                case Put(kind="log") as put:
                    return self.put_log(put, session, job.team)
                case Put(kind="rendered") as put:
                    return self.put_rendered(put)
                case Put() as put:
                    return self.put_result(put)
        except HeadwayError as error:
            return Piece(request, refused=error.message)
        except OSError as error:
            log.error("cannot read or write a file of an agent: %s", error)
            return Piece(request, refused=f"the server says: {error.strerror or error}")

    # -- what agents read

    def bundle(self, want: WantBundle) -> Piece:
        if not want.blobs:
            place = bundle.list_file(self.data, want.version)
            return self.piece(want.request, os.open(place, READ), want.offset)
        sizes = sizes_of(self.data, want.version)
        if len(want.blobs) > BLOBS_MAX or not sizes.keys() >= set(want.blobs):
            raise NotAllowed("the bundle does not have these files")
        return Piece(
            want.request, self.contents(want, sizes), sum(sizes[blob] for blob in want.blobs)
        )

    def contents(self, want: WantBundle, sizes: dict[str, int]) -> bytes:
        """Return a piece of the contents, one after the other. The agent compares them with their hashes."""
        found, skip = bytearray(), want.offset
        for blob in want.blobs:
            if skip >= sizes[blob]:
                skip -= sizes[blob]
                continue
            file = os.open(self.data / "blobs" / blob, READ)
            try:
                found += os.pread(file, PIECE_BYTES - len(found), skip)
            finally:
                os.close(file)
            skip = 0
            if len(found) == PIECE_BYTES:
                break
        return bytes(found)

    @staticmethod
    def piece(request: int, file: int, offset: int) -> Piece:
        try:
            return Piece(request, os.pread(file, PIECE_BYTES, offset), os.fstat(file).st_size)
        finally:
            os.close(file)

    # -- what they leave behind

    def put_log(self, put: Put, session: str, team: str) -> Piece:
        key = put.key
        path = log_path(key.run_id, key.task_id, key.map_index, key.number)
        folder, name = self.place_of(path)
        try:
            file = open_log(folder, name, create=bool(put.data))
        except FileNotFoundError:
            return Piece(put.request)
        finally:
            os.close(folder)
        try:
            processes = 1 + key.deferrals  # that the attempt had until now
            size = write_at(file, put, min(LOG_BYTES_MAX, processes * FILE_BYTES_MAX))
            if self.spool is not None:
                self.keep(path, file, Unfinished(session, team, clock.monotonic()), put.last)
        finally:
            os.close(file)
        return Piece(put.request, size=size)

    def put_rendered(self, put: Put) -> Piece:
        key = put.key
        path, _ = rendered_of(log_path(key.run_id, key.task_id, key.map_index, key.number))
        folder, name = self.place_of(path)
        try:
            file = os.open(name, WRITE | os.O_CREAT | os.O_APPEND, 0o640, dir_fd=folder)
        finally:
            os.close(folder)
        try:
            if put.data.endswith(b"\n") and os.fstat(file).st_size < RENDERED_BYTES_MAX:
                os.write(file, put.data)
        finally:
            os.close(file)
        return Piece(put.request)

    def put_result(self, put: Put) -> Piece:
        """Write a draft, which becomes the result with its last piece. It is on the disk then: its report follows."""
        key = put.key
        base = xcom_path(key.run_id, key.task_id, key.map_index, key.number)
        folder, name = self.place_of(base + xcom_ending(put.name))
        draft = f".{name}"
        try:
            end = put.offset + len(put.data)
            is_draft = put.offset == 0 or size_in(folder, draft) is not None
            if put.last and not is_draft and size_in(folder, name) == end:  # it came before
                return Piece(put.request, size=end)
            file = os.open(draft, WRITE | os.O_CREAT, 0o600, dir_fd=folder)
            try:
                write_at(file, put, RESULT_BYTES_MAX)
                if put.last:
                    os.ftruncate(file, end)
                    os.fsync(file)
                    os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
                    os.fsync(folder)
            finally:
                os.close(file)
            return Piece(put.request, size=end)
        finally:
            os.close(folder)

    def place_of(self, path: str) -> tuple[int, str]:
        """Open the folder of a path below the data directory."""
        first, *parts, name = path.split("/")
        return folder_below(self.data / first, parts), name

    # -- on the way to the log store

    def keep(self, path: str, file: int, one: Unfinished, last: bool) -> None:
        if last:
            self.unfinished.pop(path, None)
            self.ship(path, file, one.team)
        else:
            self.unfinished[path] = one

    def ship(self, path: str, file: int, team: str) -> None:
        """Give a log that is complete its second name, from which it is shipped (``logs.spool``)."""
        assert self.spool is not None
        os.fchmod(file, FINISHED)
        spooled = self.spool / spool_name(stored_log(team, path))
        spooled.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.link(self.data / path, spooled)

    def look(self, sessions: Collection[str], ended: Callable[[set[str]], Collection[str]]) -> None:
        """Complete the logs of agents that are gone. ``sessions``: of those that are here.

        An agent that is not here may be connected to another scheduler, which has its log now. ``ended`` returns those
        of sessions that are over.
        """
        now = clock.monotonic()
        late: dict[str, Unfinished] = {}
        for path, one in self.unfinished.items():
            if one.session in sessions:
                one.seen_at = now
            elif now - one.seen_at > LEFT_S:
                late[path] = one
        over = ended({one.session for one in late.values()}) if late else ()
        for path, one in late.items():
            if one.session in over:
                del self.unfinished[path]
                self.complete(path, one)
            elif self.is_finished(path):
                del self.unfinished[path]
            else:
                one.seen_at = now

    def is_finished(self, path: str) -> bool:
        """Return whether somebody else has completed a log."""
        try:
            return not (self.data / path).stat().st_mode & 0o222
        except FileNotFoundError:
            return True

    def complete(self, path: str, one: Unfinished) -> None:
        try:
            folder, name = self.place_of(path)
            try:
                file = os.open(name, WRITE | os.O_APPEND, dir_fd=folder)
            finally:
                os.close(folder)
            try:
                os.write(file, b"\n" + stamp_of(clock.now()) + LEFT)
                self.ship(path, file, one.team)
            finally:
                os.close(file)
        except OSError as error:
            log.warning("cannot ship the log %s: %s", path, error.strerror)


@lru_cache(64)
def sizes_of(data: Path, version: str) -> dict[str, int]:
    """The contents of a version. Raises NotFound."""
    return {entry.blob: entry.size for entry in bundle.read_list(data, version).values()}


def open_log(folder: int, name: str, *, create: bool) -> int:
    """Open a log for writing, also one that was complete: its attempt goes on, or its last piece comes twice."""
    flags = WRITE | (os.O_CREAT if create else 0)
    try:
        return os.open(name, flags, 0o640, dir_fd=folder)
    except PermissionError:
        file = os.open(name, READ, dir_fd=folder)
        try:
            os.fchmod(file, 0o640)
        finally:
            os.close(file)
        return os.open(name, flags, 0o640, dir_fd=folder)


def write_at(file: int, put: Put, bytes_max: int) -> int:
    """Write a piece at its place. Returns the size of the file. Raises OSError."""
    size = os.fstat(file).st_size
    end = put.offset + len(put.data)
    if not 0 <= put.offset <= size:
        raise OSError(errno.EINVAL, "a piece of the file is missing")
    if end > bytes_max:
        raise OSError(errno.EFBIG, f"the file is larger than {bytes_max >> 20} MB")
    view, place = memoryview(put.data), put.offset
    while view:
        written = os.pwrite(file, view, place)
        view, place = view[written:], place + written
    return max(size, end)


def size_in(folder: int, name: str) -> int | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
    except FileNotFoundError:
        return None
