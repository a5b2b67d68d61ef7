"""The embedded PostgreSQL: one server on one data directory, ours alone.

It outlives a Headway that is killed, finishes nothing by itself, and is adopted by the next one.
A Headway that ends in order stops it. Locks: ``run/postgres.lock`` is held for as long as a
``Server`` is started, so two can never start, adopt or stop the same one.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from psycopg.conninfo import make_conninfo

from headway import clock
from headway.config import SOCKET_PATH_BYTES_MAX, Layout, Lock, explained
from headway.errors import HeadwayError, NotReachable, StorageFull
from headway.pg import cluster, postmaster
from headway.pg.account import ENVIRONMENT, Account, account_for
from headway.pg.binaries import Binaries, reachable_by
from headway.pg.postmaster import Postmaster
from headway.pg.settings import arguments

SOCKET: Final = ".s.PGSQL.5432"
START_S: Final = 60.0  # recovery after a crash replays at most max_wal_size
ORPHANS: Final = "pre-existing shared memory block"
ORPHANS_S: Final = 30.0  # the statement_timeout of an ordinary transaction
ORPHANS_PAUSE_S: Final = 0.1
LOG_BYTES_MAX: Final = 1_000_000
ADVICE: Final = "stop that Headway server first, or choose another directory with --data"


class Server:
    """``start()`` answers with the conninfo of the owner; ``stop()`` ends the server."""

    def __init__(self, data: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.absolute()
        self.cluster = self.data / "postgres"
        self.run = self.data / "run"
        self.log = self.run / "postgres.log"
        self.settings = settings or {}
        self.pid: int | None = None
        self._lock = Lock(Layout(self.data), self.run / "postgres.lock", ADVICE)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        return make_conninfo(
            host=str(self.socket_directory()),
            port=5432,
            user=cluster.SUPERUSER,
            dbname=cluster.DATABASE,
        )

    @contextmanager
    def running(self) -> Iterator[str]:
        dsn = self.start()
        try:
            yield dsn
        finally:
            self.stop()

    def start(self) -> str:
        """Start or adopt the server; it accepts connections when this returns."""
        assert not self._lock.is_ours, "started already"
        self.prepare_directories()
        self._lock.acquire()
        try:
            account = account_for(self.cluster)
            binaries = reachable_by(account)
            cluster.ensure(self.cluster, account, binaries)
            self.pid = self.adopt()
            if self.pid is None:
                self.launch(account, binaries)
        except OSError as error:
            self._lock.release()
            raise explained(error, self.data) from error
        except BaseException:
            self._lock.release()
            raise
        return self.dsn

    def stop(self) -> None:
        """End the server cleanly; open transactions are rolled back. Harmless when it is ended."""
        if self.pid is not None and self.is_alive():  # its pid may be somebody else's by now
            postmaster.stop(self.pid)
        if self._process is not None:
            self._process.wait()
            self._process = None
        self.pid = None
        self._lock.release()

    def is_alive(self) -> bool:
        """Return whether the started server still runs. If not, ``stop()`` and ``start()`` recover."""
        return self.pid is not None and postmaster.is_server_of(self.pid, self.cluster)

    def prepare_directories(self) -> None:
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise explained(error, self.data) from error

    def adopt(self) -> int | None:
        """The pid of a server that still runs on the cluster, since a Headway was killed."""
        found = postmaster.read(self.cluster)
        if found is None or not postmaster.is_alive(found.pid):
            return None
        if not postmaster.is_server_of(found.pid, self.cluster):
            postmaster.disown(self.cluster)
            return None
        if postmaster.is_suspended(found.pid):
            raise NotReachable(
                f"the database, process {found.pid}, is suspended",
                where=str(self.cluster),
                hint=f"resume it: kill -CONT {found.pid}",
            )
        if not self.await_ready(found.pid):
            return None  # it was on its way out
        listening = postmaster.listener(str(self.socket_directory() / SOCKET))
        if listening != found.pid:
            raise NotReachable(
                f"process {found.pid} uses the database's directory but does not answer",
                where=str(self.cluster),
                hint=f"see {self.log}; to end it: kill -INT {found.pid}",
            )
        return found.pid

    def launch(self, account: Account, binaries: Binaries) -> None:
        """Start a server. Backends of one that was killed may still be at work: wait for them."""
        deadline = clock.monotonic() + ORPHANS_S
        while (said := self.try_to_launch(account, binaries)) is not None:
            if ORPHANS not in said or clock.monotonic() > deadline:
                raise self.failure(said)
            clock.sleep(ORPHANS_PAUSE_S)

    def try_to_launch(self, account: Account, binaries: Binaries) -> str | None:
        """Return the message of a server that ended immediately, or None when it is ready."""
        self.bound_log()
        with self.log.open("ab") as log, account.entrance(self.cluster) as (name, spawn):
            log_start = log.tell()
            process = subprocess.Popen(
                [binaries.program("postgres"), "-D", name, *arguments(self.settings)],
                cwd="/",
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: we stop it after everybody else
                **spawn,
            )
        try:
            ready = self.await_ready(process.pid)
        except BaseException:
            postmaster.stop(process.pid)
            process.wait()
            raise
        if not ready:
            process.wait()
            return self.log.read_bytes()[log_start:].decode(errors="replace")
        self._process = process
        self.pid = process.pid
        return None

    def await_ready(self, pid: int) -> bool:
        """Wait for the server to accept connections. Returns False if it ended instead."""
        deadline = clock.monotonic() + START_S
        while postmaster.read(self.cluster) != Postmaster(pid, "ready"):
            if not postmaster.is_alive(pid):
                return False
            if clock.monotonic() > deadline:
                raise NotReachable(
                    f"PostgreSQL did not become ready within {START_S:.0f} s",
                    where=str(self.cluster),
                    hint=f"see {self.log}",
                )
            clock.sleep(postmaster.PAUSE_S)
        return True

    def failure(self, said: str) -> HeadwayError:
        """Why the server did not start, from what it wrote."""
        if cluster.FULL in said:
            return StorageFull(
                "the disk is full", where=str(self.data), hint="free disk space, then try again"
            )
        fatal = [line for line in said.splitlines() if "FATAL" in line or "PANIC" in line]
        reason = cluster.last_line("\n".join(fatal) or said)
        return NotReachable(
            f"PostgreSQL did not start: {reason}",
            where=str(self.cluster),
            hint=f"see {self.log}",
        )

    def bound_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))

    def socket_directory(self) -> Path:
        """Return the directory of the socket for clients: the cluster's, or a short link to it.

        The address of a socket has room for about a hundred bytes. To a longer path leads a link
        in a private directory of the system's temporary one; ``run/socket`` remembers it.
        """
        if len(os.fsencode(self.cluster / SOCKET)) <= SOCKET_PATH_BYTES_MAX:
            return self.cluster
        note = self.run / "socket"
        if note.exists():
            link = Path(note.read_text())
            if link.is_symlink() and link.parent.stat().st_uid == os.geteuid():
                return link
        link = Path(mkdtemp(prefix="headway-"), "pg")
        link.symlink_to(self.cluster)
        note.write_text(str(link))
        return link
