"""The agent's fork servers: started on demand, kept warm, closed when idle or broken."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final, Protocol

from headway import clock, descriptors
from headway.agent import processes
from headway.agent.loop import Loop
from headway.agent.orders import ENCODER, RECORD, Kind, Opening
from headway.agent.scratch import remove_empty
from headway.agent.starting import Start, last_line
from headway.agent.users import Umask
from headway.paths import bundle_root

PYTHON: Final = sys.executable
ALIVE_MAX: Final = 8  # more only while more are busy
IDLE_S_MAX: Final = 300.0
IMPORT_S_MAX: Final = 30.0
READ_BYTES: Final = 1 << 16
LAST_READS: Final = 16
# Our own settings are not for tasks, nor is what the last one names (``loader.environment``).
PREFIX: Final = "HEADWAY_"
PRIVATE: Final = "HEADWAY_PRIVATE"
END_S_MAX: Final = 5.0  # for the base server to end all it started, when we end
SEND_S_MAX: Final = 10.0  # a base server that takes nothing for so long is replaced
# What a process brings upon itself, and the same file will again. Every other signal comes from outside.
CRASHES: Final = frozenset(
    {
        signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV,
        signal.SIGSYS, signal.SIGTRAP, signal.SIGXCPU, signal.SIGXFSZ,
    }
)  # fmt: skip


class Owner(Protocol):
    """The listener to events of servers and their children."""

    def server_ready(self, server: "FileServer") -> None: ...
    def server_gone(self, server: "FileServer", cause: str, detail: str) -> None:
        """``cause`` is "import" when the file is at fault: it cannot be imported."""

    def child_started(self, mark: int, pid: int, at: float) -> None: ...
    def child_exited(self, mark: int, status: int, at: float) -> None: ...
    def server_shut(self, server: "FileServer") -> None: ...
    def base_gone(self) -> None: ...


def environment() -> dict[str, str]:
    """Return the environment of tasks."""
    private = os.environ.get(PRIVATE, "").split(",")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) and name not in private
    } | descriptors.original()


class FileServer:
    """The server for one DAG file of one bundle version."""

    def __init__(self, number: int, version: str, file: str, end: socket.socket) -> None:
        self.number = number
        self.version = version
        self.file = file
        self.socket = end
        self.pid = 0  # known when it is ready
        self.buffer = bytearray()
        self.ready = False
        self.shut = False
        self.broken = ""  # why the file cannot be imported
        self.marks: set[int] = set()
        self.triggerers = 0
        self.used_at = clock.monotonic()

    def send(
        self, kind: Kind, mark: int, number: int, at: float, fds: tuple[int, ...] = ()
    ) -> bool:
        """Send a message. Returns False if the server accepts nothing and did not receive it."""
        record = RECORD.pack(kind, mark, number, at)
        try:
            if fds:
                socket.send_fds(self.socket, [record], fds)
            else:
                self.socket.send(record)
        except OSError:
            return False
        return True


class Servers:
    def __init__(self, loop: Loop, data: Path, scratch: Path, alive_max: int, owner: Owner) -> None:
        self.loop = loop
        self.data = data
        self.scratch = scratch
        self.alive_max = max(ALIVE_MAX, alive_max)
        self.owner = owner
        self.base: subprocess.Popen[bytes] | None = None
        self.known: dict[tuple[str, str], FileServer] = {}
        self.by_number: dict[int, FileServer] = {}  # also those that are on their way out
        self.count = 0
        self.fence_at = 0.0

    # -- the base server

    def start_base(self) -> str:
        """Return why it cannot be started; nothing, if it is."""
        ours, theirs = socket.socketpair()
        start = Start()
        fds = (theirs.fileno(), start.log)
        command = [PYTHON, "-P", "-m", "headway.agent.forkserver", *map(str, fds)]
        try:
            self.base = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=start.said, pass_fds=fds, env=environment(),
                start_new_session=True, umask=Umask.original,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            start.close()
            return f"the fork server cannot be started: {error.strerror}: {PYTHON}"
        finally:
            theirs.close()
            start.taken()
        self.start = start
        ours.settimeout(SEND_S_MAX)
        self.control = ours
        self.base_buffer = bytearray()
        self.loop.watch(ours.fileno(), self.read_base)
        return ""

    def read_base(self) -> None:
        try:
            data = self.control.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self.base_died()
            return
        self.base_buffer += data
        while len(self.base_buffer) >= RECORD.size:
            _, number, status, _ = RECORD.unpack_from(self.base_buffer)
            del self.base_buffer[: RECORD.size]
            self.exited(number, status)

    def base_died(self) -> None:
        """React to the death of the base: its servers die with it, their children when we close the sockets."""
        assert self.base is not None
        self.loop.forget(self.control.fileno())
        self.control.close()
        status = self.start.end(self.base)
        why = self.why_died(status)
        self.start.close()
        self.base = None
        for number in list(self.by_number):
            if (server := self.pop(number)) is not None:
                self.owner.server_gone(server, "server", why)
        self.owner.base_gone()

    def why_died(self, status: int) -> str:
        """Say how the base server ended: by its last line, if it ended at its start."""
        if self.start.killed:
            return f"the fork server {self.start.killed}, and was killed"
        if said := last_line(self.start.text()):
            return f"the fork server {ending(status)} at its start: {said}"
        if os.WIFEXITED(status):
            return f"the fork server {ending(status)}; the log of the agent says why"
        return f"the fork server {ending(status)}{hint(status)}"

    def failed_to_start(self, number: int, why: str) -> None:
        if (server := self.pop(number)) is not None:
            self.owner.server_gone(server, "server", why)

    def end(self) -> None:
        """The base server ends its servers when our end of its socket is closed."""
        for server in list(self.by_number.values()):
            self.retire(server)
        if self.base is None:
            return
        self.control.close()
        self.start.close()
        self.base.send_signal(signal.SIGCONT)  # should somebody have stopped it
        try:
            self.base.wait(END_S_MAX)
        except subprocess.TimeoutExpired:
            self.base.kill()
            self.base.wait()
            processes.kill_strays(())

    # -- servers

    def get(self, version: str, file: str) -> FileServer:
        """The server for a DAG file, which may not be ready yet."""
        server = self.known.get((version, file)) or self.open(version, file)
        server.used_at = clock.monotonic()
        return server

    def open(self, version: str, file: str) -> FileServer:
        why = self.start_base() if self.base is None else ""
        self.make_room()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours.setblocking(False)
        self.count += 1
        server = FileServer(self.count, version, file, ours)
        self.known[version, file] = self.by_number[server.number] = server
        self.loop.watch(ours.fileno(), lambda: self.read(server))
        if why:
            theirs.close()
            self.loop.at(clock.monotonic(), lambda: self.failed_to_start(server.number, why))
            return server
        root = str(bundle_root(self.data, version))
        body = ENCODER.encode(Opening(root, file, self.folder_of(server), self.fence_at))
        record = RECORD.pack(Kind.OPEN, server.number, len(body), 0.0)
        assert self.base is not None
        try:
            socket.send_fds(self.control, [record], [theirs.fileno()])
            self.control.sendall(body)
        except ConnectionError:  # it is dead: its end of file tells
            pass
        except OSError:  # as good as dead
            self.start.killed = f"took no request within {SEND_S_MAX:g} s"
            self.base.kill()
        theirs.close()
        self.loop.at(clock.monotonic() + IMPORT_S_MAX, lambda: self.limit_import(server))
        return server

    def folder_of(self, server: FileServer) -> str:
        """Return the parent of the children's private directories."""
        return f"{self.scratch}/{server.number}"

    def make_room(self) -> None:
        idle = sorted(
            (
                one
                for one in self.known.values()
                if one.ready and not one.marks and not one.triggerers
            ),
            key=lambda server: server.used_at,
        )
        for server in idle[: max(0, len(self.known) + 1 - self.alive_max)]:
            self.retire(server)

    def retire(self, server: FileServer) -> None:
        """Close the server's socket, on which the server ends by itself."""
        self.forget(server)
        self.close(server)

    def forget(self, server: FileServer) -> None:
        """Drop the server, so that the file's next attempt gets a new one."""
        if self.known.get((server.version, server.file)) is server:
            del self.known[server.version, server.file]

    def close(self, server: FileServer) -> None:
        if not server.shut:
            server.shut = True
            self.owner.server_shut(server)
            self.loop.forget(server.socket.fileno())
            server.socket.close()

    def retire_idle(self, unused_s: float) -> list[FileServer]:
        """Close the servers that have not been used for ``unused_s``, and return the others."""
        now = clock.monotonic()
        for server in list(self.known.values()):
            busy = server.marks or server.triggerers
            if server.ready and not busy and server.used_at < now - IDLE_S_MAX:
                self.retire(server)
        return [one for one in self.known.values() if one.used_at < now - unused_s]

    def limit_import(self, server: FileServer) -> None:
        if not server.ready and not server.shut:
            server.broken = f"importing {server.file} took longer than {IMPORT_S_MAX:g} s"
            self.kill(server)

    def kill(self, server: FileServer) -> None:
        """Kill the server with its attempts. The base server reports its end."""
        self.forget(server)
        with contextlib.suppress(OSError):
            self.control.send(RECORD.pack(Kind.SHUT, server.number, 0, 0.0))

    def kill_all(self) -> None:
        for server in list(self.by_number.values()):
            self.kill(server)

    def fence(self, at: float) -> None:
        self.fence_at = at
        for server in self.known.values():
            server.send(Kind.FENCE, 0, 0, at)

    # -- what they say

    def read(self, server: FileServer) -> None:
        try:
            data = server.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.forget(server)
            self.close(server)  # the base server will tell how it ended
            return
        server.buffer += data
        self.handle(server)

    def handle(self, server: FileServer) -> None:
        buffer = server.buffer
        while len(buffer) >= RECORD.size:
            kind, mark, number, at = RECORD.unpack_from(buffer)
            size = RECORD.size
            if kind == Kind.BROKEN:
                size += number
                if len(buffer) < size:
                    return
                server.broken = buffer[RECORD.size : size].decode(errors="replace")
            del buffer[:size]
            if kind == Kind.STARTED:
                self.owner.child_started(mark, number, at)
            elif kind == Kind.EXITED:
                self.owner.child_exited(mark, number, at)
            elif kind == Kind.READY:
                server.ready, server.pid = True, number
                server.send(Kind.FENCE, 0, 0, self.fence_at)
                self.owner.server_ready(server)

    def pop(self, number: int) -> FileServer | None:
        """Return a server that has ended, once, with all that it said before it died."""
        server = self.by_number.pop(number, None)
        if server is None:
            return None
        for _ in range(LAST_READS):
            if not server.shut:
                self.read(server)
        self.forget(server)
        self.close(server)
        remove_empty(self.folder_of(server))
        return server

    def exited(self, number: int, status: int) -> None:
        if (server := self.pop(number)) is None:
            return
        if server.ready:
            self.owner.server_gone(server, "server", f"the fork server {ending(status)}")
        elif not server.broken and came_from_outside(status):
            why = f"the process that imports {server.file} {ending(status)}{hint(status)}"
            self.owner.server_gone(server, "server", why)
        else:
            why = server.broken or f"importing {server.file} {ending(status)}"
            self.owner.server_gone(server, "import", why)


def came_from_outside(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) not in CRASHES


def hint(status: int) -> str:
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return ": the machine may be out of memory" if killed else ""


def ending(status: int) -> str:
    """Describe how a process ended, from its wait status."""
    if os.WIFSIGNALED(status):
        return f"was ended by {signal_name(os.WTERMSIG(status))}"
    return f"exited with code {os.WEXITSTATUS(status)}"


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
