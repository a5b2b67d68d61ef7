"""The untrusted side of the importer: a warm process (zygote) that forks one child for each DAG file.

Run as ``python -P -m headway.loader.import_child FD``; FD is a socket of packets, JSON both ways.
Rule 1: it is exec'ed with a cleaned environment and never sees the database. Rule 2: a child ends by ``os._exit``,
a signal or a limit, and all it started ends with it: the zygote is the subreaper of its orphans.
Rule 3: when the socket closes (the loader is gone), everything ends.
"""

import contextlib
import ctypes
import faulthandler
import gc
import os
import resource
import selectors
import signal
import socket
import sys
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from headway import clock, descriptors, frontends
from headway.agent import processes
from headway.frontends.base import Loaded, Trouble
from headway.spec.arguments import without_arguments
from headway.spec.carried import flaw_of_text, shown
from headway.spec.errors import BadSpec
from headway.spec.model import Dag

PACKET_BYTES_MAX: Final = 64 * 1024
REPORT_BYTES_MAX: Final = 16 << 20
DESCENDANTS_MAX: Final = 128
PROCESSES_MAX: Final = 256  # the kernel's limit: a bomb that outruns every watcher meets it
WATCH_S: Final = 0.05  # while something is imported: strays and fork bombs are looked for
FIRST_UID: Final = 3_000_000_000
NICENESS: Final = 5
PR_CAPBSET_DROP: Final = 24
CAP_LAST: Final = 40
CAPABILITY_VERSION_3: Final = 0x20080522


class Start(msgspec.Struct, frozen=True, tag=True):
    """Import ``file``; comes with two descriptors: for the report, for what it prints."""

    number: int
    root: str
    file: str
    time_limit_s: float
    memory_limit_bytes: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    number: int


class Began(msgspec.Struct, frozen=True, tag=True):
    """Its process exists. What files of its kind need, imported once for all of them, was there before."""

    number: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    number: int
    exit_code: int  # negative: the signal
    crowd: bool = False  # stopped because it started too many processes


class Report(msgspec.Struct, frozen=True):
    """The result of a child: DAGs or an error, warnings, and the files and folders of the bundle that it read."""

    dags: list[Dag] = []
    trouble: Trouble | None = None
    warnings: list[Trouble] = []
    files: list[str] = []
    folders: list[str] = []


@dataclass(slots=True)
class Forked:
    number: int
    crowd: bool = False


@dataclass(slots=True)
class Zygote:
    control: socket.socket
    children: dict[int, Forked] = field(default_factory=dict)  # by pid


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    descriptors.restore_limit()
    processes.adopt_orphans()
    processes.die_with_parent(signal.SIGCONT)  # suspended, it would not see that the loader is gone
    for front_end in frontends.FRONT_ENDS:
        if not front_end.heavy:
            front_end.warm()
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the loader
    gc.collect()
    gc.freeze()
    zygote = Zygote(control)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    watched = clock.monotonic()
    while True:
        ready = {key.fileobj for key, _ in selector.select(WATCH_S if zygote.children else None)}
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                wake.recv(4096)
        if reap(zygote):
            processes.kill_strays(zygote.children)
        if control in ready and not serve(zygote):
            end(zygote)
            return
        if clock.monotonic() - watched > WATCH_S:
            watched = clock.monotonic()
            processes.kill_strays(zygote.children)
            kill_crowds(zygote)


def serve(zygote: Zygote) -> bool:
    """Handle one request. Returns False if the loader has ended."""
    try:
        packet, fds, _, _ = socket.recv_fds(zygote.control, PACKET_BYTES_MAX, 2)
    except ConnectionError:
        return False
    if not packet:
        return False
    request = msgspec.json.decode(packet, type=Start | Stop)
    if isinstance(request, Stop):
        for pid, child in zygote.children.items():
            if child.number == request.number:
                processes.signal_group(pid, signal.SIGKILL)
        return True
    warm_for(request)
    pid = os.fork()
    if pid == 0:
        try:
            run_child(request, report_fd=fds[0], output_fd=fds[1])
        finally:
            os._exit(1)  # nothing that happens in a child may make a second zygote of it
    zygote.children[pid] = Forked(request.number)
    for fd in fds:
        os.close(fd)
    tell(zygote, Began(request.number))
    return True


def tell(zygote: Zygote, message: Began | Ended) -> None:
    with contextlib.suppress(ConnectionError):
        zygote.control.send(msgspec.json.encode(message))


def warm_for(start: Start) -> None:
    """Import once, not in every child, what files of a heavy front end need. What goes wrong, the child says."""
    with contextlib.suppress(Exception, SystemExit):
        front_end = frontends.front_end_of(Path(start.root), start.file)
        if front_end.heavy:
            front_end.warm()
            gc.freeze()


def reap(zygote: Zygote) -> bool:
    """Reap ended children. Returns whether there were any."""
    reaped = False
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return reaped
        if pid == 0:
            return reaped
        reaped = True
        forked = zygote.children.pop(pid, None)
        if forked is None:
            continue  # an orphan
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)  # at once: no fork can run away from it
        tell(zygote, Ended(forked.number, os.waitstatus_to_exitcode(status), forked.crowd))


def kill_crowds(zygote: Zygote) -> None:
    for pid, forked in zygote.children.items():
        if next(islice(processes.tree([pid]), 1 + DESCENDANTS_MAX, None), None) is not None:
            forked.crowd = True
            processes.signal_group(pid, signal.SIGKILL)


