"""A triggerer: the process in which triggers of a DAG file, or those of Headway, look out, all in one event loop.

A trigger that raises ends its own wait only. One that blocks the loop is seen by the agent, on the board. The process
has no credentials: what its code asks for is asked in the name of the wait (``trigger_asking``). It may be killed at
any moment: its agent starts another one with the same waits.
"""

import asyncio
import contextlib
import faulthandler
import io
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import msgspec

from headway import frontends
from headway.agent import child
from headway.agent.causes import headline
from headway.agent.frames import FrameReader, frame
from headway.agent.orders import Secrets
from headway.agent.protocol import FRAME_BYTES_MAX, Watch
from headway.agent.telling import Telling
from headway.agent.trigger_asking import Asking
from headway.agent.watchers import Standing
from headway.agent.watching import (
    DOWN,
    Begin,
    BeginWatcher,
    Board,
    Fires,
    Noted,
    Over,
    Said,
    Stop,
    Stored,
)
from headway.authoring import looking, secrets, watching
from headway.authoring.exceptions import classes_of
from headway.authoring.run import Run
from headway.authoring.values import from_json, to_json
from headway.authoring.watching import Watched
from headway.frontends.base import FrontEnd

# As few as asyncio's own would be taken by a few addresses that do not answer. They are started as they are needed.
THREADS_MAX: Final = 200
TURN_S: Final = 0.5  # how often the loop shows that it turns
READ_BYTES: Final = 1 << 16
TEXT_MAX: Final = 64 * 1024
FOUND_BYTES_MAX: Final = 256 * 1024
ENCODER: Final = msgspec.msgpack.Encoder()
CURRENT: Final[ContextVar[int]] = ContextVar("trigger", default=0)


def run(control: int, server: child.Server) -> None:
    """Look after waits until the agent closes its end."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=False)
    end = socket.socket(fileno=control)
    _, fds, _, _ = socket.recv_fds(end, 1, 2)
    if fds:
        board, asks = fds
        os.set_inheritable(asks, False)
        asking = Asking(socket.socket(fileno=asks), CURRENT.get)
        asyncio.run(Triggerer(end, server, Board(board), asking).run())


class Steps(Coroutine[Any, Any, Any]):
    """A coroutine that notes on the board when its code runs."""

    def __init__(self, work: Coroutine[Any, Any, Any], number: int, board: Board) -> None:
        self.work = work
        self.number = number
        self.board = board

    def send(self, value: Any) -> Any:
        before = self.board.at(self.number)
        try:
            return self.work.send(value)
        finally:
            self.board.at(before)

    def throw(
        self, kind: Any, value: BaseException | object = None, trace: TracebackType | None = None
    ) -> Any:
        before = self.board.at(self.number)
        try:
            return self.work.throw(kind if value is None else value)  # type: ignore[arg-type]
        finally:
            self.board.at(before)

    def close(self) -> None:
        self.work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise AssertionError("it is a task's own coroutine")


class Threads(ThreadPoolExecutor):
    """Threads that know for which trigger they work, also those of ``run_in_executor``."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return super().submit(copy_context().run, fn, *args, **kwargs)


class Output(io.TextIOBase):
    """Standard output and error: what a trigger prints is told with its number, in whole lines.

    A line is often written in parts, and a secret in two of them would be none in each.
    """

    def __init__(self, triggerer: "Triggerer", plain: Any) -> None:
        self.triggerer = triggerer
        self.plain = plain
        self.begun: dict[int, str] = {}
        self.lock = threading.Lock()

    def write(self, text: str) -> int:
        number = CURRENT.get()
        if not number:
            return int(self.plain.write(text))
        with self.lock:
            known = self.begun.pop(number, "") + text
            whole, newline, rest = known.rpartition("\n")
            if len(rest) > TEXT_MAX:
                whole, newline, rest = known, "", ""
            if rest:
                self.begun[number] = rest
        if whole or newline:
            self.triggerer.tell(Said(number, (whole + newline)[:TEXT_MAX]))
        return len(text)

    def end(self, number: int) -> None:
        """Tell the line that a trigger began and did not end."""
        if rest := self.drop(number):
            self.triggerer.tell(Said(number, rest))

    def drop(self, number: int) -> str:
        with self.lock:
            return self.begun.pop(number, "")

    def flush(self) -> None:
        self.plain.flush()

    def fileno(self) -> int:
        return int(self.plain.fileno())


