"""Imports DAG files in untrusted children, many at once, and answers with data: specs or a trouble.

Rule 1: a report is untrusted: its size, types and meaning are checked again here.
Rule 2: whatever an import does (crash, hang, print without end, kill the process that forks), it ends within its
limits as the trouble of its own file. Rule 3: an import that takes long gives its place to the next one and goes on in
the background. The zygote is exec'ed with an environment in which no credential is left.
"""

import os
import re
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from headway import clock, descriptors
from headway.agent.users import spawned_as
from headway.errors import HeadwayError
from headway.frontends.base import Trouble, few
from headway.loader.import_child import (
    DESCENDANTS_MAX,
    PACKET_BYTES_MAX,
    REPORT_BYTES_MAX,
    Began,
    Ended,
    Report,
    Start,
    Stop,
)
from headway.spec.model import Dag
from headway.spec.validate import validate

TIME_LIMIT_S: Final = 30.0
MEMORY_LIMIT_BYTES: Final = 2 << 30
OUTPUT_BYTES_MAX: Final = 16 << 20
OUTPUT_KEPT: Final = 16 << 10
WARNING_CHARS_MAX: Final = 500
SLOW_S: Final = 1.0  # after that an import no longer holds a place
BACKGROUND_MAX: Final = 32
READ_BYTES: Final = 256 << 10
LOOK_S: Final = 1.0  # whether the zygote is suspended: in two looks in a row, then it is replaced
BEGIN_S_MAX: Final = 300.0  # for the zygote to begin with a file: it may import Airflow first
ANSWER_S_MAX: Final = 30.0  # for the zygote to tell of the end of what it was told to stop
CLOSE_S_MAX: Final = 5.0

Selector = selectors.DefaultSelector


@dataclass(frozen=True, slots=True)
class Job:
    """One file of one bundle; ``key`` is the caller's own."""

    key: str
    root: Path
    file: str


@dataclass(frozen=True, slots=True)
class Imported:
    job: Job
    dags: tuple[Dag, ...]
    trouble: Trouble | None
    files: frozenset[str]
    folders: frozenset[str]
    seconds: float
    warnings: tuple[Trouble, ...] = ()


@dataclass(slots=True)
class Running:
    job: Job
    number: int
    report_fd: int
    output_fd: int
    started: float  # its process; before there is one, when it was asked for
    time_limit_s: float
    began: bool = False
    verdict: str | None = None  # why we stopped it
    late: bool = False  # stopped for its time; it may have ended before, which we had not read
    stopped_at: float = 0.0
    report: bytearray = field(default_factory=bytearray)
    output: bytearray = field(default_factory=bytearray)  # its end
    printed: int = 0

    @property
    def due(self) -> float:
        """Return when it is stopped, unless it has ended."""
        return self.started + (self.time_limit_s if self.began else BEGIN_S_MAX)