def end(zygote: Zygote) -> None:
    for pid in zygote.children:
        processes.signal_group(pid, signal.SIGKILL)
    while processes.kill_strays(()):
        reap(zygote)


# -- in the child


def run_child(start: Start, report_fd: int, output_fd: int) -> None:
    """Import the file and end the process. Never returns."""
    own_pid = os.getpid()
    os.setsid()
    report_fd = keep_only(report_fd, output_fd)
    restrict(start)
    limit_processes(start.number)
    processes.die_with_parent()
    report = attempt(start)
    if os.getpid() == own_pid:  # a fork of the file's own making has nothing to report
        write_all(report_fd, encode(report))
    sys.stdout.flush()
    os._exit(0)


def keep_only(report_fd: int, output_fd: int) -> int:
    """Keep only the standard streams and the report, and close the zygote's other descriptors."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    report_fd = os.dup2(report_fd, max(report_fd, output_fd, 2) + 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    kept = os.dup2(report_fd, 3, inheritable=False)
    os.closerange(4, 4096)  # the zygote itself has a handful
    return kept


def restrict(start: Start) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cpu_s = int(start.time_limit_s) + 5  # should nobody be left to stop it
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    memory = start.memory_limit_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    faulthandler.enable()  # a crash says its line
    # So does a file that hangs, just before it is stopped.
    faulthandler.dump_traceback_later(max(0.05, start.time_limit_s - 0.2), repeat=True)


def limit_processes(number: int) -> None:
    """The kernel counts processes by real user id, and never root's.

    So under root each import gets a real user id of its own and loses the capabilities, which lift the limit and
    open other processes' memory; its effective id, by which files are opened, stays. Other users are counted with
    all they run.
    """
    os.nice(NICENESS)
    limit = PROCESSES_MAX
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a user namespace may know only few ids
            os.setresuid(FIRST_UID + number % 1_000_000, 0, 0)
        drop_capabilities()
    else:
        running = (
            Path("/proc/loadavg").read_text().split()[3] if sys.platform == "linux" else "/4096"
        )
        limit += int(running.split("/")[1])
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


def drop_capabilities() -> None:
    """Drop capabilities, including those that a program started as root would regain."""
    if sys.platform != "linux":
        return
    for capability in range(CAP_LAST + 1):
        processes.LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    processes.LIBC.capset(
        header, (ctypes.c_uint32 * 6)()
    )  # effective, permitted, inheritable: nothing


def attempt(start: Start) -> Report:
    root = Path(start.root)
    files: set[str] = set()
    folders: set[str] = set()
    sys.addaudithook(recorder(start.root + "/", files, folders))
    sys.dont_write_bytecode = True
    loaded = Loaded([])
    trouble: Trouble | None = None
    try:
        loaded = frontends.front_end_of(root, start.file).load(root, start.file)
    except BadSpec as error:
        trouble = from_bad_spec(error, start)
    except MemoryError:
        trouble = Trouble(f"needs more than {start.memory_limit_bytes >> 20} MB to import")
    except Exception as error:
        trouble = Trouble(f"cannot be read: {type(error).__name__}: {error}")
    return Report(
        loaded.dags,
        trouble and told(trouble, start.root),
        [told(warning, start.root) for warning in loaded.warnings],
        *(
            sorted(path for path in paths if flaw_of_text(path) is None)
            for paths in (files, folders)
        ),
    )


def told(trouble: Trouble, root: str) -> Trouble:
    """Return a message that can be stored, with paths relative to the bundle."""
    message = shown(trouble.message).replace(root + "/", "")
    return Trouble(message, trouble.line, trouble.hint and shown(trouble.hint), trouble.dag_id)


def from_bad_spec(error: BadSpec, start: Start) -> Trouble:
    """Add the place to the message if it is in another file of the bundle."""
    place = error.file or start.file
    relative = place.removeprefix(start.root + "/")
    if relative == start.file or place == str(Path(start.root, start.file)):
        return Trouble(error.message, error.line, error.hint)
    return Trouble(f"{error.message} (in {relative}:{error.line})", None, error.hint)


def recorder(prefix: str, files: set[str], folders: set[str]) -> Any:
    """An audit hook that records which files of the bundle are read, so that changes trigger a new import."""

    def record(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path = arguments[0]
            if isinstance(path, str) and path.startswith(prefix):
                files.add(path.removeprefix(prefix))
        elif event in ("os.listdir", "os.scandir"):
            path = str(arguments[0] or "") + "/"
            if path.startswith(prefix) and not by_import_system():
                folders.add(path.removeprefix(prefix).strip("/"))

    return record


def by_import_system() -> bool:
    return sys._getframe(2).f_code.co_filename.startswith("<frozen importlib")


def encode(report: Report) -> bytes:
    """Arguments are left out rather than DAGs refused because there are many of them."""
    try:
        encoded = msgspec.json.encode(report)
        if len(encoded) > REPORT_BYTES_MAX:
            bare = [without_arguments(dag) for dag in report.dags]
            encoded = msgspec.json.encode(msgspec.structs.replace(report, dags=bare))
        return encoded
    except Exception as error:
        broken = msgspec.structs.replace(
            report, dags=[], trouble=Trouble(f"contains a value that is not JSON: {error}")
        )
        return msgspec.json.encode(broken)


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


if __name__ == "__main__":
    main()