class Triggerer:
    def __init__(
        self, end: socket.socket, server: child.Server, board: Board, asking: Asking
    ) -> None:
        self.end = end
        self.server = server
        self.board = board
        self.asking = asking
        self.reader = FrameReader(FRAME_BYTES_MAX)
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.watchers: dict[int, Telling] = {}
        self.unsent = bytearray()
        self.lock = threading.Lock()  # of ``unsent``

    async def run(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_task_factory(self.task)  # type: ignore[arg-type]
        self.loop.set_default_executor(Threads(THREADS_MAX))
        self.over = self.loop.create_future()
        self.end.setblocking(False)
        self.outputs = Output(self, sys.stdout), Output(self, sys.stderr)
        sys.stdout, sys.stderr = self.outputs
        secrets.ask, secrets.ask_later = self.asking.ask, self.asking.ask_later
        secrets.announce = self.announce
        self.trouble = self.imported()
        self.loop.add_reader(self.end, self.read)
        self.turn()
        await self.over

    def imported(self) -> str:
        """Import the DAG file where its server could not. Returns what is wrong with it."""
        if self.server.unforked and not self.server.dags:
            return self.server.import_file()
        return ""

    def turn(self) -> None:
        self.board.turned()
        self.loop.call_later(TURN_S, self.turn)

    def task(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
    ) -> "asyncio.Task[Any]":
        context = options.get("context")
        number = CURRENT.get() if context is None else context.get(CURRENT, 0)
        steps = Steps(work, number, self.board) if number else work
        return asyncio.Task(steps, loop=loop, **options)

    # -- the agent

    def read(self) -> None:
        try:
            data = self.end.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.loop.remove_reader(self.end)
            self.over.set_result(None)
            return
        for body in self.reader.feed(data):
            match DOWN.decode(body):
                case Begin(number, watch):
                    self.begin(number, watch)
                case BeginWatcher(number, standing):
                    self.begin_watcher(number, standing)
                case Stored(number, batch):
                    if (known := self.watchers.get(number)) is not None:
                        known.stored(batch)
                case Stop(number):
                    if (task := self.tasks.get(number)) is not None:
                        task.cancel()

    def announce(self, values: list[str]) -> None:
        """Have secrets masked in all that is told after them."""
        self.tell(Secrets([value for value in values if isinstance(value, str)]))

    def tell(self, message: Over | Fires | Noted | Said | Secrets) -> None:
        try:
            body = ENCODER.encode(message)
        except UnicodeEncodeError:
            body = ENCODER.encode(type(message)(*map(carried, msgspec.structs.astuple(message))))
        framed = frame(body)
        with self.lock:
            idle = not self.unsent
            self.unsent += framed
        if idle:
            self.loop.call_soon_threadsafe(self.flush)

    def flush(self) -> None:
        """Send all that there is. A message that finds nothing unsent schedules the next call."""
        try:
            while unsent := bytes(self.unsent):
                sent = self.end.send(unsent)
                with self.lock:
                    del self.unsent[:sent]
        except BlockingIOError:
            self.loop.add_writer(self.end, self.flush)
        except OSError:  # the agent is gone: the end of file tells
            with self.lock:
                self.unsent.clear()
        else:
            self.loop.remove_writer(self.end)

    # -- the triggers

    def begin(self, number: int, watch: Watch) -> None:
        self.start(number, self.found(watch))

    def begin_watcher(self, number: int, standing: Standing) -> None:
        telling = self.watchers[number] = Telling(number, self.tell)
        self.start(number, self.watched(standing, telling))
        self.tasks[number].add_done_callback(lambda _: self.watchers.pop(number, None))

    def start(self, number: int, work: Awaitable[bytes | None]) -> None:
        context = copy_context()
        context.run(CURRENT.set, number)
        self.tasks[number] = self.loop.create_task(self.follow(number, work), context=context)
        self.tasks[number].add_done_callback(lambda _: self.tasks.pop(number, None))

    async def found(self, watch: Watch) -> bytes:
        body = to_json(await self.awaited(watch))
        if len(body) > FOUND_BYTES_MAX:
            raise ValueError(
                f"what it found has {len(body):,} bytes; the limit is {FOUND_BYTES_MAX:,}"
            )
        return body

    async def follow(self, number: int, work: Awaitable[bytes | None]) -> None:
        looking.telling.set(
            lambda looks, again_s, note: self.tell(Noted(number, looks, again_s, note))
        )
        try:
            over = Over(number, await work)
        except asyncio.CancelledError:
            for output in self.outputs:
                output.drop(number)
            return
        except BaseException as error:
            child.report(error, self.server.opening.root)
            said = headline(error, self.server.opening.root)
            over = Over(number, error=said, exceptions=classes_of(error))
        for output in self.outputs:
            output.end(number)
        self.tell(over)

    def awaited(self, watch: Watch) -> Awaitable[object]:
        """Return the trigger's work, made by the front end that its DAG file belongs to."""
        if self.trouble:
            raise RuntimeError(self.trouble)
        facts = msgspec.json.decode(watch.facts, type=looking.Facts)
        given = looking.Given(facts, run_of(watch), self.server.dags)
        if facts.shared:
            return looking.awaited(given)
        return self.front_end().awaited(given)

    async def watched(self, standing: Standing, telling: Telling) -> None:
        """Run a watcher, as the front end of its DAG file does, until it ends."""
        if self.trouble:
            raise RuntimeError(self.trouble)
        facts = msgspec.json.decode(standing.facts, type=looking.Facts)
        cursor = None if standing.cursor is None else from_json(standing.cursor)
        given = Watched(facts, cursor, telling.tell)
        await (watching.watched(given) if facts.shared else self.front_end().watched(given))

    def front_end(self) -> FrontEnd:
        opening = self.server.opening
        return frontends.front_end_of(Path(opening.root), opening.file)


def run_of(watch: Watch) -> Run:
    run, key = watch.run, watch.key
    return Run(
        run_id=key.run_id,
        dag_id=run.dag_id,
        task_id=key.task_id,
        map_index=key.map_index,
        try_number=key.number,
        max_tries=key.number,  # it is not told
        logical_date=run.logical_date,
        data_interval=(run.interval_start, run.interval_end),
        trigger=run.trigger,
        params=msgspec.json.decode(run.params),
        partition=run.partition,
    )


def carried(value: Any) -> Any:
    if isinstance(value, list):
        return [carried(each) for each in value]
    with contextlib.suppress(AttributeError):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
