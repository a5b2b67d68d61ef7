"""The processes that attempts run in, seen from the agent; a few of them are forked ahead.

A *spare* has gone through everything that comes before its first order, and waits for it: an attempt that finds one
does not wait for a fork. It belongs to a fork server, is nobody's attempt, counts against nothing, and goes with its
server. A child of a DAG that reuses children is a spare again, for that DAG, after an attempt that ended well.
"""

import contextlib
import fcntl
import os
import signal
import socket
import termios
from itertools import count
from typing import Final, Protocol

import msgspec

from headway.agent import rendered
from headway.agent.attempts import Attempt
from headway.agent.frames import FrameReader, TooLarge, frame
from headway.agent.leaving import LIMIT_S
from headway.agent.logs import AttemptLog
from headway.agent.loop import Loop
from headway.agent.masking import Masker
from headway.agent.orders import (
    ENCODER,
    OUTCOME_BYTES_MAX,
    UPWARD,
    Ask,
    Kind,
    Named,
    Order,
    Outcome,
    Purpose,
    Rendered,
    Secrets,
    Told,
)
from headway.agent.processes import mark_of, orphans, parent_of, tree_rss_bytes
from headway.agent.servers import FileServer, ending

SPARES: Final = 2  # of a server: the next link of a chain may come before its spare is made anew
READ_BYTES: Final = 1 << 16
LAST_READS: Final = 32  # of a pipe whose writers were killed


class Child:
    """A child: its mark, private socket and output."""

    def __init__(self, mark: int, server: FileServer, masker: Masker, asked: "Asked") -> None:
        self.mark = mark
        self.asked = asked
        self.server = server
        self.control, self.their_control = socket.socketpair()
        self.control.setblocking(False)
        self.output, self.their_output = os.pipe()
        os.set_blocking(self.output, False)
        self.masker = masker
        self.reader = FrameReader(OUTCOME_BYTES_MAX)
        self.pid = 0  # not known yet
        self.unsent = b""
        self.attempt: Attempt | None = None
        self.ordered_at = 0.0
        self.orders = 0
        self.dag_id = ""  # of its orders
        self.outcome: Outcome | None = None
        self.log: AttemptLog | None = None
        self.unread = False  # it ended before it had read all that we sent

    def close_theirs(self) -> None:
        self.their_control.close()
        os.close(self.their_output)

    def close(self) -> None:
        self.control.close()
        os.close(self.output)
        self.close_log()

    def close_log(self) -> None:
        if self.log is not None:
            self.log.close()
            self.log = None

    def send(self, order: Order) -> bool:
        """Send the order. Returns False if the child has ended and received nothing."""
        data = frame(ENCODER.encode(order))
        try:
            sent = self.control.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return False
        self.unsent = data[sent:]
        return True

    def add(self, told: Told) -> None:
        """Queue the answer to a question of the task."""
        self.unsent += frame(ENCODER.encode(told))

    def at_work(self) -> bool:
        """Return whether the child has its whole order and no outcome yet."""
        if self.attempt is None or self.outcome is not None or self.unsent:
            return False
        return not any(fcntl.ioctl(self.control, termios.TIOCOUTQ, bytes(4)))

    def flush(self) -> None:
        try:
            sent = self.control.send(self.unsent)
        except BlockingIOError:
            return
        except OSError:  # its exit will be told
            sent = len(self.unsent)
            self.unread = True
        self.unsent = self.unsent[sent:]

    def read_output(self) -> bool:
        """Copy output to the log, after reading secrets sent before it. Returns whether there may be more."""
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
        except OSError as error:
            self.unread = self.unread or isinstance(error, ConnectionResetError)
            return False
        try:
            for body in self.reader.feed(data):
                match UPWARD.decode(body):
                    case Secrets(values):
                        self.masker.add(values)
                    case Rendered(fields):
                        if self.log is not None:
                            rendered.write(self.log.path, self.masker, fields)
                    case Ask() as ask:
                        self.asked.take(self, ask)
                    case Named(name):
                        self.asked.call(self, self.masker.text(name))
                    case outcome:
                        self.outcome = outcome
        except (TooLarge, msgspec.MsgspecError):
            return False
        return bool(data)

    def drain(self) -> None:
        """Read all messages and output until now."""
        while self.read_control_once():
            pass
        for _ in range(LAST_READS):
            if not self.read_output():
                break

    def note_ending(self, status: int) -> None:
        """Note in the log that the task returned, but its exit was cut off."""
        if os.WIFSIGNALED(status) and self.log is not None:
            late = os.WTERMSIG(status) == signal.SIGALRM
            why = f" (it may take {LIMIT_S} s)" if late else ""
            self.log.note(
                f"the task returned, but its process {ending(status)} before its threads, exit "
                f"handlers and open files finished{why}"
            )

    def read_control_once(self) -> bool:
        try:
            if self.control.recv(1, socket.MSG_PEEK):
                return self.read_control()
        except BlockingIOError:
            pass
        except OSError as error:
            self.unread = self.unread or isinstance(error, ConnectionResetError)
        return False


