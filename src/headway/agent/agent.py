"""The agent: takes grants from a gateway, has them run by forked children, reports how they ended.

Trusted and single-threaded. Rules: an attempt is started at most once, and none when the lease may be over; an
``Ended`` is kept until it is acknowledged; without an acknowledged heartbeat for ``fence_s`` everything is killed,
nothing of it is reported, and the agent comes back as a new session.
"""

import heapq
import os
import shutil
import signal
import socket
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from headway import clock, pulse
from headway.agent import shown
from headway.agent.asks import Asks
from headway.agent.attempts import Attempt, End, end_of_status
from headway.agent.children import SPARES, Child, Children
from headway.agent.inputs import Inputs
from headway.agent.link import Link
from headway.agent.loop import Loop
from headway.agent.masking import Masker
from headway.agent.memory import MemoryWatch
from headway.agent.orders import Kind
from headway.agent.probes import Probes
from headway.agent.processes import reap_strays
from headway.agent.protocol import (
    CANCEL_GRACE_S,
    Ack,
    Answer,
    AttemptKey,
    Cancel,
    Ended,
    ForTriggerers,
    GatewayMessage,
    Grants,
    HeartbeatAck,
    Hello,
    Probe,
    Refused,
    Started,
    Values,
    Welcome,
    XComRef,
)
from headway.agent.servers import FileServer, Servers, ending
from headway.agent.session import Session
from headway.agent.triggerers import Triggerers
from headway.agent.watch import Watch
from headway.agent.xcoms import NoInput
from headway.paths import make_private

HOUSEKEEPING_S: Final = 30.0
SEEN_MAX: Final = 50_000  # attempts that are known to have been here
SPARE_S_MAX: Final = 60.0  # spares of a server that nobody uses
STOP_S_MAX: Final = 5.0
STRAYS_LOOK_S: Final = 0.05


