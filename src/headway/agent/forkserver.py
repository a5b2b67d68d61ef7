"""The fork servers: a base server, a server for each DAG file, a child for each attempt.

The base server imports what all tasks need and forks a server for each DAG file; that server imports the file once,
freezes its heap and forks a child an attempt. For files of a heavy front end the base forks one more base server first,
which imports what they need (``Heavy``). All are single-threaded. A server kills what its children leave
behind, ends when the agent does, and keeps the fence by itself: a frozen agent must not leave children running.
"""

import contextlib
import gc
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, cast

from headway import clock, descriptors, frontends
from headway.agent import child, generators, ground, leaving, processes, proofs, rehearsal, starting
from headway.agent.causes import headline
from headway.agent.orders import ENCODER, OPENING, RECORD, Kind, Opening, Purpose
from headway.agent.scratch import Scratch
from headway.errors import HeadwayError
from headway.frontends.base import FrontEnd

FORGOTTEN = -1  # a mark whose directory a process of our own is removing
TEXT_BYTES_MAX = 4000
FDS_SPACE = socket.CMSG_SPACE(2 * 4)  # the two of a start


def open_wakeup() -> tuple[int, int]:
    """A pipe that is readable when a child has ended."""
    read_end, write_end = processes.wakeup_pipe()
    signal.signal(signal.SIGCHLD, noticed)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    return read_end, write_end