class Asked(Protocol):
    def take(self, child: Child, ask: Ask) -> None: ...
    def call(self, child: Child, name: str) -> None: ...


class Owner(Protocol):
    @property
    def asks(self) -> Asked: ...
    def outcome_came(self, child: Child) -> None: ...


class Children:
    def __init__(self, loop: Loop, masker: Masker, owner: Owner) -> None:
        self.loop = loop
        self.masker = masker
        self.owner = owner
        self.marks = count(1)
        self.by_mark: dict[int, Child] = {}
        self.spares: dict[int, list[Child]] = {}  # by the number of their server

    def take(self, server: FileServer, dag_id: str, orders_max: int) -> Child | None:
        spares = self.spares.get(server.number, [])
        for child in spares:
            if child.orders == 0 or (child.dag_id == dag_id and child.orders < orders_max):
                spares.remove(child)
                return child
        return None

    def fork(self, server: FileServer, ahead: bool) -> Child | None:
        """Start a child. Returns None if the server accepts nothing. A child whose order follows
        immediately does not prepare.
        """
        child = Child(next(self.marks), server, self.masker.copy(), self.owner.asks)
        ends = (child.their_control.fileno(), child.their_output)
        purpose = Purpose.SPARE if ahead else Purpose.ATTEMPT
        sent = server.send(Kind.START, child.mark, purpose, 0.0, ends)
        child.close_theirs()
        if not sent:
            child.close()
            return None
        self.by_mark[child.mark] = child
        self.loop.watch(child.control.fileno(), lambda: self.read_control(child))
        self.loop.watch(child.output, lambda: self.read_output(child))
        return child

    def order(self, child: Child, order: Order) -> bool:
        child.masker.add(order.secrets)
        sent = child.send(order)
        if child.unsent:
            self.loop.watch_both(child.control.fileno(), lambda: self.read_control(child))
        return sent

    def memory_of(self, child: Child) -> int:
        """Return the memory of an attempt's process, and of the orphans that it left to its server."""
        if not child.pid:
            return 0
        known = {one.pid for one in self.by_mark.values()}
        lost = orphans(parent_of(child.pid), known)
        return tree_rss_bytes([child.pid, *(pid for pid in lost if mark_of(pid) == child.mark)])

    def tell(self, child: Child) -> None:
        """Send what is queued for a child. A child that has ended reads nothing; its end is told elsewhere."""
        child.flush()
        if child.unsent:
            self.loop.watch_both(child.control.fileno(), lambda: self.read_control(child))

    def rest(self, child: Child) -> None:
        """Mark the child as waiting for its next order."""
        child.attempt = child.outcome = None
        self.spares.setdefault(child.server.number, []).insert(0, child)

    def keep_spares(self, server: FileServer) -> None:
        spares = self.spares.setdefault(server.number, [])
        while len(spares) > SPARES:
            self.close(spares[-1])
        while len(spares) < SPARES and (child := self.fork(server, ahead=True)):
            spares.append(child)

    def drop_spares(self, server: FileServer) -> None:
        for child in self.spares.pop(server.number, [])[:]:
            self.close(child)

    def close(self, child: Child) -> None:
        """Forget a child and close its socket, at which a waiting child ends."""
        if self.by_mark.pop(child.mark, None) is None:
            return
        with contextlib.suppress(KeyError, ValueError):
            self.spares[child.server.number].remove(child)
        self.loop.forget_if_watched(child.control.fileno())
        self.loop.forget_if_watched(child.output)
        child.close()

    def kill(self, child: Child) -> None:
        child.server.send(Kind.SIGNAL, child.mark, signal.SIGKILL, 0.0)

    # -- what they say

    def read_control(self, child: Child) -> None:
        control = child.control.fileno()
        if child.unsent:
            child.flush()
            if not child.unsent:
                self.loop.watch_reads(control, lambda: self.read_control(child))
        if child.read_control():
            if child.outcome is not None and child.outcome.again:
                self.owner.outcome_came(child)
        elif child.attempt is None:  # a spare died
            self.close(child)
        else:
            self.loop.forget(control)

    def read_output(self, child: Child) -> None:
        if not child.read_output():
            self.loop.forget_if_watched(child.output)
        elif child.outcome is not None and child.outcome.again:
            self.owner.outcome_came(child)