class Importer:
    """Give it jobs by ``submit``, drive it by ``selector`` and ``tend``; ``done`` is called for each."""

    def __init__(
        self,
        selector: Selector,
        done: Callable[[Imported], None],
        *,
        environment: Mapping[str, str],
        places: int | None = None,
        time_limit_s: float = TIME_LIMIT_S,
        uid: int | None = None,
    ) -> None:
        self.selector = selector
        self.done = done
        self.environment = environment
        self.places = places or os.cpu_count() or 1
        self.time_limit_s = time_limit_s
        self.uid = uid
        self.queue: dict[str, Job] = {}
        self.suspects: dict[str, Job] = {}  # running when the zygote died: again, one by one
        self.running: dict[int, Running] = {}
        self.number = 0
        self.start_zygote()

    def start_zygote(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-P", "-m", "headway.loader.import_child"]
            self.zygote = subprocess.Popen(
                [*command, str(theirs.fileno())],
                env={**self.environment, **descriptors.original()},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                **spawned_as(self.uid),
            )
        self.selector.register(self.control, selectors.EVENT_READ, self.on_control)
        self.suspended = 0  # looks in a row
        self.look_at = clock.monotonic() + LOOK_S

    def close(self) -> None:
        for running in list(self.running.values()):
            self.forget(running)
        self.selector.unregister(self.control)
        self.control.close()  # it ends by itself, with all children
        self.zygote.send_signal(signal.SIGCONT)  # should a file have suspended it
        try:
            self.zygote.wait(CLOSE_S_MAX)
        except subprocess.TimeoutExpired:
            self.zygote.kill()
            self.zygote.wait()

    # -- jobs

    def submit(self, jobs: Iterable[Job]) -> None:
        """Queue a job. Replaces a queued job with the same key, and stops a running one."""
        for job in jobs:
            self.withdraw(job.key)
            self.queue[job.key] = job

    def withdraw(self, key: str) -> None:
        self.queue.pop(key, None)
        self.suspects.pop(key, None)
        for running in [r for r in self.running.values() if r.job.key == key]:
            self.send(Stop(running.number))
            self.forget(running)

    @property
    def idle(self) -> bool:
        return not (self.queue or self.running or self.suspects)

    def tend(self) -> float | None:
        """Stop jobs that exceed their time and start queued ones. Returns the time until the next one is due."""
        now = clock.monotonic()
        if self.look_after_zygote(now):
            return 0.0
        for running in self.running.values():
            if running.verdict is not None or now < running.due:
                continue
            running.late = True
            if running.began:
                self.stop(running, f"takes longer than {running.time_limit_s:g} s to import")
            else:
                self.stop(running, f"waits longer than {BEGIN_S_MAX:g} s for its import to begin")
        while self.queue and self.has_place(now):
            self.start(self.queue.pop(next(iter(self.queue))))
        if not self.queue and self.suspects and not self.running:
            self.start(self.suspects.pop(next(iter(self.suspects))))
        return self.next_due(now)

    def look_after_zygote(self, now: float) -> bool:
        """Replace the zygote if it cannot work, for instance because a file suspended it.

        Returns whether it was replaced, which may end jobs.
        """
        deed = ""
        if now >= self.look_at:
            self.look_at = now + LOOK_S
            self.suspended = self.suspended + 1 if is_suspended(self.zygote.pid) else 0
            if self.suspended > 1:
                deed = "suspends the process that imports DAG files"
        late = now - ANSWER_S_MAX
        if any(r.verdict is not None and r.stopped_at < late for r in self.running.values()):
            deed = deed or "blocks the process that imports DAG files"
        if deed:
            self.accuse(self.replace_zygote(), deed)
        return bool(deed)

    def has_place(self, now: float) -> bool:
        fast = sum(now - running.started < SLOW_S for running in self.running.values())
        return fast < self.places and len(self.running) < self.places + BACKGROUND_MAX

    def next_due(self, now: float) -> float | None:
        due = []
        for running in self.running.values():
            if running.verdict is None:
                due.append(running.due)
            else:
                due.append(running.stopped_at + ANSWER_S_MAX)
            if self.queue and now - running.started < SLOW_S:
                due.append(running.started + SLOW_S)
        return max(0.0, min(*due, self.look_at) - now) if due else None

    def start(self, job: Job) -> None:
        self.number += 1
        report_fd, report_theirs = os.pipe()
        output_fd, output_theirs = os.pipe()
        request = Start(self.number, str(job.root), job.file, self.time_limit_s, MEMORY_LIMIT_BYTES)
        running = Running(
            job, self.number, report_fd, output_fd, clock.monotonic(), self.time_limit_s
        )
        self.running[self.number] = running
        for fd, read in ((report_fd, self.read_report), (output_fd, self.read_output)):
            os.set_blocking(fd, False)
            self.selector.register(fd, selectors.EVENT_READ, partial(read, running))
        self.send(request, [report_theirs, output_theirs])
        os.close(report_theirs)
        os.close(output_theirs)

    def stop(self, running: Running, verdict: str) -> None:
        if running.verdict is None:
            running.verdict, running.stopped_at = verdict, clock.monotonic()
            self.send(Stop(running.number))

    def send(self, request: Start | Stop, fds: list[int] | None = None) -> None:
        with suppress(OSError):  # the zygote is gone: ``on_control`` is told so too
            socket.send_fds(self.control, [msgspec.json.encode(request)], fds or [])

    # -- events

    def on_control(self) -> None:
        try:
            packet = self.control.recv(PACKET_BYTES_MAX)
        except ConnectionError:
            packet = b""
        if not packet:
            self.accuse(self.replace_zygote(), "kills the process that imports DAG files")
            return
        told = msgspec.json.decode(packet, type=Began | Ended)
        running = self.running.get(told.number)
        if running is None:
            return  # withdrawn
        if isinstance(told, Began):
            running.started, running.began = clock.monotonic(), True
            return
        self.read_report(running)
        self.read_output(running)
        self.forget(running)
        self.done(conclude(running, told))

    def replace_zygote(self) -> list[Running]:
        """Start another zygote and forget the jobs of the old one."""
        self.selector.unregister(self.control)
        self.control.close()
        self.zygote.kill()
        self.zygote.wait()
        victims = list(self.running.values())
        for running in victims:
            self.forget(running)
        self.start_zygote()
        return victims

    def accuse(self, victims: list[Running], deed: str) -> None:
        """Handle the end of the zygote. A file that was alone with it is to blame; several are tried again alone."""
        if len(victims) == 1:
            self.done(troubled(victims[0], Trouble(deed)))
        else:
            self.suspects |= {running.job.key: running.job for running in victims}

    def read_report(self, running: Running) -> None:
        if running.number not in self.running:
            return  # forgotten since the selector saw it
        if data := self.read(running.report_fd):
            running.report += data
            if len(running.report) > REPORT_BYTES_MAX:
                running.report.clear()
                limit = REPORT_BYTES_MAX >> 20
                self.stop(running, f"its DAGs produce more than {limit} MB of specs")

    def read_output(self, running: Running) -> None:
        if running.number not in self.running:
            return
        if data := self.read(running.output_fd):
            running.printed += len(data)
            running.output += data
            del running.output[:-OUTPUT_KEPT]
            if running.printed > OUTPUT_BYTES_MAX:
                limit = OUTPUT_BYTES_MAX >> 20
                self.stop(running, f"prints more than {limit} MB during import")

    def read(self, fd: int) -> bytes:
        """Read what a pipe has now. Stop watching it at its end."""
        parts = []
        while True:
            try:
                data = os.read(fd, READ_BYTES)
            except BlockingIOError:
                break
            if not data:
                if fd in self.selector.get_map():
                    self.selector.unregister(fd)
                break
            parts.append(data)
            if len(parts) * READ_BYTES > OUTPUT_BYTES_MAX:
                break
        return b"".join(parts)

    def forget(self, running: Running) -> None:
        del self.running[running.number]
        for fd in (running.report_fd, running.output_fd):
            if fd in self.selector.get_map():
                self.selector.unregister(fd)
            os.close(fd)


def is_suspended(pid: int) -> bool:
    """Return whether a child, which is not reaped, is suspended."""
    return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def conclude(running: Running, ended: Ended) -> Imported:
    if ended.crowd:
        verdict = f"starts more than {DESCENDANTS_MAX} processes during import"
        return troubled(running, Trouble(verdict))
    in_time = running.late and ended.exit_code == 0  # its end waited to be read, not we for it
    if running.verdict is not None and not in_time:
        return troubled(running, Trouble(running.verdict, crash_line(running)))
    if not running.report:
        return troubled(running, Trouble(ending(ended.exit_code), crash_line(running)))
    try:
        report = msgspec.json.decode(running.report, type=Report)
        dags = tuple(checked(dag, running.job.file) for dag in report.dags)
    except (msgspec.MsgspecError, HeadwayError, RecursionError) as error:
        return troubled(running, trouble_of(error))
    return Imported(
        job=running.job,
        dags=dags if report.trouble is None else (),
        trouble=report.trouble,
        files=frozenset(report.files),
        folders=frozenset(report.folders),
        seconds=clock.monotonic() - running.started,
        warnings=tuple(map(shortened, few(report.warnings))),
    )


def shortened(warning: Trouble) -> Trouble:
    """Clean an untrusted text so that the database can store it."""
    message = warning.message.replace("\0", "")[:WARNING_CHARS_MAX]
    hint = (warning.hint or "").replace("\0", "")[:WARNING_CHARS_MAX]
    return Trouble(message, warning.line, hint or None, warning.dag_id)


def checked(dag: Dag, file: str) -> Dag:
    """Check an untrusted spec, and set the file that it comes from."""
    dag = msgspec.structs.replace(dag, file=file)
    validate(dag)
    return dag


def trouble_of(error: Exception) -> Trouble:
    if isinstance(error, HeadwayError):
        line = re.search(r":(\d+)$", error.where or "")
        return Trouble(error.message, int(line[1]) if line else None, error.hint)
    return Trouble(f"its report is not a valid DAG spec: {error}")


def troubled(running: Running, trouble: Trouble) -> Imported:
    seconds = clock.monotonic() - running.started
    return Imported(running.job, (), trouble, frozenset(), frozenset(), seconds)


def ending(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ends the process with exit code {exit_code} during import (os._exit?)"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"the process that imports it was killed by {name}"


def crash_line(running: Running) -> int | None:
    """Find the line of a crash in faulthandler's stack on stderr, innermost frame first."""
    path = re.escape(f"{running.job.root}/{running.job.file}".encode())
    found = re.search(rb'File "' + path + rb'", line (\d+) in', running.output)
    return int(found[1]) if found else None
