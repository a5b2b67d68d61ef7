"""An attempt as its agent holds it: from the grant to the acknowledged report, and the child that runs it."""

import contextlib
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import msgspec

from headway.agent.frames import FrameReader, TooLarge, frame
from headway.agent.logs import AttemptLog
from headway.agent.masking import Masker
from headway.agent.orders import ENCODER, OUTCOME_BYTES_MAX, UPWARD, Order, Outcome, Secrets
from headway.agent.paths import log_path, xcom_ending, xcom_path
from headway.agent.protocol import Grant, RunContext, XComValue
from headway.agent.servers import FileServer, signal_name
from headway.agent.xcoms import Entry, Key, Xcoms

READ_BYTES: Final = 1 << 16
LAST_READS: Final = 32  # of a pipe whose writers were killed
Ending = Literal["success", "failed", "skipped", "cancelled", "lost"]


@dataclass(frozen=True, slots=True)
class End:
    """How an attempt ended."""

    outcome: Ending
    cause: str
    detail: str = ""
    exit_code: int | None = None
    xcoms: list[XComValue] = field(default_factory=list)
    follow: list[str] | None = None
    retry: bool = True
    line: int | None = None


class Attempt:
    def __init__(self, grant: Grant, run: RunContext) -> None:
        self.grant = grant
        self.run = run
        self.key = grant.key
        self.held: dict[Key, Entry] = {}  # results it needs
        self.child: Child | None = None
        self.stopping: End | None = None  # it is being ended for this reason
        self.started_seq = 0
        self.pid = 0
        self.started_at = 0.0

    def order(self, data: Path, xcoms: Xcoms, last: bool) -> Order:
        grant, run, key = self.grant, self.run, self.key
        return Order(
            run_id=key.run_id,
            dag_id=run.dag_id,
            task_id=key.task_id,
            map_index=key.map_index,
            try_number=key.number,
            max_tries=grant.retries + 1,
            logical_date=run.logical_date,
            interval_start=run.interval_start,
            interval_end=run.interval_end,
            trigger=run.trigger,
            params=run.params,
            whole=xcoms.whole(grant, self.held),
            places=xcoms.places(grant, self.held),
            xcom=f"{data}/{xcom_path(key.run_id, key.task_id, key.map_index, key.number)}",
            memory_limit_mb=grant.memory_limit_mb,
            last=last,
        )

    def log(self, data: Path, masker: Masker) -> AttemptLog:
        key = self.key
        path = log_path(key.run_id, key.task_id, key.map_index, key.number)
        return AttemptLog(f"{data}/{path}", masker)

    def end_of(self, outcome: Outcome) -> End:
        """What the child said, with the place of its files as we know it ourselves."""
        key = self.key
        base = xcom_path(key.run_id, key.task_id, key.map_index, key.number)
        xcoms = [
            XComValue(
                key=one.key,
                value=one.value,
                file=None if one.value is not None else base + xcom_ending(one.key),
                size=one.size,
                length=one.length,
            )
            for one in outcome.outputs
        ]
        return End(
            outcome.outcome,
            outcome.cause,
            outcome.detail,
            outcome.exit_code,
            xcoms,
            outcome.follow,
            outcome.retry,
            outcome.line,
        )


class Child:
    """A process forked for one attempt, or for several in turn: its slot, its private socket, its output."""

    def __init__(self, slot: int, server: FileServer, masker: Masker) -> None:
        self.slot = slot
        self.server = server
        self.control, self.their_control = socket.socketpair()
        self.control.setblocking(False)
        self.output, self.their_output = os.pipe()
        os.set_blocking(self.output, False)
        self.masker = masker
        self.reader = FrameReader(OUTCOME_BYTES_MAX)
        self.unsent = b""
        self.outcome: Outcome | None = None
        self.log: AttemptLog | None = None

    def their_ends(self) -> tuple[int, int]:
        return self.their_control.fileno(), self.their_output

    def close_theirs(self) -> None:
        self.their_control.close()
        os.close(self.their_output)

    def close(self) -> None:
        self.control.close()
        os.close(self.output)
        if self.log is not None:
            self.log.close()

    def send(self, order: Order) -> None:
        self.unsent += frame(ENCODER.encode(order))
        self.flush()

    def flush(self) -> None:
        try:
            sent = self.control.send(self.unsent)
        except BlockingIOError:
            return
        except OSError:  # it is gone: its exit will be told
            sent = len(self.unsent)
        self.unsent = self.unsent[sent:]

    def read_output(self) -> bool:
        """Whether there may be more. The secrets told before this output was printed are heard first."""
        try:
            data = os.read(self.output, READ_BYTES)
        except BlockingIOError:
            return False
        self.read_control()
        if data and self.log is not None:
            self.log.write(data)
        return bool(data)

    def read_control(self) -> bool:
        try:
            data = self.control.recv(READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        try:
            for body in self.reader.feed(data):
                match UPWARD.decode(body):
                    case Secrets(values):
                        self.masker.add(values)
                    case outcome:
                        self.outcome = outcome
        except (TooLarge, msgspec.MsgspecError):
            return False
        return bool(data)

    def drain(self) -> None:
        """All that was said and printed until now."""
        while self.read_control_once():
            pass
        for _ in range(LAST_READS):
            if not self.read_output():
                break

    def read_control_once(self) -> bool:
        with contextlib.suppress(OSError):
            if self.control.recv(1, socket.MSG_PEEK):
                return self.read_control()
        return False


def end_of_status(status: int) -> End:
    """Of a child that ended without a word."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal_name(number)
        hint = ": perhaps the machine ran out of memory" if number == signal.SIGKILL else ""
        return End("failed", "signal", f"the process was ended by {name}{hint}", -number)
    code = os.WEXITSTATUS(status)
    return End("failed", "exit_code", f"the process exited with code {code}", code)