def noticed(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor has it."""


def next_record(end: socket.socket) -> tuple[bytes, list[int]]:
    """Receive a record with its descriptors, or nothing if the other side has ended."""
    try:
        data, notes, _, _ = end.recvmsg(RECORD.size, FDS_SPACE)
    except ConnectionResetError:
        return b"", []
    return data, [fd for _, _, sent in notes for fd in memoryview(sent).cast("i")]


def next_ended() -> int | None:
    """A child that ended and is not reaped: its process group is still its own."""
    try:
        info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return info.si_pid if info else None


@dataclass(slots=True)
class Heavy:
    """The base server for files of a heavy front end, and the numbers of its servers."""

    pid: int
    end: socket.socket
    numbers: set[int] = field(default_factory=set)


def heavy_one(opening: Opening) -> FrontEnd | None:
    """Return the front end of the file if it is a heavy one."""
    try:
        front_end = frontends.front_end_of(Path(opening.root), opening.file)
    except HeadwayError:  # the server of the file says so
        return None
    return front_end if front_end.heavy else None


class BaseServer:
    """``is_first``: not the one for a heavy front end."""

    is_first = True

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.servers: dict[int, int] = {}  # pid: its number
        self.heavy: Heavy | None = None
        self.wakeup, self.wakeup_end = open_wakeup()

    def run(self) -> None:
        while True:
            poll = select.poll()
            poll.register(self.control, select.POLLIN)
            poll.register(self.wakeup, select.POLLIN)
            if self.heavy is not None:
                poll.register(self.heavy.end, select.POLLIN)
            for fd, _ in poll.poll():
                if fd == self.wakeup:
                    os.read(self.wakeup, 4096)
                    self.reap()
                elif fd != self.control.fileno():
                    self.relay(fd)
                elif not self.receive():
                    end_all([*self.servers, *([self.heavy.pid] if self.heavy else [])])
                    return

    def receive(self) -> bool:
        data, fds = next_record(self.control)
        if len(data) < RECORD.size:
            return False
        kind, number, size, _ = RECORD.unpack(data)
        if kind == Kind.OPEN:
            body = self.control.recv(size, socket.MSG_WAITALL)
            opening = OPENING.decode(body)
            if (front_end := heavy_one(opening)) is not None and self.is_first:
                self.hand_on(front_end, data + body, number, fds[0])
            else:
                self.open(number, opening, fds[0])
        elif kind == Kind.SHUT:
            if self.heavy is not None and number in self.heavy.numbers:
                self.heavy.end.sendall(data)
            for pid in [pid for pid, known in self.servers.items() if known == number]:
                processes.signal_group(pid, signal.SIGKILL)
        return True

    def open(self, number: int, opening: Opening, fd: int) -> None:
        pid = os.fork()
        if pid == 0:
            self.become(opening, fd)
        os.close(fd)
        self.servers[pid] = number

    def become(self, opening: Opening, fd: int) -> NoReturn:
        """Run the server for a DAG file, in its own process."""
        with contextlib.suppress(BaseException):
            self.leave()
            FileServer(opening, socket.socket(fileno=fd)).run()
        os._exit(1)

    def leave(self) -> None:
        """Become a process of its own after a fork."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.control.close()
        os.close(self.wakeup)
        os.close(self.wakeup_end)
        if self.heavy is not None:
            self.heavy.end.close()
        processes.die_with_parent()
        processes.adopt_orphans()

    # -- files of a heavy front end

    def hand_on(self, front_end: FrontEnd, message: bytes, number: int, fd: int) -> None:
        """Let the base server that has imported what the file needs open it."""
        if self.heavy is None:
            ours, theirs = socket.socketpair()
            pid = os.fork()
            if pid == 0:
                ours.close()
                self.become_heavy(front_end, theirs)
            theirs.close()
            self.heavy = Heavy(pid, ours)
        self.heavy.numbers.add(number)
        with contextlib.suppress(OSError):  # it has died: its end is told by ``reap``
            socket.send_fds(self.heavy.end, [message], [fd])
        os.close(fd)

    def become_heavy(self, front_end: FrontEnd, control: socket.socket) -> NoReturn:
        with contextlib.suppress(BaseException):
            self.leave()
            silence()
            with contextlib.suppress(Exception, SystemExit):  # its files say what is wrong with it
                front_end.warm()
            gc.collect()
            gc.freeze()
            second = BaseServer(control)
            second.is_first = False
            second.run()
        os._exit(1)

    def relay(self, fd: int) -> None:
        """Tell the agent what the heavy base server tells."""
        if self.heavy is None or self.heavy.end.fileno() != fd:
            return  # buried since the poll
        try:
            data = self.heavy.end.recv(RECORD.size, socket.MSG_WAITALL)
        except ConnectionResetError:
            data = b""
        if len(data) == RECORD.size:
            self.heavy.numbers.discard(RECORD.unpack(data)[1])
            self.control.send(data)
        else:
            self.bury(os.waitpid(self.heavy.pid, 0)[1])

    def bury(self, status: int) -> None:
        """Tell the end of each server that died with the heavy base server."""
        assert self.heavy is not None
        heavy, self.heavy = self.heavy, None
        heavy.end.close()
        processes.kill_strays(self.servers)
        for number in heavy.numbers:
            self.control.send(RECORD.pack(Kind.EXITED, number, status, clock.monotonic()))

    def reap(self) -> None:
        while pid := next_ended():
            processes.signal_group(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            if self.heavy is not None and pid == self.heavy.pid:
                self.bury(status)
            if (number := self.servers.pop(pid, None)) is not None:
                self.control.send(RECORD.pack(Kind.EXITED, number, status, clock.monotonic()))
        processes.kill_strays([*self.servers, *([self.heavy.pid] if self.heavy else [])])


class FileServer:
    """``unforked``: threads ran when the file had been imported, and no fork has them, nor what they would give back.
    So the server began again as a new program without the file, and each attempt imports it.
    """

    def __init__(self, opening: Opening, agent: socket.socket, unforked: bool = False) -> None:
        self.unforked = unforked
        self.dags: dict[str, Any] = {} if opening.file else dict(proofs.BUILT_IN)
        self.opening = opening
        self.agent = agent
        self.fence_at = opening.fence_at
        self.children: dict[int, int] = {}  # pid: its mark
        self.own: set[int] = set()  # what the import of the DAG file started
        self.scratch = Scratch(opening.scratch)
        self.folders: dict[int, str] = {}  # the private directory of each mark

    def run(self) -> None:
        if not self.enter():
            return
        if self.opening.file and not self.unforked and not self.load():
            return
        self.wakeup, self.wakeup_end = open_wakeup()
        for dag in self.dags.values():
            dag.referenced_keys()
        child.rehearse()
        child.handle_signals()
        leaving.prepare()
        self.own = set(processes.children_of(os.getpid()))
        gc.collect()
        gc.freeze()
        gc.disable()
        self.report(Kind.READY, 0, os.getpid())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.serve()
        end_all(self.children)

    def enter(self) -> bool:
        """The copy of the bundle, held until this process and its children are gone. What is ours needs none."""
        if not self.opening.file:
            self.held = os.open(os.devnull, os.O_RDONLY)
            return True
        try:
            self.held = ground.enter(Path(self.opening.root))
        except HeadwayError as error:
            self.complain(str(error))
            return False
        return True

    def complain(self, trouble: str) -> None:
        body = trouble.encode(errors="backslashreplace")[:TEXT_BYTES_MAX]
        self.agent.sendall(RECORD.pack(Kind.BROKEN, 0, len(body), clock.monotonic()) + body)

    def load(self) -> bool:
        silence()
        finders = after_imports(
            {"random": generators.watch_random, "numpy.random": generators.watch_numpy}
        )
        environment, folder = dict(os.environ), os.getcwd()
        if trouble := self.import_file():
            self.complain(trouble)
            return False
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in finders]
        generators.stop_watching()
        if len(sys._current_frames()) > 1:
            self.begin_again(environment, folder)
        return True

    def import_file(self) -> str:
        """Import the DAG file. Errors are the user's and are reported in one line."""
        root, file = Path(self.opening.root), self.opening.file
        try:
            self.dags = dict(frontends.front_end_of(root, file).runnable(root, file))
            return ""
        except HeadwayError as error:
            return "; ".join(line.strip() for line in str(error).splitlines())
        except BaseException as error:
            return f"{file} cannot be imported: {headline(error, self.opening.root)}"

    def begin_again(self, environment: dict[str, str], folder: str) -> NoReturn:
        """Restart as a process that the file has not touched, without its threads, ports and locks."""
        processes.kill_strays(())
        os.chdir(folder)
        self.agent.set_inheritable(True)
        opening = ENCODER.encode(self.opening).hex()
        command = [sys.executable, "-P", "-m", "headway.agent.forkserver"]
        os.execve(sys.executable, [*command, str(self.agent.fileno()), "", opening], environment)

    def serve(self) -> None:
        """Serve until the agent closes its end or the fence is reached."""
        poll = select.poll()
        poll.register(self.agent, select.POLLIN)
        poll.register(self.wakeup, select.POLLIN)
        while True:
            left_s = max(self.fence_at - clock.monotonic(), 0.0)
            ready = poll.poll(left_s * 1000 + 1)
            # What was sent during a long import is read first: the fence may have moved since.
            told = any(fd == self.agent.fileno() for fd, _ in ready)
            if not told and clock.monotonic() >= self.fence_at:
                return
            for fd, _ in ready:
                if fd == self.wakeup:
                    os.read(self.wakeup, 4096)
                    self.reap()
                elif not self.receive():
                    return

    def receive(self) -> bool:
        data, fds = next_record(self.agent)
        if len(data) < RECORD.size:
            return False
        kind, mark, number, at = RECORD.unpack(data)
        if clock.monotonic() >= self.fence_at and kind != Kind.FENCE:
            return False  # sent before we were frozen: its lease is over
        if kind == Kind.START:
            self.start(mark, fds[0], fds[1], Purpose(number))
        elif kind == Kind.SIGNAL:
            for pid in [pid for pid, known in self.children.items() if known == mark]:
                processes.signal_group(pid, number)
        elif kind == Kind.FENCE:
            self.fence_at = at
        return True

    def start(self, mark: int, control: int, output: int, purpose: Purpose) -> None:
        folder = self.folders[mark] = self.scratch.take(mark)
        processes.mark(mark)
        at = clock.monotonic()  # it may run before we do again
        pid = os.fork()
        if pid == 0:
            inherited = [self.agent.detach(), self.wakeup, self.wakeup_end, self.held]
            child.become(control, output, inherited, self, folder, purpose)
        os.close(control)
        os.close(output)
        self.children[pid] = mark
        self.report(Kind.STARTED, mark, pid, at)

    def report(self, kind: Kind, mark: int, number: int, at: float | None = None) -> None:
        self.agent.sendall(RECORD.pack(kind, mark, number, at or clock.monotonic()))

    def reap(self) -> None:
        left = []
        while pid := next_ended():
            mark = self.children.pop(pid, None)
            if mark is not None and mark != FORGOTTEN:
                processes.signal_group(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                self.report(Kind.EXITED, mark, status)
                left.append(self.folders.pop(mark))
            else:
                os.waitpid(pid, 0)
        # A stray may have written in one of them after we looked.
        known = self.children.keys() | self.own
        alone = not processes.kill_strays(known, set(self.children.values()))
        for folder in left:
            if not (alone and self.scratch.keep(folder)):
                self.remove(folder)

    def remove(self, folder: str) -> None:
        """Remove the directory in a separate process, because it may take long."""
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError:
            pid = os.fork()
            if pid == 0:
                import shutil

                shutil.rmtree(folder, ignore_errors=True)
                os._exit(0)
            self.children[pid] = FORGOTTEN


def end_all(known: Iterable[int]) -> None:
    """End every child and everything they left behind."""
    for pid in known:
        processes.signal_group(pid, signal.SIGKILL)
    while True:
        processes.kill_strays(())
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def silence() -> None:
    """Discard output that a DAG file prints during import."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


class AfterImport:
    """Does something once a module has been imported, for those that a DAG file need not import: ``logging`` and
    ``threading`` make each fork slower (they run code and copy pages in every child), and ``random`` does.
    """

    def __init__(self, name: str, work: Callable[[Any], None]) -> None:
        self.name = name
        self.work = work

    def find_spec(self, name: str, path: Any, target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        sys.meta_path.remove(cast(Any, self))
        spec = PathFinder.find_spec(name, path)
        assert spec is not None
        loader: Any = spec.loader
        execute = loader.exec_module

        def executed(module: Any) -> None:
            execute(module)
            self.work(module)

        loader.exec_module = executed
        return spec


def configure_logging(module: Any) -> None:
    module.basicConfig(
        stream=sys.stderr, level=module.INFO, format="%(levelname)s %(name)s: %(message)s"
    )


def after_imports(works: dict[str, Callable[[Any], None]]) -> list[Any]:
    for name in works.keys() & sys.modules.keys():
        works[name](sys.modules[name])
    finders: list[Any] = [
        AfterImport(name, work) for name, work in works.items() if name not in sys.modules
    ]
    sys.meta_path[:0] = finders
    return finders


def prepare() -> None:
    """Prepare the state that all children inherit."""
    imported = {"logging", "random", "numpy.random"} & sys.modules.keys()
    assert not imported, f"every fork is slower than expected: {imported}"
    after_imports({"logging": configure_logging})
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True, encoding="utf-8", errors="backslashreplace")
    # Processes that a task spawns would import us, as the main module of the task.
    main_module = sys.modules["__main__"]
    main_module.__spec__ = main_module.__file__ = None
    processes.buffer_lines()
    child.limit(resource.RLIMIT_CORE, 0)
    descriptors.restore_limit()
    processes.adopt_orphans()


def main(fd: int, log: str, opening: str = "") -> None:
    """``log``: the descriptor of the agent's standard error, to which ours goes once we can work."""
    if not opening:  # suspended, it would not see that the agent is gone
        processes.die_with_parent(signal.SIGCONT)
    prepare()
    for _ in range(rehearsal.TIMES):
        child.rehearse()
        leaving.something_left()
        generators.renew()
    for name in child.ENVIRONMENT:
        del os.environ[name]
    gc.collect()
    gc.freeze()
    connection = socket.socket(fileno=fd)
    connection.set_inheritable(False)
    if opening:
        FileServer(OPENING.decode(bytes.fromhex(opening)), connection, unforked=True).run()
    else:
        starting.begun(int(log))
        BaseServer(connection).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
