"""The triggerers of an agent: which waits each looks after, and what becomes of them when one dies or hangs.

One process for the triggers of each DAG file of a bundle version, and one for those of Headway: children of a fork
server, like attempts. One that dies is replaced, with its waits. A trigger that blocks the event loop, or in whose code
the process died, gets a process of its own, so that it holds up nobody else.
"""

import os
import re
import signal
import socket
import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, Protocol

from headway import clock
from headway.agent.asks import Asks
from headway.agent.children import Children
from headway.agent.lines import Line
from headway.agent.link import Link
from headway.agent.loop import Loop
from headway.agent.masking import Masker
from headway.agent.orders import Kind, Purpose, Secrets
from headway.agent.protocol import ForTriggerers, Unwatch, Watch, Watches
from headway.agent.servers import FileServer, Servers
from headway.agent.session import Session
from headway.agent.standing import Standings
from headway.agent.trigger_asks import QUESTION_BYTES_MAX, TriggerAsks, blocks
from headway.agent.waiting import Home, Triggerer, Waiting, home_of
from headway.agent.waits import Waits
from headway.agent.watchers import Standing
from headway.agent.watching import (
    QUESTION,
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
SECRETS_MAX: Final = 200  # of one process, which all that it says is searched for
SECRETS_S: Final = (
    3_600.0  # how often a process that was handed more is replaced by one that knows none
)
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
    asks: Asks


class Triggerers:
    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.numbers = count(1)
        self.looking = False
        self.waits = Waits(self)
        self.standings = Standings(self)
        self.asks = TriggerAsks(self)
        self.clear()

    def clear(self) -> None:
        self.homes: dict[Home, Triggerer] = {}
        self.waits.clear()
        self.standings.clear()
        self.asks.clear()

    def end(self) -> None:
        """End all, without telling: the session is over, or the agent."""
        for triggerer in list(self.homes.values()):
            self.close(triggerer)
        self.clear()

    # -- what the gateway says

    def listen(self, message: ForTriggerers) -> None:
        match message:
            case Watches() | Unwatch():
                self.waits.hear(message)
            case _:
                self.standings.hear(message)

    def tell_again(self) -> None:
        """Repeat on a new connection what was not acknowledged."""
        self.waits.tell_again()
        self.standings.tell_again()

    # -- what is looked after

    def wait(self, watch: Watch) -> Waiting:
        run = watch.run
        home = home_of(watch.facts, run.bundle_version, run.file)
        return self.put(Waiting(next(self.numbers), watch, home))

    def stand(self, standing: Standing) -> Waiting:
        home = home_of(standing.facts, standing.bundle_version, standing.file)
        return self.put(Waiting(next(self.numbers), standing, home))

    def put(self, waiting: Waiting) -> Waiting:
        triggerer = self.homes.get(waiting.home)
        if triggerer is None:
            triggerer = self.homes[waiting.home] = Triggerer(waiting.home)
        triggerer.waits[waiting.number] = waiting
        if triggerer.control is not None:
            self.begin(triggerer, waiting)
        else:
            self.look_soon()
        return waiting

    def begin(self, triggerer: Triggerer, waiting: Waiting) -> None:
        assert triggerer.control is not None
        waiting.begun += 1
        if isinstance(waiting.watch, Watch):
            triggerer.masker.add(waiting.watch.secrets)
        kind = Begin if isinstance(waiting.watch, Watch) else BeginWatcher
        triggerer.control.send(kind(waiting.number, waiting.watch))  # type: ignore[arg-type]

    def drop(self, waiting: Waiting, *, told: bool) -> None:
        self.asks.forget(waiting)
        triggerer = self.homes.get(waiting.home)
        if triggerer is None or triggerer.waits.pop(waiting.number, None) is None:
            return
        if not told and triggerer.control is not None:
            triggerer.control.send(Stop(waiting.number))

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
                self.renew(triggerer, now)
                self.watch_loop(triggerer)
        self.waits.tell_looks(now)
        self.standings.tell_looks(now)
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
        asks, their_asks = socket.socketpair()
        output, their_output = os.pipe()
        mark = next(self.owner.children.marks)
        with tempfile.TemporaryFile() as memory:
            memory.truncate(os.sysconf("SC_PAGE_SIZE"))
            triggerer.board = Board(memory.fileno())
            socket.send_fds(control, [b"!"], [memory.fileno(), their_asks.fileno()])
        fds = (theirs.fileno(), their_output)
        sent = server.send(Kind.START, mark, Purpose.TRIGGERER, 0.0, fds)
        for end in (theirs, their_asks):
            end.close()
        os.close(their_output)
        os.set_blocking(output, False)
        server.triggerers += 1
        triggerer.mark, triggerer.output = mark, output
        triggerer.turns = triggerer.still = 0
        triggerer.forked_at = clock.monotonic()
        triggerer.start_at = triggerer.forked_at + LOOK_S
        triggerer.masker = self.owner.children.masker.copy()
        loop, gone = self.owner.loop, partial(self.gone, triggerer)
        heard, asked = partial(self.hear, triggerer), partial(self.asks.take, triggerer)
        triggerer.control = Line(loop, control, UP, UPWARD_BYTES_MAX, heard, gone)
        triggerer.asks = Line(loop, asks, QUESTION, QUESTION_BYTES_MAX, asked, gone)
        loop.watch(output, partial(self.read_output, triggerer))
        if not sent:
            self.gone(triggerer)
            return
        for waiting in triggerer.waits.values():
            self.begin(triggerer, waiting)

    def close(self, triggerer: Triggerer) -> None:
        """Forget the process, which ends when its sockets are closed, and kill it if it does not."""
        if triggerer.control is None:
            return
        server = triggerer.server
        if server is not None:
            server.triggerers -= 1
            if not server.shut:
                server.send(Kind.SIGNAL, triggerer.mark, signal.SIGKILL, 0.0)
        self.owner.loop.forget_if_watched(triggerer.output)
        triggerer.control.close()
        assert triggerer.board is not None
        assert triggerer.asks is not None
        triggerer.asks.close()
        os.close(triggerer.output)
        triggerer.board.close()
        triggerer.control = triggerer.asks = triggerer.board = None
        triggerer.masker = Masker()
        triggerer.blocking = None
        self.asks.forget(*triggerer.waits.values())

    def renew(self, triggerer: Triggerer, now: float) -> None:
        """Replace a process that was handed many secrets in its life: what it says is searched for all of them."""
        many = len(triggerer.masker.known) > SECRETS_MAX
        if many and triggerer.forked_at < now - SECRETS_S:
            self.close(triggerer)
            self.look_soon()

    def watch_loop(self, triggerer: Triggerer) -> None:
        """Let a trigger at which the loop has stood still for too long move to a process of its own."""
        if triggerer.board is None:
            return
        turns, number = triggerer.board.read()
        if turns != triggerer.turns or turns == 0:
            triggerer.still = 0
        elif not blocks(triggerer):  # an answer of ours has its own limit
            triggerer.still += 1
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
        self.say(waiting, f"the trigger {why}; it goes on in a process of its own")
        self.put(waiting)

    def gone(self, triggerer: Triggerer) -> None:
        """Start anew what has died, with its waits."""
        if triggerer.board is None:
            return
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

    # -- what it says

    def tell(self, waiting: Waiting, message: Stored) -> None:
        triggerer = self.homes.get(waiting.home)
        if triggerer is not None and triggerer.control is not None:
            triggerer.control.send(message)

    def hear(self, triggerer: Triggerer, message: Over | Fires | Noted | Said | Secrets) -> None:
        if isinstance(message, Secrets):
            triggerer.masker.add(message.values)
            return
        waiting = triggerer.waits.get(message.number)
        if waiting is None:
            return
        of = self.waits if isinstance(waiting.watch, Watch) else self.standings
        match message:
            case Over():
                self.found(waiting, message)
            case Fires() if isinstance(waiting.watch, Standing):
                self.standings.fires(waiting, message)
            case Noted(_, looks, again_s, note):
                of.note(waiting, looks, again_s, note)
            case Said(_, text):
                of.say(waiting, text)

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
        if isinstance(waiting.watch, Standing):
            self.standings.over(waiting, over)
        else:
            self.waits.found(waiting, over)

    def say(self, waiting: Waiting, text: str) -> None:
        """Say something of ours: in the log of an attempt, or as the note of a watcher."""
        if isinstance(waiting.watch, Standing):
            self.standings.say(waiting, text)
        else:
            self.waits.say(waiting, text, note=True)

    def masker(self, waiting: Waiting) -> Masker:
        """Return what masks all that its process was handed, for whatever: all code in it has the same memory."""
        triggerer = self.homes.get(waiting.home)
        if triggerer is not None and triggerer.control is not None:
            return triggerer.masker
        masker = self.owner.children.masker.copy()
        if isinstance(waiting.watch, Watch):
            masker.add(waiting.watch.secrets)
        return masker
