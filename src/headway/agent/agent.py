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
from itertools import count
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from headway import clock, ids
from headway.agent.attempts import Attempt, Child, End, end_of_status
from headway.agent.link import BACKOFF_S_MIN, Link
from headway.agent.loop import Loop
from headway.agent.masking import Masker
from headway.agent.orders import Kind
from headway.agent.processes import children_of, kill_strays, tree_rss_bytes
from headway.agent.protocol import (
    CANCEL_GRACE_S,
    FENCE_S,
    HEARTBEAT_S,
    Ack,
    AttemptKey,
    Cancel,
    Ended,
    Fetch,
    GatewayMessage,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Refused,
    RunContext,
    Started,
    Values,
    Welcome,
    XComRef,
)
from headway.agent.servers import FileServer, Servers
from headway.agent.xcoms import NoInput, Xcoms, key_of

MEMORY_LOOK_S: Final = 0.25
HOUSEKEEPING_S: Final = 30.0
SEEN_MAX: Final = 50_000  # attempts that are known to have been here
STOP_S_MAX: Final = 5.0
STRAYS_LOOK_S: Final = 0.05


class Agent:
    def __init__(
        self, address: str, data: Path, name: str, slots: int, processes: int, token: str
    ) -> None:
        self.data = data.resolve()
        self.name = name
        self.slots = slots
        self.processes = processes
        self.token = token
        self.masker = Masker((token,))
        scratch = self.data / "run" / "scratch" / name
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True, mode=0o700)
        self.loop = Loop()
        self.link = Link(self.loop, address, self.greet, self.receive)
        self.servers = Servers(self.loop, self.data, scratch, processes, self)
        self.refusal: str | None = None
        self.stopping = False
        self.slot_numbers = count(1)
        self.beats = count(1)
        self.next_beat_at = 0.0
        self.begin_session()

    # -- the session and its lease

    def begin_session(self) -> None:
        self.session = ids.token()
        self.seqs = count(1)
        self.fence_s = FENCE_S
        self.fence_at: float | None = None  # None: nothing was granted to this session yet
        self.hello_at = 0.0
        self.welcomed = False
        self.beats_sent: dict[int, float] = {}
        self.fenced = False
        self.runs: dict[str, RunContext] = {}
        self.attempts: dict[AttemptKey, Attempt] = {}  # not ended
        self.seen: OrderedDict[AttemptKey, None] = OrderedDict()
        self.ready: list[tuple[float, int, Attempt]] = []
        self.parked: dict[int, list[Attempt]] = {}  # by the number of the server they wait for
        self.running: dict[int, Attempt] = {}  # by slot
        self.unacked: dict[int, tuple[Ended, float]] = {}
        self.xcoms = Xcoms(self.data)
        self.requests = count(1)
        self.fetching: dict[int, tuple[str, list[XComRef]]] = {}
        self.asked: dict[tuple[str, XComRef], list[Attempt]] = {}
        self.watching_memory = False

    def greet(self) -> None:
        self.hello_at = clock.monotonic()
        self.welcomed = False
        self.beats_sent.clear()
        held = [*self.attempts, *(ended.key for ended, _ in self.unacked.values())]
        self.link.send(
            Hello(
                session=self.session,
                agent=self.name,
                token=self.token,
                slots=self.slots,
                processes=self.processes,
                host=socket.gethostname(),
                pid=os.getpid(),
                held=held,
            )
        )

    def welcome(self, welcome: Welcome) -> None:
        self.link.backoff_s = BACKOFF_S_MIN
        self.welcomed = True
        self.fence_s = welcome.fence_s
        self.extend(self.hello_at)
        self.next_beat_at = 0.0
        self.beat()
        now = clock.monotonic()
        for attempt in self.running.values():
            self.report_start(attempt)
        for ended, at in self.unacked.values():
            self.link.send(replace(ended, age_s=now - at))
        self.fetching.clear()
        for (run_id, ref), _ in list(self.asked.items()):
            self.fetch(run_id, [ref])

    def extend(self, since: float) -> None:
        """The lease holds from the moment its acknowledged message was sent, never longer."""
        self.fence_at = max(self.fence_at or 0.0, since + self.fence_s)
        self.servers.fence(self.fence_at)
        self.loop.at(self.fence_at, self.check_fence)

    def check_fence(self) -> None:
        if self.fence_at is not None and clock.monotonic() >= self.fence_at:
            self.fence()

    def fence(self) -> None:
        """Nothing of this session may run or be reported any more."""
        if self.fenced:
            return
        self.fenced = True
        self.link.close()
        for slot, attempt in list(self.running.items()):
            self.release(slot, attempt)
        self.attempts.clear()
        self.ready.clear()
        self.parked.clear()
        self.unacked.clear()
        self.asked.clear()
        self.servers.kill_all()
        self.come_back()

    def come_back(self) -> None:
        """As a new session, once the last process of the old one is gone."""
        if self.fenced and not self.servers.by_number and self.refusal is None:
            self.begin_session()
            self.link.lose()

    def beat(self) -> None:
        """Every 5 s, or faster if the gateway's fence is shorter."""
        now = clock.monotonic()
        if now < self.next_beat_at:
            return
        self.next_beat_at = now + min(HEARTBEAT_S, self.fence_s / 3)
        self.loop.at(self.next_beat_at, self.beat)
        if self.link.up and self.welcomed:
            seq = next(self.beats)
            self.beats_sent[seq] = now
            self.link.send(Heartbeat(seq))

    # -- messages

    def receive(self, message: GatewayMessage) -> None:
        match message:
            case Grants():
                self.take(message)
            case Ack(seq):
                for done in [known for known in self.unacked if known <= seq]:
                    del self.unacked[done]
            case Values():
                self.take_values(message)
            case HeartbeatAck(seq):
                if (sent_at := self.beats_sent.pop(seq, None)) is not None:
                    self.extend(sent_at)
            case Cancel(keys):
                for key in keys:
                    self.cancel(key)
            case Welcome():
                self.welcome(message)
            case Refused(reason, again):
                self.refusal = None if again else reason
                self.fence()

    def take(self, message: Grants) -> None:
        for run in message.runs:
            if run.run_id in self.runs:
                self.xcoms.drop_run(run.run_id)
            self.runs[run.run_id] = run
        for grant in message.grants:
            if grant.key in self.seen or self.stopping:
                continue
            self.seen[grant.key] = None
            attempt = Attempt(grant, self.runs[grant.key.run_id])
            self.attempts[grant.key] = attempt
            self.servers.get(attempt.run.bundle_version, attempt.run.file)
            self.prepare(attempt)
        while len(self.seen) > SEEN_MAX:
            self.seen.popitem(last=False)

    def prepare(self, attempt: Attempt) -> None:
        """Ready as soon as the results it needs are here."""
        lacking = self.xcoms.hold(attempt.grant, attempt.held)
        if not lacking:
            self.push(attempt)
            return
        run_id = attempt.key.run_id
        new = [ref for ref in dict.fromkeys(lacking) if (run_id, ref) not in self.asked]
        for ref in lacking:
            self.asked.setdefault((run_id, ref), []).append(attempt)
        if new:
            self.fetch(run_id, new)

    def fetch(self, run_id: str, refs: list[XComRef]) -> None:
        request = next(self.requests)
        self.fetching[request] = (run_id, refs)
        self.link.send(Fetch(request, run_id, refs))

    def take_values(self, message: Values) -> None:
        run_id, refs = self.fetching.pop(message.request, ("", []))
        waiting: dict[AttemptKey, Attempt] = {}
        for ref, entry in self.xcoms.put_fetched(run_id, refs, message.values).items():
            for attempt in self.asked.pop((run_id, ref), ()):
                attempt.held[key_of(run_id, ref)] = entry
                waiting[attempt.key] = attempt
        for attempt in waiting.values():
            if attempt.key in self.attempts and not self.xcoms.hold(attempt.grant, attempt.held):
                self.push(attempt)

    def cancel(self, key: AttemptKey) -> None:
        attempt = self.attempts.get(key)
        if attempt is None:
            return  # over, or not heard of yet: then it comes again after the grant
        if attempt.child is None:
            self.end(attempt, End("cancelled", "never_started"))
        else:
            self.stop(attempt, End("cancelled", "cancelled", "cancelled"))

    # -- running

    def push(self, attempt: Attempt) -> None:
        heapq.heappush(self.ready, (attempt.grant.priority, next(self.slot_numbers), attempt))

    def start_ready(self) -> None:
        """As many as there are processes for, the most urgent first."""
        while self.ready and len(self.running) < self.processes and not self.fenced:
            attempt = heapq.heappop(self.ready)[2]
            if attempt.key not in self.attempts:
                continue
            server = self.servers.get(attempt.run.bundle_version, attempt.run.file)
            if server.ready:
                self.start(attempt, server)
            else:
                self.parked.setdefault(server.number, []).append(attempt)

    def start(self, attempt: Attempt, server: FileServer) -> None:
        try:
            order = attempt.order(self.data, self.xcoms, last=True)
        except (NoInput, OSError) as error:
            self.end(attempt, End("failed", "input", str(error)))
            return
        child = Child(next(self.slot_numbers), server, self.masker.copy())
        child.log = attempt.log(self.data, child.masker)
        sent = server.send(Kind.START, child.slot, 0, 0.0, child.their_ends())
        child.close_theirs()
        if not sent:
            child.close()
            self.servers.kill(server)
            self.push(attempt)
            return
        attempt.child = child
        attempt.held.clear()
        server.slots.add(child.slot)
        self.running[child.slot] = attempt
        self.loop.watch(child.control.fileno(), lambda: self.read_control(child))
        self.loop.watch(child.output, lambda: self.read_output(child))
        child.send(order)
        if child.unsent:
            self.loop.watch_both(child.control.fileno(), lambda: self.read_control(child))

    def read_control(self, child: Child) -> None:
        if child.unsent:
            child.flush()
            if not child.unsent:
                self.loop.watch_reads(child.control.fileno(), lambda: self.read_control(child))
        if not child.read_control():
            self.loop.forget(child.control.fileno())

    def read_output(self, child: Child) -> None:
        if not child.read_output():
            self.loop.forget(child.output)

    def stop(self, attempt: Attempt, end: End, grace_s: float = CANCEL_GRACE_S) -> None:
        """SIGTERM, and after the grace SIGKILL, to the process group."""
        child = attempt.child
        if child is None or attempt.stopping is not None or child.outcome is not None:
            return
        attempt.stopping = end
        child.server.send(Kind.SIGNAL, child.slot, signal.SIGTERM, 0.0)
        self.loop.at(clock.monotonic() + grace_s, lambda: self.kill(child))

    def kill(self, child: Child) -> None:
        if child.slot in self.running:
            child.server.send(Kind.SIGNAL, child.slot, signal.SIGKILL, 0.0)

    def watch_memory(self) -> None:
        limited = [one for one in self.running.values() if one.grant.memory_limit_mb is not None]
        self.watching_memory = bool(limited)
        for attempt in limited:
            limit_mb = attempt.grant.memory_limit_mb
            assert limit_mb is not None
            if attempt.pid and (used := tree_rss_bytes(attempt.pid) >> 20) > limit_mb:
                detail = f"it used {used} MB of memory, its limit is {limit_mb} MB"
                self.stop(attempt, End("failed", "memory", detail), grace_s=0.0)
        if limited:
            self.loop.at(clock.monotonic() + MEMORY_LOOK_S, self.watch_memory)

    def limit_time(self, attempt: Attempt, timeout_s: float) -> None:
        detail = f"it ran longer than its execution_timeout of {timeout_s:g} s"
        if self.attempts.get(attempt.key) is attempt:
            self.stop(attempt, End("failed", "timeout", detail))

    # -- what the servers tell

    def slot_started(self, slot: int, pid: int, at: float) -> None:
        attempt = self.running.get(slot)
        if attempt is None:
            return
        attempt.pid, attempt.started_at, attempt.started_seq = pid, at, next(self.seqs)
        self.report_start(attempt)
        if (timeout_s := attempt.grant.timeout_s) is not None:
            self.loop.at(at + timeout_s, lambda: self.limit_time(attempt, timeout_s))
        if attempt.grant.memory_limit_mb is not None and not self.watching_memory:
            self.watch_memory()

    def report_start(self, attempt: Attempt) -> None:
        if attempt.started_seq:
            age_s = clock.monotonic() - attempt.started_at
            token = attempt.grant.token
            self.link.send(Started(attempt.started_seq, attempt.key, token, attempt.pid, age_s))

    def slot_exited(self, slot: int, status: int, at: float) -> None:
        attempt = self.running.get(slot)
        if attempt is None:
            return
        assert attempt.child is not None
        attempt.child.drain()
        outcome = attempt.child.outcome
        if attempt.stopping is not None:
            end = attempt.stopping
        elif outcome is not None:
            end = attempt.end_of(outcome)
        else:
            end = end_of_status(status)
        self.end(attempt, end, at)

    def server_ready(self, server: FileServer) -> None:
        for attempt in self.parked.pop(server.number, ()):
            self.push(attempt)

    def server_gone(self, server: FileServer, cause: str, detail: str) -> None:
        for slot in list(server.slots):
            if (attempt := self.running.get(slot)) is not None:
                self.end(attempt, End("lost", cause, detail))
        for attempt in self.parked.pop(server.number, ()):
            if attempt.key in self.attempts:
                self.end(attempt, End("failed", cause, detail))
        self.come_back()

    # -- ends

    def end(self, attempt: Attempt, end: End, at: float | None = None) -> None:
        """Report it, until it is acknowledged."""
        now = clock.monotonic()
        at = now if at is None else at
        detail = end.detail
        if (child := attempt.child) is not None:
            detail = child.masker.text(detail)
            if end.outcome != "success" and end.cause not in ("exception", "skip") and detail:
                child.drain()
                assert child.log is not None
                child.log.note(f"{end.cause}: {detail}")
            self.release(child.slot, attempt)
        del self.attempts[attempt.key]
        for value in end.xcoms:
            ref = XComRef(attempt.key.task_id, value.key, attempt.key.map_index)
            self.xcoms.put(attempt.key.run_id, ref, [value])
        seq = next(self.seqs)
        ended = Ended(
            seq=seq,
            key=attempt.key,
            token=attempt.grant.token,
            outcome=end.outcome,
            cause=end.cause,
            detail=detail,
            exit_code=end.exit_code,
            run_s=at - attempt.started_at if attempt.started_at else 0.0,
            age_s=max(0.0, now - at),
            xcoms=end.xcoms,
            follow=end.follow,
            retry=end.retry,
            line=end.line,
        )
        self.unacked[seq] = (ended, at)
        self.link.send(ended)

    def release(self, slot: int, attempt: Attempt) -> None:
        child = attempt.child
        assert child is not None
        del self.running[slot]
        self.loop.forget_if_watched(child.control.fileno())
        self.loop.forget_if_watched(child.output)
        child.close()
        attempt.child = None

    # -- life

    def run(self) -> str | None:
        """Until it is told to stop; the reason if it was refused for good."""
        self.servers.start_base()
        self.link.connect()
        self.beat()
        self.keep_house()
        while not self.over():
            self.start_ready()
            self.link.flush()
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
        """SIGTERM to us: what runs is ended and reported as lost, so that it runs again elsewhere."""
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
        self.servers.retire_idle()

    def base_gone(self) -> None:
        """Its orphans fall to us: end and reap them, and what falls to us from those."""
        base = self.servers.base
        known = () if base is None else (base.pid,)
        kill_strays(known)
        strays = [pid for pid in children_of(os.getpid()) if pid not in known]
        for pid in strays:
            os.waitpid(pid, os.WNOHANG)
        if strays:
            self.loop.at(clock.monotonic() + STRAYS_LOOK_S, self.base_gone)
