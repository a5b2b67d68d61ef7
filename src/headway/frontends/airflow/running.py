"""Running a task of Airflow: its own task runner in a process below ours, which answers what the runner asks.

The runner is Airflow's code, unmodified, forked from a process that has imported the DAG file. It sees a socket as
descriptor 0, on which it speaks as it does with Airflow's supervisor. Both processes are in the group of the attempt:
what ends the attempt ends both.
"""

import os
import select
import signal
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import msgspec

from headway.authoring.execute import Inputs, Result
from headway.authoring.run import Deferred, Run, Skip
from headway.frontends.airflow import assets, deferring, events, runner, startup
from headway.frontends.airflow.answers import Conversation, State
from headway.frontends.airflow.frames import Request, receive, send
from headway.frontends.airflow.logs import Others
from headway.frontends.base import TaskFailed

LAST_FD: Final = 1024  # a child has a handful, below it


class Workflow:
    """A DAG of Airflow, whose tasks run in a process of their own."""

    def __init__(self, dag: Any, root: Path, file: str) -> None:
        self.dag = dag
        self.root = root
        self.file = file

    def referenced_keys(self) -> Mapping[str, set[str]]:
        """Return nothing: results are stored as tasks push them."""
        return {}

    def execute(self, task_id: str, run: Run, inputs: Inputs) -> Result:
        """Raises Deferred, Skip, TaskFailed, or SystemExit when a signal ended the runner."""
        del inputs  # the runner asks for what the task reads
        task = self.dag.task_dict.get(task_id)
        if task is None:
            raise TaskFailed(f"{run.dag_id} has no task {task_id!r} in this version of its file")
        run = deferring.looked(run, self.dag)
        if (end := deferring.concluded(run)) is not None:
            return end
        downstream = sorted(task.downstream_task_ids)
        conversation = Conversation(run, self.dag, downstream, str(self.root))
        details = startup.details(self.dag, run, self.file)
        ended = converse(conversation, details, self.root, str(self.root / self.file))
        outlets = assets.names(task.outlets, assets.uris_of(self.dag))
        return concluded(conversation, ended, outlets)


class Ended(msgspec.Struct, frozen=True):
    """The end of a runner: its exit code, negative for a signal, and what it told of the task's error."""

    exit_code: int
    told: runner.Told | None = None


def converse(conversation: Conversation, details: dict[str, Any], root: Path, path: str) -> Ended:
    """Fork the runner and answer it until it ends."""
    ours, theirs = socket.socketpair()
    read_end, write_end = os.pipe()
    before = signal.signal(signal.SIGTERM, Noted())
    noted = signal.getsignal(signal.SIGTERM)
    pid = os.fork()
    if pid == 0:
        become(theirs, write_end, root, path)
    theirs.close()
    os.close(write_end)
    try:
        send(ours, 0, details)
        for request in requests(ours, pid, conversation.others):
            conversation.answer(ours, request)
    finally:
        ours.close()
        conversation.others.close()
        _, status = os.waitpid(pid, 0)
        signal.signal(signal.SIGTERM, before)
    if isinstance(noted, Noted) and noted.came:
        signal.raise_signal(signal.SIGTERM)  # the runner had its time; now it is our turn
    return Ended(os.waitstatus_to_exitcode(status), told_by(read_end))


def requests(ours: socket.socket, pid: int, others: Others) -> Iterator[Request]:
    """Yield what the runner asks until it ends, and log what ``others`` say meanwhile.

    What the runner leaves behind may hold its end of the socket open.
    """
    exits = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None  # Linux has it
    watched = [ours.fileno(), *([] if exits is None else [exits])]
    try:
        while True:
            ready, _, _ = select.select([*watched, *others.ends], [], [])
            for end in others.begun.keys() & set(ready):
                others.read(end)
            if not {*watched} & {*ready}:
                continue
            request = receive(ours) if ours.fileno() in ready else None
            if request is None:
                return
            yield request
    finally:
        if exits is not None:
            os.close(exits)


class Noted:
    """A SIGTERM is for the runner first, so that its operator can clean up."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.came = True


def told_by(read_end: int) -> runner.Told | None:
    """Read what is there, for what the runner has left behind may hold the other end."""
    os.set_blocking(read_end, False)
    try:
        body = os.read(read_end, runner.TOLD_BYTES_MAX)
        return msgspec.json.decode(body, type=runner.Told) if body else None
    except (BlockingIOError, msgspec.DecodeError):  # nothing, or the task has written to it
        return None
    finally:
        os.close(read_end)


def become(theirs: socket.socket, told: int, root: Path, path: str) -> NoReturn:
    """Be the runner: descriptor 0 is the socket, 3 where it tells of an error, no other one is ours."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        told = os.dup2(told, max(told, theirs.fileno(), 4) + 1)
        os.dup2(theirs.detach(), 0)
        os.dup2(told, 3, inheritable=False)
        os.closerange(4, LAST_FD)
        code = runner.run(3, root, path)
    finally:
        os._exit(code)


def concluded(conversation: Conversation, ended: Ended, outlets: tuple[str, ...]) -> Result:
    """Turn what the runner said last, or how it ended, into a result or an exception."""
    said = conversation.state
    told = ended.told or runner.Told()
    if conversation.refused:
        raise TaskFailed(conversation.refused, told.line, retry=False)
    if conversation.deferral is not None:
        raise Deferred(conversation.deferral())
    if said is State.SUCCESS:
        of_outlets = events.of_outlets(conversation.said, outlets)
        return Result(None, conversation.pushed, conversation.follow(), of_outlets)
    if said is State.SKIPPED:
        raise Skip(told.text)
    if said in (State.FAILED, State.RETRY):
        final = said is State.FAILED and conversation.may_retry
        text = told.text or "the task failed; its log says why"
        if how := conversation.advice(told.text):
            text = f"{text}; to create it: {how}"
        asked = conversation.said if said is State.RETRY else {}
        raise TaskFailed(
            text,
            told.line,
            retry=not final,
            retry_delay_s=asked.get("retry_delay_seconds"),
            retry_reason=asked.get("retry_reason") or "",
        )
    if ended.exit_code < 0:
        name = signal.Signals(-ended.exit_code).name
        raise TaskFailed(f"the task was ended by {name}", cause="signal")
    raise TaskFailed(
        told.text or f"the task runner exited with code {ended.exit_code}; its log says why",
        told.line,
        cause="exit_code",
    )
