"""An agent as its protocol asks for: slots, a lease on its own clock, at most one start of an
attempt, ends kept until they are acknowledged. And the truth about the user's processes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headway.agent.protocol import (
    FENCE_S,
    HEARTBEAT_S,
    Ack,
    AttemptKey,
    Cancel,
    Ended,
    Grant,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    OfWatcher,
    Refused,
    Started,
    Welcome,
    XComValue,
)
from headway.agent.watchers import Release, Taken, Watchers
from tests.agent_tokens import SECRET
from tests.simulation.dags import LOOP_GATE, brings, deed, follow, length_in, told_of
from tests.simulation.line import Line
from tests.simulation.lookouts import Lookouts
from tests.simulation.ways import way

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(slots=True)
class Work:
    grant: Grant
    pid: int = 0
    started_at: float | None = None  # by the agent's clock
    cancelled: bool = False


class Agent:
    def __init__(
        self,
        world: "World",
        name: str,
        *,
        slots: int,
        processes: int,
        rate: float,
        queues: tuple[str, ...] = ("default",),
        secret: str = SECRET,
    ) -> None:
        self.world = world
        self.name = name
        self.slots = slots
        self.processes = processes
        self.queues = queues
        self.secret = secret
        self.rate = rate  # of its clock
        self.away_until = 0.0  # frozen: it does nothing, its fork servers keep the deadline
        self.line: Line | None = None
        self.born()

    def born(self) -> None:
        """A new session: nothing is remembered, nothing runs."""
        self.session = self.world.new_id("s")
        self.welcomed = False
        self.work: dict[AttemptKey, Work] = {}
        self.seen: set[AttemptKey] = set()
        self.unwanted: set[AttemptKey] = set()  # cancelled before their grant
        self.unacked: dict[int, Ended] = {}
        self.seq = 0
        self.beats: dict[int, float] = {}
        self.last_beat = float("-inf")
        self.deadline = float("inf")
        self.lookouts = Lookouts(self)

    @property
    def clock(self) -> float:
        return self.world.elapsed * self.rate

    # -- the lease

    def keep_the_fence(self) -> None:
        """Its own clock ends its processes, whether it is awake or not."""
        if self.clock >= self.deadline:
            self.fence()

    def fence(self) -> None:
        for key in list(self.work):
            self.world.truth.stop(key)
        self.hang_up()
        self.born()

    def hang_up(self) -> None:
        if self.line is not None:
            self.line.hang_up()
            self.line = None
        self.welcomed = False

    def connect(self) -> None:
        listener = self.world.somewhere_to_connect()
        if listener is None:
            return
        self.line = Line()
        listener.waiting.append(self.line)
        held = [*self.work, *(ended.key for ended in self.unacked.values())]
        self.beats[0] = self.clock
        self.line.tell(
            Hello(
                *(
                    self.session,
                    self.name,
                    self.secret,
                    self.slots,
                    self.processes,
                    "host",
                    1,
                    held,
                ),
                queues=self.queues,
                watchers=self.lookouts.keys(),
            )
        )

    # -- a turn

    def turn(self) -> None:
        if self.world.elapsed < self.away_until:
            return
        if self.line is not None and not self.line.open:
            self.hear()  # what was sent before
            self.hang_up()
        if self.line is None:
            self.connect()
            return
        self.hear()
        self.keep_the_fence()
        if self.line is None:
            return
        self.beat()
        self.start_some()
        self.end_some()
        self.lookouts.turn()
        self.haunt()

    def beat(self) -> None:
        if self.line is not None and self.welcomed and self.clock - self.last_beat >= HEARTBEAT_S:
            self.last_beat = self.clock
            self.beats[self.next_seq()] = self.clock
            self.line.tell(Heartbeat(self.seq))

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def hear(self) -> None:
        assert self.line is not None
        for message in self.line.hear():
            match message:
                case Welcome():
                    self.welcomed = True
                    self.extend(self.beats.pop(0))
                    for ended in self.unacked.values():
                        self.tell(ended)
                    self.lookouts.tell_again()
                case Refused():
                    self.fence()
                    return
                case HeartbeatAck(seq):
                    if seq in self.beats:
                        self.extend(self.beats.pop(seq))
                case Grants(runs, grants):
                    known = {run.run_id for run in runs}
                    for grant in grants:
                        assert grant.key.run_id in known, "a grant without its context"
                        self.take(grant)
                case Cancel(keys):
                    for key in keys:
                        self.cancel(key)
                case Watchers() | Release() | Taken():
                    self.lookouts.hear(message)
                case Ack(seq):
                    for number in [n for n in self.unacked if n <= seq]:
                        self.world.truth.acknowledged(self.unacked.pop(number))

    def extend(self, sent_at: float) -> None:
        new = sent_at + FENCE_S
        self.deadline = new if self.deadline == float("inf") else max(self.deadline, new)

    def take(self, grant: Grant) -> None:
        if grant.key not in self.seen:
            self.seen.add(grant.key)
            self.work[grant.key] = Work(grant, cancelled=grant.key in self.unwanted)

    def cancel(self, key: AttemptKey) -> None:
        if (work := self.work.get(key)) is not None:
            work.cancelled = True
        elif key not in self.seen:
            self.unwanted.add(key)
        elif all(ended.key != key for ended in self.unacked.values()):
            self.tell(Ended(self.next_seq(), key, "", "cancelled", "over"))

    def start_some(self) -> None:
        running = sum(work.started_at is not None for work in self.work.values())
        for key, work in list(self.work.items()):
            if work.started_at is None and work.cancelled:
                self.end(key, work, "cancelled", "never_started")
            elif work.started_at is None and self.world.happens(0.02):
                self.end(key, work, "lost", "never_started")
            elif work.started_at is None and running < self.processes:
                if not self.world.truth.items_there(work.grant, *self.world.task_of(key)):
                    self.end(key, work, "failed", "input")
                    continue
                running += 1
                work.started_at, work.pid = self.clock, self.world.truth.start(key)
                self.tell(Started(self.next_seq(), key, work.grant.token, work.pid, 0.0))

    def end_some(self) -> None:
        for key, work in list(self.work.items()):
            if work.started_at is None:
                continue
            dag, task = self.world.task_of(key)
            does = deed(task, key.map_index)
            if work.cancelled:
                self.end(key, work, "cancelled", "cancelled")
            elif self.world.happens(0.02):
                self.end(key, work, "lost", "server_died")
            elif self.clock - work.started_at < does.seconds:
                continue
            elif (wait := self.world.wait_of(key, dag, task)) is not None:
                self.end(key, work, "deferred", "", deferral=wait)
            elif self.world.truth.failures(key) < does.failures:
                cause = self.world.chance.choice(["exit_code", "signal"])
                if task.retry_policy:
                    how = way(task, key.map_index, self.world.truth.failures(key))
                    self.end(key, work, "failed", how.cause, **how.told())
                else:
                    self.end(key, work, "failed", cause)
            elif does.outcome == "failed":
                self.end(key, work, "failed", "exception", retry=False)
            elif does.outcome == "skipped":
                self.end(key, work, "skipped", "")
            else:
                mood = str(key.number) if key.run_id in self.world.people.touched else ""
                chosen = (
                    follow(dag, task, key.map_index, mood)
                    if task.branch or task.kind == LOOP_GATE
                    else None
                )
                length = length_in(task, key.map_index, mood)
                value = XComValue("return_value", b"1", None, 1, length)
                xcoms = [value] if brings(task, key.map_index) else []
                told = told_of(task, key.map_index)
                self.end(key, work, "success", "", xcoms=xcoms, follow=chosen, assets=told)

    def end(self, key: AttemptKey, work: Work, outcome: str, cause: str, **more: object) -> None:
        del self.work[key]
        ran = 0.0 if work.started_at is None else self.clock - work.started_at
        ended = Ended(
            self.next_seq(),
            key,
            work.grant.token,
            outcome,  # type: ignore[arg-type]
            cause,
            run_s=ran,
            **more,  # type: ignore[arg-type]
        )
        self.world.truth.ended(ended)
        self.unacked[ended.seq] = ended
        self.tell(ended)
        self.world.old_reports.append(ended)

    def tell(self, message: Started | Ended | OfWatcher) -> None:
        if self.line is not None and self.welcomed:
            self.line.tell(message)

    # -- mischief

    def haunt(self) -> None:
        """Late reports of attempts that were lost and replaced by those that run, and forged
        ones.
        """
        for key, work in list(self.work.items()):
            if not self.world.happens(0.1):
                continue
            old = [e for e in self.world.old_reports if place(e.key) == place(key)]
            forged = Ended(0, key, "forged", "success", "")
            self.tell(replace_seq(self.world.chance.choice([forged, *old]), self.next_seq()))
            if work.started_at is None:
                self.tell(Started(self.next_seq(), key, "forged", 1, 0.0))

    def repeat_itself(self) -> None:
        """Reports that came before: of its own, of other agents, of attempts long over."""
        if self.line is not None and self.welcomed and self.world.old_reports:
            # Those of task instances that run again are the dangerous ones.
            live = self.world.truth.running
            old = [e for e in self.world.old_reports if place(e.key) in live]
            again = self.world.chance.choice(old or self.world.old_reports)
            self.line.tell(replace_seq(again, self.next_seq()))


def place(key: AttemptKey) -> tuple[str, str, int]:
    return key.run_id, key.task_id, key.map_index


def replace_seq(message: Ended, seq: int) -> Ended:
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return Ended(**{**fields, "seq": seq})
