"""Those that execute, as the conformance suite sees them: one shape for agents on a real socket, the
simulator's agents, and pods of a cluster (``tests/kubernetes/workers``).

The test says when something is taken in, started and ended; nothing happens by itself.
"""

from pathlib import Path
from typing import Any, Protocol
from unittest import mock

from headway import clock, ids
from headway.agent.protocol import (
    Ack,
    AttemptKey,
    Cancel,
    Ended,
    Grant,
    Grants,
    Heartbeat,
    Hello,
    Refused,
    Started,
    Welcome,
)
from headway.engine.scheduler import Scheduler
from headway.executors.agents import gateway
from headway.executors.agents.executor import AGENTS, Agents
from headway.executors.base import Executor, Host
from tests.agent_tokens import SECRET
from tests.executors.wire import Wire
from tests.simulation import agents as simulated
from tests.simulation.line import Listener
from tests.simulation.truth import Truth


class Workers(Protocol):
    """``open`` makes the executor of a new scheduler over the same workers."""

    joined: bool

    @property
    def started(self) -> list[AttemptKey]:
        """Each start of a process."""
        ...

    def open(self, host: Host) -> Executor: ...

    def join(self, slots: int, processes: int, *queues: str) -> None:
        """Bring capacity: so many attempts, of which so many run at once, of these queues."""
        ...

    def work(self) -> None:
        """Take in what the scheduler sent, start what may start, say that we live."""
        ...

    def end(self, key: AttemptKey) -> None:
        """End a running attempt in success, and report it."""
        ...

    def repeat(self, key: AttemptKey) -> None:
        """Report the same end again."""
        ...

    def hang_up(self) -> None:
        """Lose the scheduler, not the attempts."""
        ...


class SocketAgent(Wire):
    """A protocol client over a real socket, with nothing behind it."""

    def __init__(self, folder: Path, name: str = AGENTS) -> None:
        super().__init__(folder / f"{name}.sock")
        self.joined = False
        self.name = name
        self.started: list[AttemptKey] = []
        self.session = ids.run_id()
        self.work_left: dict[AttemptKey, Grant] = {}
        self.running: set[AttemptKey] = set()
        self.unwanted: set[AttemptKey] = set()
        self.unacknowledged: dict[AttemptKey, Ended] = {}
        self.ended: dict[AttemptKey, Ended] = {}

    def open(self, host: Host) -> Executor:
        return Agents(host, address=f"unix:{self.path}", data=None, name=self.name)

    def join(self, slots: int, processes: int, *queues: str) -> None:
        self.joined = True
        self.slots, self.processes = slots, processes
        self.queues = queues or ("default",)
        self.connect()

    def connect(self) -> None:
        self.dial()
        self.welcomed = False
        held = [*self.work_left, *self.unacknowledged]
        self.tell(
            Hello(
                *(self.session, self.name, SECRET, self.slots, self.processes, "host", 1, held),
                queues=self.queues,
            )
        )

    def work(self) -> None:
        if self.sock is None:
            self.connect()
        self.hear()
        for key, grant in list(self.work_left.items()):
            if key in self.unwanted:
                self.finish(
                    key, "cancelled", "cancelled" if key in self.running else "never_started"
                )
            elif key not in self.running and len(self.running) < self.processes:
                self.running.add(key)
                self.started.append(key)
                self.tell(Started(self.next_seq(), key, grant.token, 1, 0.0))
        if self.welcomed:
            self.tell(Heartbeat(self.next_seq()))

    def hear(self) -> None:
        for message in self.messages():
            match message:
                case Welcome():
                    self.welcomed = True
                    for ended in self.unacknowledged.values():
                        self.tell(ended)
                case Grants(_, grants):
                    for grant in grants:
                        if grant.key not in self.ended:
                            self.work_left.setdefault(grant.key, grant)
                case Cancel(keys):
                    self.unwanted.update(keys)
                case Ack(seq):
                    kept = self.unacknowledged.items()
                    self.unacknowledged = {key: ended for key, ended in kept if ended.seq > seq}
                case Refused(reason):
                    raise AssertionError(reason)
                case _:
                    pass

    def end(self, key: AttemptKey) -> None:
        assert key in self.running, f"{key} does not run"
        self.finish(key, "success", "")

    def finish(self, key: AttemptKey, outcome: Any, cause: str) -> None:
        grant = self.work_left.pop(key)
        self.running.discard(key)
        ended = Ended(self.next_seq(), key, grant.token, outcome, cause)
        self.ended[key] = self.unacknowledged[key] = ended
        self.tell(ended)

    def repeat(self, key: AttemptKey) -> None:
        self.tell(self.ended[key])


class SimulatedAgent:
    """The simulator's agent, in a world without chance and mischief."""

    def __init__(self, folder: Path, name: str = AGENTS) -> None:
        self.joined = False
        self.name = name
        self.listener = Listener()
        self.old_reports: list[Ended] = []
        self.truth = Truth(None, lambda _: None)  # type: ignore[arg-type]
        self.truth.items_there = lambda *_: True  # type: ignore[method-assign]
        self.started: list[AttemptKey] = []
        self.truth.start = self.start  # type: ignore[method-assign]

    def open(self, host: Host) -> Executor:
        self.listener = Listener()
        with mock.patch.object(gateway, "listen", return_value=self.listener):
            return Agents(host, address="line:", data=None, name=self.name)

    # -- the world as the agent sees it

    @property
    def elapsed(self) -> float:
        return clock.monotonic()

    def new_id(self, kind: str) -> str:
        return f"{kind}-{ids.run_id()}"

    def happens(self, chance: float) -> bool:
        return False

    def task_of(self, key: AttemptKey) -> tuple[None, None]:
        return None, None

    def somewhere_to_connect(self) -> Listener:
        return self.listener

    def start(self, key: AttemptKey) -> int:
        self.started.append(key)
        return 1

    # -- the suite's side

    def join(self, slots: int, processes: int, *queues: str) -> None:
        self.joined = True
        self.agent = simulated.Agent(
            self,  # type: ignore[arg-type]
            self.name,
            slots=slots,
            processes=processes,
            rate=1.0,
            queues=queues or ("default",),
        )
        self.agent.connect()

    def work(self) -> None:
        agent = self.agent
        if agent.line is None:
            agent.connect()
            return
        agent.hear()
        agent.beat()
        agent.start_some()
        for key, work in list(agent.work.items()):
            if work.cancelled:
                agent.end(key, work, "cancelled", "cancelled")

    def end(self, key: AttemptKey) -> None:
        self.agent.end(key, self.agent.work[key], "success", "")

    def repeat(self, key: AttemptKey) -> None:
        (ended,) = [each for each in self.old_reports if each.key == key]
        self.agent.tell(ended)

    def hang_up(self) -> None:
        if self.joined:
            self.agent.hang_up()


def rounds(scheduler: Scheduler, *workers: Workers, count: int = 3) -> None:
    """So many turns of the scheduler's loop and of those that execute."""
    for _ in range(count):
        scheduler.wait(0.0)
        scheduler.serve()
        scheduler.sweep()
        scheduler.tick()
        for each in workers:
            each.work()