class Agent:
    def __init__(
        self,
        address: str,
        data: Path,
        name: str,
        slots: int,
        processes: int,
        token: str,
        spool: Path | None = None,
        queues: Sequence[str] = ("default",),
        scratch: Path | None = None,
    ) -> None:
        self.data = data.resolve()
        self.name = name
        self.slots = slots
        self.processes = processes
        self.token = token
        self.queues = tuple(queues)
        self.spool = spool  # of logs on their way to a log store
        scratch = (scratch or self.data / "run" / "scratch") / name
        shutil.rmtree(scratch, ignore_errors=True)
        make_private(scratch)
        for folder in ("logs", "xcom"):
            make_private(self.data / folder)
        self.loop = Loop()
        self.link = Link(self.loop, address, self.greet, self.receive)
        self.servers = Servers(self.loop, self.data, scratch, processes, self)
        self.children = Children(self.loop, Masker((token,)), self)
        self.probes = Probes(self.loop, self.link)
        self.watch = Watch(self.loop, self.servers, self.children)
        self.memory = MemoryWatch(self.loop, self.children, self)
        self.triggerers = Triggerers(self)
        self.refusal: str | None = None
        self.stopping = False
        self.begin_session()

    # -- the session

    def begin_session(self) -> None:
        self.session = Session(self.loop, self.link, self.servers.fence, self.fence)
        self.inputs = Inputs(self.data, self.link, self.push, self.lack)
        self.asks = Asks(self.link, self.children)
        self.attempts: dict[AttemptKey, Attempt] = {}  # not ended
        self.seen: OrderedDict[AttemptKey, None] = OrderedDict()
        self.unwanted: OrderedDict[AttemptKey, None] = OrderedDict()  # cancelled before their grant
        self.ready: list[tuple[float, int, Attempt]] = []
        self.arrivals = count()
        self.parked: dict[int, list[Attempt]] = {}  # by the number of the server they wait for
        self.running: dict[int, Attempt] = {}  # by mark
        self.used: dict[int, FileServer] = {}  # servers whose spares are to be made anew
        self.unacked: dict[int, tuple[Ended, float]] = {}

    def greet(self) -> None:
        self.session.greeted()
        self.link.send(self.hello())

    def hello(self) -> Hello:
        return Hello(
            session=self.session.token,
            agent=self.name,
            token=self.token,
            slots=self.slots,
            processes=self.processes,
            host=socket.gethostname(),
            pid=os.getpid(),
            held=[*self.attempts, *(ended.key for ended, _ in self.unacked.values())],
            queues=self.queues,
            watched=list(self.triggerers.waits.waits),
            watchers=list(self.triggerers.standings.waits),
        )

    def welcome(self, welcome: Welcome) -> None:
        self.session.welcome(welcome)
        for attempt in self.running.values():
            self.report_start(attempt)
        for seq in list(self.unacked):
            self.report_end(seq)
        self.triggerers.tell_again()
        self.inputs.fetch_again()
        self.asks.send_again()

    def fence(self) -> None:
        """Stop everything of this session, without reporting it."""
        for attempt in list(self.running.values()):
            self.release(attempt)
        self.attempts.clear()
        self.ready.clear()
        self.parked.clear()
        self.used.clear()
        self.unacked.clear()
        self.triggerers.end()
        self.servers.kill_all()
        self.come_back()

    def come_back(self) -> None:
        """Start a new session, once the last process of the old one has ended."""
        if self.session.over and not self.servers.by_number and self.refusal is None:
            self.begin_session()
            self.link.lose()

    # -- messages

    def receive(self, message: GatewayMessage) -> None:
        if isinstance(message, ForTriggerers):
            self.triggerers.listen(message)
            return
        match message:
            case Grants():
                self.take(message)
            case Ack(seq):
                for done in [known for known in self.unacked if known <= seq]:
                    del self.unacked[done]
                self.triggerers.waits.acknowledged(seq)
            case Values():
                self.inputs.take(message)
            case Answer():
                self.asks.answer(message)
            case HeartbeatAck(seq, log_bytes):
                self.session.acknowledged(seq, log_bytes)
            case Cancel(keys):
                for key in keys:
                    self.cancel(key)
            case Probe():
                self.probes.start(message)
            case Welcome():
                self.welcome(message)
            case Refused(reason, again):
                self.refusal = None if again else reason
                self.session.end()

    def take(self, message: Grants) -> None:
        for run_id in message.changed:
            self.inputs.xcoms.drop_run(run_id)
        runs = {run.run_id: run for run in message.runs}
        for grant in message.grants:
            if grant.key in self.seen or self.stopping:
                continue
            self.seen[grant.key] = None
            attempt = Attempt(grant, runs[grant.key.run_id])
            self.attempts[grant.key] = attempt
            if grant.key in self.unwanted:
                del self.unwanted[grant.key]
                self.end(attempt, End("cancelled", "never_started"))
                continue
            self.prepare(attempt)
        while len(self.seen) > SEEN_MAX:
            self.seen.popitem(last=False)

    def prepare(self, attempt: Attempt) -> None:
        """Get what the attempt needs before it can start."""
        self.servers.get(attempt.run.bundle_version, attempt.run.file)
        self.inputs.gather(attempt)

    def cancel(self, key: AttemptKey) -> None:
        attempt = self.attempts.get(key)
        if attempt is None:
            if key not in self.seen:
                self.unwanted[key] = None
            elif all(ended.key != key for ended, _ in self.unacked.values()):
                # It is long over: the gateway is to count it no more.
                self.link.send(Ended(next(self.session.seqs), key, "", "cancelled", "over"))
            while len(self.unwanted) > SEEN_MAX:
                self.unwanted.popitem(last=False)
        elif attempt.child is None:
            self.end(attempt, End("cancelled", "never_started"))
        else:
            self.stop(attempt, End("cancelled", "cancelled", "cancelled"))

    # -- running

    def push(self, attempt: Attempt) -> None:
        """Queue an attempt that has all its inputs."""
        heapq.heappush(self.ready, (attempt.grant.priority, next(self.arrivals), attempt))

    def lack(self, attempt: Attempt, why: str) -> None:
        """Fail an attempt whose inputs are missing."""
        if self.attempts.get(attempt.key) is attempt:
            self.end(attempt, End("failed", "input", why, retry=False))

    def start_ready(self) -> None:
        """Start as many attempts as there are free processes, most urgent first."""
        while self.ready and len(self.running) < self.processes and not self.session.over:
            attempt = heapq.heappop(self.ready)[2]
            if attempt.key not in self.attempts:
                continue
            server = self.servers.get(attempt.run.bundle_version, attempt.run.file)
            if server.ready:
                self.start(attempt, server)
            else:
                self.parked.setdefault(server.number, []).append(attempt)

    def start(self, attempt: Attempt, server: FileServer) -> None:
        run = attempt.run
        child = self.children.take(server, run.dag_id, run.reuse_child)
        child = child or self.children.fork(server, ahead=False)
        if child is None:
            self.servers.kill(server)
            self.push(attempt)
            return
        last = child.orders + 1 >= run.reuse_child
        try:
            order = attempt.order(self.data, self.inputs.xcoms, last)
        except (NoInput, OSError) as error:
            self.children.rest(child)
            self.end(attempt, End("failed", "input", str(error)))
            return
        ordered_at = clock.monotonic()  # from here on it may be running
        if not self.children.order(child, order):
            self.children.close(child)
            self.push(attempt)
            return
        child.orders += 1
        child.dag_id = run.dag_id
        child.log = attempt.log(self.data, child.masker, self.spool, self.session.logs)
        child.attempt, attempt.child = attempt, child
        child.ordered_at = ordered_at
        attempt.held.clear()
        server.marks.add(child.mark)
        self.running[child.mark] = attempt
        self.used[server.number] = server
        if child.pid:
            self.begin(attempt, child.ordered_at)

    def keep_spares(self) -> None:
        """Prepare spare processes, but not under load, when attempts wait for processors."""
        if self.used and len(self.running) <= SPARES and not self.stopping:
            for server in self.used.values():
                if server.ready and not server.shut:
                    self.children.keep_spares(server)
            self.used.clear()

    def begin(self, attempt: Attempt, at: float) -> None:
        """Handle the start of an attempt: its process exists and has its order."""
        attempt.started_at, attempt.started_seq = at, next(self.session.seqs)
        self.report_start(attempt)
        if (timeout_s := attempt.grant.timeout_s) is not None:
            key = attempt.key  # not the attempt itself: the timer may outlive it by days
            self.loop.at(at + timeout_s, lambda: self.limit_time(key, timeout_s))
        if attempt.grant.memory_limit_mb is not None:
            self.memory.begin()

    def report_start(self, attempt: Attempt) -> None:
        if attempt.started_seq and attempt.child is not None:
            age_s = clock.monotonic() - attempt.started_at
            seq, token, pid = attempt.started_seq, attempt.grant.token, attempt.child.pid
            self.link.send(Started(seq, attempt.key, token, pid, age_s))

    def stop(self, attempt: Attempt, end: End, grace_s: float = CANCEL_GRACE_S) -> None:
        """Stop the process group with SIGTERM and, after the grace period, SIGKILL."""
        child = attempt.child
        if child is None or attempt.stopping is not None:
            return
        if child.outcome is not None:  # it only tidies up
            self.watch.kill(attempt, child)
            return
        attempt.stopping = end
        child.server.send(Kind.SIGNAL, child.mark, signal.SIGTERM, 0.0)
        self.loop.at(clock.monotonic() + grace_s, lambda: self.watch.kill(attempt, child))

    def limit_time(self, key: AttemptKey, timeout_s: float) -> None:
        detail = f"it ran longer than its execution_timeout of {timeout_s:g} s"
        if (attempt := self.attempts.get(key)) is not None:
            self.stop(attempt, End("failed", "timeout", detail))

    # -- what the servers tell

    def child_started(self, mark: int, pid: int, at: float) -> None:
        child = self.children.by_mark.get(mark)
        if child is not None:
            child.pid = pid
            if child.attempt is not None:
                self.begin(child.attempt, max(at, child.ordered_at))
                if child.outcome is not None and child.outcome.again:
                    self.outcome_came(child)

    def child_exited(self, mark: int, status: int, at: float) -> None:
        child = self.children.by_mark.get(mark)
        if child is None:
            return
        attempt = child.attempt
        if attempt is None:
            self.children.close(child)
            return
        child.drain()
        known = attempt.known_end(child.outcome)
        if known is not None and attempt.stopping is None:
            child.note_ending(status)
        end = end_of_status(status)
        if child.unread:
            end = End("lost", "never_started", f"before it began, its process {ending(status)}")
        self.end(attempt, known or end, at)

    def outcome_came(self, child: Child) -> None:
        """Handle a child that takes another order, unless it was told to end."""
        attempt = child.attempt
        if not child.pid:  # it was faster than its server, which is yet to tell of the start
            return
        if attempt is not None and attempt.stopping is None:
            child.drain()
            assert child.outcome is not None
            self.end(attempt, attempt.end_of(child.outcome))

    def server_shut(self, server: FileServer) -> None:
        self.used.pop(server.number, None)
        self.children.drop_spares(server)

    def server_ready(self, server: FileServer) -> None:
        for attempt in self.parked.pop(server.number, ()):
            self.push(attempt)

    def server_gone(self, server: FileServer, cause: str, detail: str) -> None:
        """Handle the end of a server. Its attempts ended with it, some with a report; waiting ones are lost once."""
        for mark in list(server.marks):
            attempt = self.running[mark]
            assert attempt.child is not None
            attempt.child.drain()
            known = attempt.known_end(attempt.child.outcome)
            self.end(attempt, known or End("lost", cause, detail))
        broken = End("failed", "import", detail)
        end = broken if cause == "import" else End("lost", "never_started", detail)
        for attempt in self.parked.pop(server.number, ()):
            if attempt.key in self.attempts:
                self.end(attempt, end)
        self.come_back()

    # -- ends

    def end(self, attempt: Attempt, end: End, at: float | None = None) -> None:
        """End an attempt, and report the end until it is acknowledged."""
        at = clock.monotonic() if at is None else at
        if (child := attempt.child) is not None:
            end = shown.end(self.data, attempt.grant, end, child.masker)
            if end.is_said and end.detail:
                child.drain()
                assert child.log is not None
                child.log.note(f"{end.cause}: {end.detail}")
            self.release(attempt)
        del self.attempts[attempt.key]
        for value in end.xcoms:
            ref = XComRef(attempt.key.task_id, value.key, attempt.key.map_index)
            self.inputs.xcoms.put(attempt.key.run_id, ref, [value])
        seq = next(self.session.seqs)
        ended = Ended(
            seq=seq,
            key=attempt.key,
            token=attempt.grant.token,
            outcome=end.outcome,
            cause=end.cause,
            detail=end.detail,
            exit_code=end.exit_code,
            run_s=at - attempt.started_at if attempt.started_at else 0.0,
            xcoms=end.xcoms,
            follow=end.follow,
            retry=end.retry,
            line=end.line,
            deferral=end.deferral,
            assets=end.assets,
            name=attempt.name,
            facts=end.facts,
        )
        self.unacked[seq] = (ended, at)
        self.report_end(seq)

    def report_end(self, seq: int) -> None:
        ended, at = self.unacked[seq]
        self.link.send(replace(ended, age_s=max(0.0, clock.monotonic() - at)))

    def release(self, attempt: Attempt) -> None:
        """Reuse the child for another order, or end it."""
        child = attempt.child
        assert child is not None
        attempt.child = None
        self.asks.forget(child)
        del self.running[child.mark]
        child.server.marks.discard(child.mark)
        again = child.outcome is not None and child.outcome.again and attempt.stopping is None
        if again and not self.session.over and not child.server.shut:
            child.close_log()
            self.children.rest(child)
            self.used[child.server.number] = child.server
        else:
            self.children.close(child)

    # -- life

    def run(self) -> str | None:
        """Run until told to stop. Returns the reason if the agent was refused permanently."""
        self.servers.start_base()
        self.link.connect()
        self.keep_house()
        self.watch.look()
        while not self.over():
            pulse.beat()
            self.start_ready()
            self.link.flush()
            self.keep_spares()
            self.loop.turn()
        self.link.flush()
        self.link.close()
        self.servers.end()
        return self.refusal

    def over(self) -> bool:
        if self.refusal is not None:
            return not self.servers.by_number
        done = not self.attempts and not self.unacked
        return self.stopping and (done or clock.monotonic() > self.stop_at)

    def stop_all(self) -> None:
        """Handle SIGTERM: end running attempts and report them as lost, so that they run elsewhere."""
        if self.stopping:
            return
        self.stopping = True
        self.stop_at = clock.monotonic() + STOP_S_MAX
        self.loop.at(self.stop_at, lambda: None)
        end = End("lost", "stopped", "its agent was stopped")
        for attempt in list(self.attempts.values()):
            if attempt.child is None:
                self.end(attempt, end)
            else:
                self.stop(attempt, end, STOP_S_MAX / 2)

    def keep_house(self) -> None:
        self.loop.at(clock.monotonic() + HOUSEKEEPING_S, self.keep_house)
        for server in self.servers.retire_idle(SPARE_S_MAX):
            self.children.drop_spares(server)

    def base_gone(self) -> None:
        """Handle the end of the base server: end and reap its orphans, and their orphans in turn."""
        base = self.servers.base
        if reap_strays(() if base is None else (base.pid,)):
            self.loop.at(clock.monotonic() + STRAYS_LOOK_S, self.base_gone)
