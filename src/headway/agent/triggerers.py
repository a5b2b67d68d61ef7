"""The triggerers of an agent: which waits each looks after, and what becomes of them when one dies or hangs.

One process for the triggers of each DAG file of a bundle version, and one for those of Headway: children of a fork
server, like attempts. One that dies is replaced, with its waits. A trigger that blocks the event loop, or in whose code
the process died, gets a process of its own, so that it holds up nobody else.
"""

import contextlib
import os
import re
import signal
import socket
import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from headway import clock
from headway.agent import shown as hidden
from headway.agent.attempts import log_of
from headway.agent.children import Children
from headway.agent.frames import FrameReader, TooLarge, frame
from headway.agent.link import Link
from headway.agent.loop import Loop
from headway.agent.masking import Masker
from headway.agent.orders import ENCODER, Kind, Purpose
from headway.agent.protocol import (
    AttemptKey,
    ForTriggerers,
    Found,
    Look,
    Looked,
    Unwatch,
    Watch,
    Watches,
)
from headway.agent.servers import FileServer, Servers
from headway.agent.session import Session
from headway.agent.standing import Standings
from headway.agent.waiting import Home, Triggerer, Waiting, flaw_of, home_of
from headway.agent.watchers import (
    Standing,
)
from headway.agent.watching import (
    UP,
    UPWARD_BYTES_MAX,
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
from headway.spec.carried import shown

LOOK_S: Final = 1.0
START_LOOK_S: Final = 0.05
HANGS_AT: Final = 5  # looks in a row at a loop that did not turn
SILENT_AT: Final = 15  # looks after which it is not waited for any more that it says where it is
IDLE_S_MAX: Final = 10.0  # of one that looks after nothing
DEATHS_MAX: Final = 3  # of the process of one wait
BACKOFF_S_MAX: Final = 30.0
ALONE_MAX: Final = 8  # waits with a process of their own; each costs the memory of one
READ_BYTES: Final = 1 << 16
TAIL_BYTES: Final = 8 * 1024
SAID_BYTES_MAX: Final = 1024 * 1024  # of the log of one wait
NOTE_S: Final = 30.0  # how often a wait tells of its looks, if it looks more often than that
PLACE: Final = re.compile(r'File "([^"]+)", line (\d+)')


class Owner(Protocol):
    """The agent."""

    data: Path
    spool: Path | None
    loop: Loop
    link: Link
    servers: Servers
    children: Children
    session: Session


class Triggerers:
    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.numbers = count(1)
        self.looking = False
        self.standings = Standings(self)
        self.clear()

    def clear(self) -> None:
        self.homes: dict[Home, Triggerer] = {}
        self.waits: dict[AttemptKey, Waiting] = {}
        self.untold: dict[int, tuple[Found, float]] = {}  # found, and not acknowledged
        self.looks: dict[AttemptKey, tuple[Look, float]] = {}
        self.standings.clear()

    def end(self) -> None:
        """End all, without telling: the session is over, or the agent."""
        for triggerer in list(self.homes.values()):
            self.close(triggerer)
        self.clear()

    # -- what the gateway says

    def listen(self, message: ForTriggerers) -> None:
        match message:
            case Watches(watches):
                self.watch(watches)
            case Unwatch(keys):
                self.unwatch(keys)
            case _:
                self.standings.hear(message)

    def watch(self, watches: list[Watch]) -> None:
        untold = {found.key for found, _ in self.untold.values()}
        for watch in watches:
            if watch.key in self.waits or watch.key in untold:
                continue
            run = watch.run
            home = home_of(watch.facts, run.bundle_version, run.file)
            waiting = Waiting(next(self.numbers), watch, home)
            self.waits[watch.key] = waiting
            self.put(waiting)

    def stand(self, standing: Standing) -> Waiting:
        home = home_of(standing.facts, standing.bundle_version, standing.file)
        waiting = Waiting(next(self.numbers), standing, home)
        self.put(waiting)
        return waiting

    def put(self, waiting: Waiting) -> None:
        triggerer = self.homes.get(waiting.home)
        if triggerer is None:
            triggerer = self.homes[waiting.home] = Triggerer(waiting.home)
        triggerer.waits[waiting.number] = waiting
        if triggerer.control is not None:
            self.begin(triggerer, waiting)
        else:
            self.look_soon()

    def begin(self, triggerer: Triggerer, waiting: Waiting) -> None:
        waiting.begun += 1
        kind = Begin if isinstance(waiting.watch, Watch) else BeginWatcher
        self.send(triggerer, kind(waiting.number, waiting.watch))  # type: ignore[arg-type]

    def unwatch(self, keys: list[AttemptKey]) -> None:
        for key in keys:
            self.looks.pop(key, None)
            if (waiting := self.waits.pop(key, None)) is not None:
                self.drop(waiting, told=False)

    def acknowledged(self, seq: int) -> None:
        for known in [known for known in self.untold if known <= seq]:
            del self.untold[known]

    def tell_again(self) -> None:
        """Repeat on a new connection what was not acknowledged."""
        now = clock.monotonic()
        for found, at in self.untold.values():
            self.owner.link.send(replace(found, age_s=now - at))
        self.standings.tell_again()

    # -- processes

    def look_soon(self) -> None:
        if not self.looking:
            self.looking = True
            self.owner.loop.at(clock.monotonic(), self.look)

    def look(self) -> None:
        """Start what is to be started, and see that every loop turns."""
        self.looking = False
        now = clock.monotonic()
        for triggerer in list(self.homes.values()):
            if triggerer.waits:
                triggerer.used_at = now
            elif triggerer.control is None or triggerer.used_at < now - IDLE_S_MAX:
                self.close(triggerer)
                del self.homes[triggerer.home]
                continue
            if triggerer.control is None:
                if now >= triggerer.start_at:
                    self.start(triggerer)
            elif now >= triggerer.start_at:
                triggerer.start_at = now + LOOK_S
                self.watch_loop(triggerer)
        self.tell_looks()
        if self.homes:
            pending = any(one.control is None for one in self.homes.values())
            self.looking = True
            self.owner.loop.at(now + (START_LOOK_S if pending else LOOK_S), self.look)

    def start(self, triggerer: Triggerer) -> None:
        """Fork it, once the server of its file is ready."""
        home, server = triggerer.home, triggerer.server
        if server is None:
            server = triggerer.server = self.owner.servers.get(home.version, home.file)
        server.used_at = clock.monotonic()
        if server.broken:
            self.fail_all(triggerer, server.broken)
        elif server.shut:
            triggerer.server = None
            self.died(triggerer)
            if triggerer.deaths >= DEATHS_MAX and not server.ready:
                self.fail_all(triggerer, f"importing {home.file} ended its process")
        elif server.ready:
            self.fork(triggerer, server)

    def fork(self, triggerer: Triggerer, server: FileServer) -> None:
        control, theirs = socket.socketpair()
        output, their_output = os.pipe()
        mark = next(self.owner.children.marks)
        with tempfile.TemporaryFile() as memory:
            memory.truncate(os.sysconf("SC_PAGE_SIZE"))
            triggerer.board = Board(memory.fileno())
            socket.send_fds(control, [b"!"], [memory.fileno()])
        fds = (theirs.fileno(), their_output)
        sent = server.send(Kind.START, mark, Purpose.TRIGGERER, 0.0, fds)
        theirs.close()
        os.close(their_output)
        control.setblocking(False)
        os.set_blocking(output, False)
        server.triggerers += 1
        triggerer.mark, triggerer.control, triggerer.output = mark, control, output
        triggerer.reader = FrameReader(UPWARD_BYTES_MAX)
        triggerer.turns = triggerer.still = 0
        triggerer.start_at = clock.monotonic() + LOOK_S
        self.owner.loop.watch(control.fileno(), partial(self.read, triggerer))
        self.owner.loop.watch(output, partial(self.read_output, triggerer))
        if not sent:
            self.gone(triggerer)
            return
        for waiting in triggerer.waits.values():
            self.begin(triggerer, waiting)

    def close(self, triggerer: Triggerer) -> None:
        """Forget the process, which ends when its socket is closed, and kill it if it does not."""
        if triggerer.control is None:
            return
        server = triggerer.server
        if server is not None:
            server.triggerers -= 1
            if not server.shut:
                server.send(Kind.SIGNAL, triggerer.mark, signal.SIGKILL, 0.0)
        self.owner.loop.forget_if_watched(triggerer.control.fileno())
        self.owner.loop.forget_if_watched(triggerer.output)
        triggerer.control.close()
        os.close(triggerer.output)
        assert triggerer.board is not None
        triggerer.board.close()
        triggerer.control = triggerer.board = None
        triggerer.unsent.clear()

    def watch_loop(self, triggerer: Triggerer) -> None:
        """Let a trigger at which the loop has stood still for too long move to a process of its own."""
        assert triggerer.board is not None
        turns, number = triggerer.board.read()
        triggerer.still = 0 if turns != triggerer.turns or turns == 0 else triggerer.still + 1
        triggerer.turns = turns
        if triggerer.home.alone or triggerer.still < HANGS_AT:
            return
        if triggerer.still == HANGS_AT:
            triggerer.tail.clear()  # it may have said where it was at an earlier time
        place = self.place(triggerer)
        if not place and triggerer.still < SILENT_AT:  # it says where it is, if it still can
            assert triggerer.server is not None
            triggerer.server.send(Kind.SIGNAL, triggerer.mark, signal.SIGUSR1, 0.0)
            return
        waiting = triggerer.waits.get(number)
        why = f"blocked the event loop of its triggerer for {HANGS_AT} s{place}"
        self.close(triggerer)
        if waiting is not None:
            self.isolate(triggerer, waiting, why)
        self.look_soon()

    def place(self, triggerer: Triggerer) -> str:
        """Return the line that a process said it is at."""
        root = str(self.owner.data)
        for path, line in PLACE.findall(b"".join(triggerer.tail).decode(errors="replace")):
            if path.startswith(root):
                return f" at {path.rpartition('/')[2]}:{line}"
        return ""

    def isolate(self, triggerer: Triggerer, waiting: Waiting, why: str) -> None:
        """Give a wait a process of its own."""
        alone = sum(1 for home in self.homes if home.alone)
        if alone >= ALONE_MAX:
            self.found(waiting, Over(waiting.number, error=f"its trigger {why}"))
            return
        del triggerer.waits[waiting.number]
        waiting.home = waiting.home._replace(alone=waiting.number)
        self.say(waiting, f"the trigger {why}; it goes on in a process of its own", note=True)
        self.put(waiting)

    def gone(self, triggerer: Triggerer) -> None:
        """Start anew what has died, with its waits."""
        assert triggerer.board is not None
        _, number = triggerer.board.read()
        culprit = triggerer.waits.get(number)
        self.close(triggerer)
        self.died(triggerer)
        if culprit is not None:
            culprit.deaths += 1
            if culprit.deaths >= DEATHS_MAX:
                error = f"the process of its trigger ended {DEATHS_MAX} times while the trigger ran"
                self.found(culprit, Over(culprit.number, error=error))
            elif not triggerer.home.alone:
                self.isolate(triggerer, culprit, "ran when its triggerer died")
        self.look_soon()

    @staticmethod
    def died(triggerer: Triggerer) -> None:
        """Start at once what has died for the first time, and more and more slowly what dies again and again."""
        triggerer.deaths += 1
        pause_s = 0.0 if triggerer.deaths == 1 else 2.0 ** min(triggerer.deaths - 2, 10)
        triggerer.start_at = clock.monotonic() + min(pause_s, BACKOFF_S_MAX)

    def fail_all(self, triggerer: Triggerer, why: str) -> None:
        for waiting in list(triggerer.waits.values()):
            self.found(waiting, Over(waiting.number, error=why))

    def drop(self, waiting: Waiting, *, told: bool) -> None:
        triggerer = self.homes.get(waiting.home)
        if triggerer is None or triggerer.waits.pop(waiting.number, None) is None:
            return
        if not told and triggerer.control is not None:
            self.send(triggerer, Stop(waiting.number))

    # -- what it says

    def tell(self, waiting: Waiting, message: Stored) -> None:
        triggerer = self.homes.get(waiting.home)
        if triggerer is not None and triggerer.control is not None:
            self.send(triggerer, message)

    def send(self, triggerer: Triggerer, message: Begin | BeginWatcher | Stored | Stop) -> None:
        triggerer.unsent += frame(ENCODER.encode(message))
        self.flush(triggerer)

    def flush(self, triggerer: Triggerer) -> None:
        assert triggerer.control is not None
        fd = triggerer.control.fileno()
        try:
            while triggerer.unsent:
                del triggerer.unsent[: triggerer.control.send(triggerer.unsent)]
        except BlockingIOError:
            self.owner.loop.watch_both(fd, partial(self.read, triggerer))
            return
        except OSError:  # its end of file tells
            triggerer.unsent.clear()
        self.owner.loop.watch_reads(fd, partial(self.read, triggerer))

    def read(self, triggerer: Triggerer) -> None:
        control = triggerer.control
        assert control is not None
        if triggerer.unsent:
            self.flush(triggerer)
        try:
            data = control.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.gone(triggerer)
            return
        try:
            for body in triggerer.reader.feed(data):
                self.hear(triggerer, UP.decode(body))
                if triggerer.control is not control:
                    return
        except (TooLarge, msgspec.MsgspecError):
            self.gone(triggerer)

    def hear(self, triggerer: Triggerer, message: Over | Fires | Noted | Said) -> None:
        waiting = triggerer.waits.get(message.number)
        if waiting is None:
            return
        match message:
            case Over():
                self.found(waiting, message)
            case Fires() if isinstance(waiting.watch, Standing):
                self.standings.fires(waiting, message)
            case Noted(_, looks, again_s, note):
                self.note(waiting, looks, again_s, note)
            case Said(_, text):
                self.say(waiting, text)

    def read_output(self, triggerer: Triggerer) -> None:
        """Keep the last of what belongs to no trigger: a process that hangs says there where it is."""
        try:
            data = os.read(triggerer.output, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            triggerer.tail.append(data[-TAIL_BYTES:])
        else:
            self.owner.loop.forget_if_watched(triggerer.output)

    def found(self, waiting: Waiting, over: Over) -> None:
        """Tell what a trigger found, until that is acknowledged."""
        if isinstance(waiting.watch, Standing):
            self.standings.over(waiting, over)
            return
        key, error, body = waiting.watch.key, shown(over.error), over.found
        if not error and (flaw := flaw_of(body)):
            body, error = None, f"what the trigger found cannot be stored: {flaw}"
        if error:
            self.say(waiting, f"the trigger failed: {error}", note=True)
        seq = next(self.owner.session.seqs)
        found = Found(key, body, error, seq, exceptions=over.exceptions)
        found = hidden.found(found, self.masker(waiting))
        self.untold[found.seq] = found, clock.monotonic()
        self.owner.link.send(found)
        self.waits.pop(key, None)
        self.looks.pop(key, None)
        self.drop(waiting, told=True)

    def note(self, waiting: Waiting, looks: int, again_s: float | None, note: str) -> None:
        """Tell of a look, at once or with the next ones."""
        if isinstance(waiting.watch, Standing):
            self.standings.note(waiting, looks, again_s, note)
            return
        key = waiting.watch.key
        before = self.looks.get(key)
        if not looks and before is not None:
            looks, again_s = before[0].looks, before[0].again_s
        if looks and not note and before is not None:
            note = before[0].note
        note = self.masker(waiting).text(shown(note))
        self.looks[key] = Look(key, looks, 0.0, again_s, note), clock.monotonic()

    def tell_looks(self) -> None:
        """Tell the looks since the last time; of a wait not more often than it makes sense to a person."""
        now = clock.monotonic()
        self.standings.tell_looks(now)
        told = []
        for key, (look, at) in list(self.looks.items()):
            waiting = self.waits.get(key)
            if waiting is None or not look.looks:
                continue
            if now - waiting.noted_at >= NOTE_S:
                waiting.noted_at = now
                told.append(replace(look, age_s=now - at))
                del self.looks[key]
        if told:
            self.owner.link.send(Looked(told))

    def say(self, waiting: Waiting, text: str, *, note: bool = False) -> None:
        """Write to the log of the attempt."""
        if isinstance(waiting.watch, Standing):
            self.standings.say(waiting, text)
            return
        waiting.said += len(text)
        if waiting.said > SAID_BYTES_MAX and not note:
            return
        owner, watch = self.owner, waiting.watch
        owner.session.logs.spend(len(text))  # it has a limit of its own
        masker = self.masker(waiting)
        log = log_of(watch.key, watch.run, owner.data, masker, owner.spool)
        with contextlib.closing(log):
            if note:
                log.note(text)
            else:
                log.write(text.encode(errors="backslashreplace"))
        if note:
            said = masker.text(shown(text))
            self.looks[watch.key] = Look(watch.key, 1, 0.0, None, said), clock.monotonic()
            waiting.noted_at = float("-inf")

    def masker(self, waiting: Waiting) -> Masker:
        """Return what masks the secrets that a task handed to its trigger."""
        masker = self.owner.children.masker.copy()
        if isinstance(waiting.watch, Watch):
            masker.add(waiting.watch.secrets)
        return masker
