"""The data directory: where everything lies, who holds it, and how a running server is found.

``run/lock`` is held (flock) for as long as a server or a serverless run works on the directory;
the kernel lets go of it when the process ends, however it ends. ``run/server.json`` says how to
reach the server; it holds the token and is 0600.
"""

import errno
import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from headway import holders
from headway.errors import Conflict, HeadwayError, NotAllowed, NotReachable, StorageFull, UsageError
from headway.paths import make_private

DATA: Final = ".headway"
DATA_MARK: Final = ".headway-data"  # in each data directory: it is never part of a DAG folder
AGENTS_PORT: Final = 7077  # where agents of other machines connect
PORT: Final = 8080
HOST: Final = "127.0.0.1"
TEAM: Final = (
    "default"  # whose DAGs a data directory provides unless it is told; made by the migrations
)
ASKED_TEAM: Final = (
    "HEADWAY_TEAM"  # whose DAGs and runs a client means; default: the first of the user
)
API_RATE: Final = 100  # requests a second of one person or token, in the long run
SLOTS: Final = 32  # tasks that run at once
FULL_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN_ERRNOS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
SOCKET_PATH_BYTES_MAX: Final = 103  # macOS; Linux has 107


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below the data directory."""

    data: Path

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def holders(self) -> Path:
        """The folder in which components that run by themselves say who they are."""
        return self.run / "holders"

    @property
    def server(self) -> Path:
        return self.run / "server.json"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def server_logs(self) -> Path:
        return self.logs / "server"

    @property
    def xcom(self) -> Path:
        return self.data / "xcom"

    @property
    def spool(self) -> Path:
        """Second names of the logs that are on their way to the log store."""
        return self.run / "spool"

    @property
    def team_spools(self) -> Path:
        """The folder of the spools of teams that have user ids of their own."""
        return self.agents / "spool"

    @property
    def unwanted(self) -> Path:
        """The folder of requests to remove logs from the log store."""
        return self.run / "unwanted"

    @property
    def shipping(self) -> Path:
        """The status file of the shipper."""
        return self.run / "shipper.json"

    @property
    def walls(self) -> Path:
        """The file that says what keeps teams apart here, for ``headway doctor``."""
        return self.run / "walls.json"

    @property
    def log_cache(self) -> Path:
        """Logs that were read from the log store lately."""
        return self.run / "log-cache"

    @property
    def agents(self) -> Path:
        """The folder for agents of teams that have user ids of their own."""
        return self.data / "agents"

    @property
    def backups(self) -> Path:
        return self.data / "backups"

    def mark(self) -> None:
        """A DAG folder may lie around the directory: nobody takes it for DAG files."""
        place = self.data / DATA_MARK
        if not place.exists():
            place.write_text("A data directory of Headway.\n")

    def prepare(self) -> None:
        """Make the directories; one clear error when that is not possible."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self.mark()
            self.run.mkdir(mode=0o700, exist_ok=True)
            make_private(self.logs)
            make_private(self.xcom)
            make_private(self.server_logs)
        except OSError as error:
            raise explained(error, self.data) from error


def layout(data: Path | None) -> Layout:
    return Layout((data or Path(DATA)).absolute())


def default_dags() -> Path:
    """``dags/`` of the current directory where there is one, else the current directory."""
    return Path("dags") if Path("dags").is_dir() else Path()


class ServerFile(msgspec.Struct, frozen=True, kw_only=True):
    """The address and token of the server of a data directory."""

    url: str
    token: str
    pid: int
    dags: str


