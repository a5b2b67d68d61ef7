"""Those that execute, as the conformance suite sees them: one shape for agents on a real socket, the
simulator's agents, and pods, which have no live connection.

The test says when something is taken in, started and ended; nothing happens by itself.
"""

import socket
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import msgspec

from headway import clock, ids
from headway.agent.frames import FrameReader, frame
from headway.agent.protocol import (
    FRAME_BYTES_MAX,
    Ack,
    AttemptKey,
    Cancel,
    Ended,
    GatewayMessage,
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
from tests.executors.pods import Cluster, Pods
from tests.simulation import agents as simulated
from tests.simulation.line import Listener
from tests.simulation.truth import Truth

DECODER: msgspec.msgpack.Decoder[GatewayMessage] = msgspec.msgpack.Decoder(GatewayMessage)


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


class SocketAgent:
    """A protocol client over a real socket, with nothing behind it."""

    def __init__(self, folder: Path, name: str = AGENTS) -> None:
        self.joined = False
        self.name = name
        self.path = folder / f"{name}.sock"
        self.started: list[AttemptKey] = []
        self.session = ids.run_id()
        self.work_left: dict[AttemptKey, Grant] = {}
        self.running: set[AttemptKey] = set()
        self.unwanted: set[AttemptKey] = set()
        self.unacknowledged: dict[AttemptKey, Ended] = {}
        self.ended: dict[AttemptKey, Ended] = {}
        self.seq = 0
        self.sock: socket.socket | None = None

    def open(self, host: Host) -> Executor:
        return Agents(host, address=f"unix:{self.path}", data=None, name=self.name)

    def join(self, slots: int, processes: int, *queues: str) -> None:
        self.joined = True
        self.slots, self.processes = slots, processes
        self.queues = queues or ("default",)
        self.connect()

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))
        self.sock.setblocking(False)
        self.welcomed = False
        self.reader = FrameReader(FRAME_BYTES_MAX)
        held = [*self.work_left, *self.unacknowledged]
        self.tell(
            Hello(
                *(self.session, self.name, SECRET, self.slots, self.processes, "host", 1, held),
                queues=self.queues,
            )
        )

    def tell(self, message: msgspec.Struct) -> None:
        if self.sock is not None:
            self.sock.sendall(frame(msgspec.msgpack.encode(message)))

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

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
        assert self.sock is not None
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return
        for body in self.reader.feed(data):
            match DECODER.decode(body):
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

    def hang_up(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None


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


class PodWorkers:
    """Pods of a cluster that outlives the scheduler."""

    def __init__(self, folder: Path, name: str = "pods") -> None:
        self.joined = False
        self.name = name
        self.cluster = Cluster()

    def open(self, host: Host) -> Executor:
        return Pods(host, cluster=self.cluster, name=self.name)

    @property
    def started(self) -> list[AttemptKey]:
        return self.cluster.started

    def join(self, slots: int, processes: int, *queues: str) -> None:
        self.joined = True
        self.cluster.quota, self.cluster.nodes = slots, processes
        self.cluster.queues = queues or ("default",)

    def work(self) -> None:
        self.cluster.turn()

    def end(self, key: AttemptKey) -> None:
        self.cluster.end(key)

    def repeat(self, key: AttemptKey) -> None:
        self.cluster.told.discard(key)

    def hang_up(self) -> None:
        self.cluster.away = True


def rounds(scheduler: Scheduler, *workers: Workers, count: int = 3) -> None:
    """So many turns of the scheduler's loop and of those that execute."""
    for _ in range(count):
        scheduler.wait(0.0)
        scheduler.serve()
        scheduler.sweep()
        scheduler.tick()
        for each in workers:
            each.work()