class Lock:
    """The right to work on a data directory, until ``release`` or the end of the process.

    ``file``: held instead of ``run/lock``, for a part of the directory. ``advice``: what else can be
    done, where ``{holder}`` is the process that has it.
    """

    def __init__(
        self,
        layout: Layout,
        file: Path | None = None,
        advice: str = "use that server, stop it (kill -INT {holder}), or choose another data directory with --data",
    ) -> None:
        self.layout = layout
        self.file = file or layout.lock
        self.advice = advice
        self._handle: int | None = None
        self._presence: int | None = None

    @property
    def is_ours(self) -> bool:
        return self._handle is not None

    def acquire(self) -> None:
        """Raises Conflict when another process has it."""
        try:
            handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explained(error, self.layout.data) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode() or "unknown"
            os.close(handle)
            if self.file == self.layout.lock and (sharing := components(self.layout)):
                raise in_use_by(sharing, self.layout) from None
            raise Conflict(
                f"the data directory is in use by process {holder}",
                where=str(self.layout.data),
                hint=self.advice.format(holder=holder),
            ) from None
        os.ftruncate(handle, os.pwrite(handle, str(os.getpid()).encode(), 0))
        self._handle = handle

    def join(self, name: str, url: str = "") -> None:
        """Share it with other components of an install as ``name``, and keep a whole server out.

        Raises Conflict if a whole server has it. ``url``: as others find it in ``components``.
        """
        try:
            handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explained(error, self.layout.data) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Conflict(
                "the data directory is in use by headway up, which runs all components itself",
                where=str(self.layout.data),
                hint="stop that server, or choose another data directory with --data",
            ) from None
        self._handle = handle
        try:
            self._presence = holders.present(self.layout.holders, name, url)
        except OSError as error:
            self.release()
            raise explained(error, self.layout.data) from error

    def release(self) -> None:
        for handle in (self._presence, self._handle):
            if handle is not None:
                os.close(handle)
        self._handle = self._presence = None


def components(layout: Layout) -> list[holders.Holder]:
    """Return the components that run by themselves on the data directory now."""
    return holders.found(layout.holders)


def in_use_by(sharing: list[holders.Holder], layout: Layout) -> Conflict:
    return Conflict(
        f"the data directory is in use by components that run by themselves: {listed(sharing)}",
        where=str(layout.data),
        hint="stop them first, or choose another data directory with --data",
    )


def listed(sharing: list[holders.Holder]) -> str:
    return ", ".join(map(str, sharing))


def is_held(layout: Layout) -> bool:
    """Return whether a live process uses the data directory."""
    try:
        handle = os.open(layout.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def write_server_file(layout: Layout, server: ServerFile) -> None:
    draft = layout.server.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(server))
    draft.replace(layout.server)


def read_server_file(layout: Layout) -> ServerFile | None:
    """The server that works on the directory now; None when none does."""
    if not is_held(layout):
        return None
    try:
        return msgspec.json.decode(layout.server.read_bytes(), type=ServerFile)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise NotAllowed(
            "the server of this data directory belongs to another user",
            where=str(layout.server),
            hint="run the command as the user who started `headway up`",
        ) from error
    except msgspec.DecodeError as error:
        raise NotReachable(
            "the file with the server's address is damaged",
            where=str(layout.server),
            hint="restart `headway up`",
        ) from error


def forget_server(layout: Layout) -> None:
    layout.server.unlink(missing_ok=True)


def explained(error: OSError, data: Path) -> HeadwayError:
    """An error of the file system as one sentence with the next step."""
    where = str(error.filename or data)
    if error.errno in FULL_ERRNOS:
        return StorageFull("the disk is full", where=where, hint="free disk space, then try again")
    if error.errno in FORBIDDEN_ERRNOS:
        return NotAllowed(
            f"cannot write to the data directory: {error.strerror}",
            where=where,
            hint="choose another directory with --data, or change the owner of this one",
        )
    return NotReachable(f"cannot use the data directory: {error.strerror}", where=where)


WHITE: Final = re.compile(r"[\s\x00-\x1f]")


def checked_public_url(text: str) -> str:
    """Return the address by which people reach the server: scheme, host, port, no slash. Raises UsageError."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError as error:
        raise UsageError(f"the public URL {text!r} is not a URL: {error}") from error
    surplus = url.path.strip("/") or url.query or url.fragment or url.username or url.password
    if url.scheme not in ("http", "https") or not host or surplus or WHITE.search(text):
        raise UsageError(
            f"the public URL {text!r} must be http:// or https:// with a host and nothing after it",
            hint="for instance https://headway.example.org",
        )
    return f"{url.scheme}://{url.netloc}"


def agents_address(text: str) -> str:
    """Return ``tls:HOST:PORT`` of ``tls://HOST[:PORT]``, where agents of other machines connect. Raises UsageError."""
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or AGENTS_PORT
    except ValueError as error:
        raise UsageError(f"the address {text!r} is not a URL: {error}") from error
    surplus = url.path.strip("/") or url.query or url.fragment or url.username or url.password
    if url.scheme != "tls" or not host or surplus or WHITE.search(text):
        raise UsageError(
            f"the address {text!r} of agents must be tls:// with a host and a port",
            hint=f"for instance tls://headway.example.org:{AGENTS_PORT}",
        )
    return f"tls:[{host}]:{port}" if ":" in host else f"tls:{host}:{port}"
