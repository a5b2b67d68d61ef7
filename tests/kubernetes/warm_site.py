"""A warm pool whose every part takes its steps when the test says so: schedulers, the controller of Deployments, nodes.

Scheduler, database and executor are real. An agent is a protocol client in a pod, which keeps its fence. Time stands
still but for ``later``: however slow the machine is, no lease ends by itself.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from headway import clock, ids
from headway.agent.protocol import (
    FENCE_S,
    Ack,
    AttemptKey,
    Cancel,
    Ended,
    GatewayMessage,
    Grant,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Refused,
    Started,
    Welcome,
)
from headway.engine.scheduler import Scheduler
from headway.executors.base import Executor, Host
from headway.executors.kubernetes.executor import Pods
from headway.executors.kubernetes.settings import AUDIENCE, Settings
from tests.executors.wire import Wire
from tests.executors.workers import rounds
from tests.kubernetes.fake import states
from tests.kubernetes.fake.deployments import Deployments
from tests.kubernetes.fake.kinds import ACCOUNT, DEPLOYMENT, NAMESPACE, POD
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.store import Object

TURNS_MAX: Final = 60
SPACE: Final = "headway-default"
SLOTS: Final = 2  # of an agent

Instance = tuple[str, str, int]


class Still(clock.Clock):
    """All clocks at once: they go on by ``later`` alone."""

    def __init__(self) -> None:
        self.began = clock.now()
        self.passed_s = 1_000.0

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return self.passed_s

    def sleep(self, seconds: float) -> None:
        self.passed_s += seconds

    def of_database(self, read: Callable[[], datetime]) -> datetime:
        return self.now()


class WarmAgent(Wire):
    """The agent in a pod of the pool. ``home``: the scheduler that it connects to."""

    def __init__(self, site: "WarmSite", pod: Object, home: str) -> None:
        super().__init__(site.path_of(home))
        self.site = site
        self.meta = pod["metadata"]
        self.image = pod["spec"]["containers"][0]["image"]
        self.home = home
        self.begin()
        self.draining = self.is_drained = self.is_refused = False
        self.is_frozen = False

    def begin(self) -> None:
        """Begin as a new session, which has nothing."""
        self.session = ids.run_id()
        self.granted: dict[AttemptKey, Grant] = {}
        self.running: set[AttemptKey] = set()
        self.unwanted: set[AttemptKey] = set()
        self.unacknowledged: dict[AttemptKey, Ended] = {}
        self.beats: dict[int, tuple[float, bool]] = {}
        self.fence_at = float("inf")
        self.is_welcome = False

    @property
    def is_over(self) -> bool:
        return self.is_drained and not self.granted and not self.unacknowledged

    def connect(self) -> None:
        if self.home not in self.site.schedulers:
            return
        self.dial()
        self.is_welcome = False
        self.hello_at = clock.monotonic()
        who = (SPACE, "headway-task", (AUDIENCE,), self.meta["name"], self.meta["uid"])
        token = self.site.server.tokens.issue(*who)
        held = [*self.granted, *self.unacknowledged]
        hello = Hello(
            *(self.session, self.meta["name"], token, SLOTS, SLOTS, "node", 1, held),
            draining=self.draining,
        )
        self.tell(hello)

    def work(self) -> None:
        if self.is_frozen:
            return
        if clock.monotonic() >= self.fence_at:
            self.fence()
        if self.sock is None and not self.is_refused:
            self.connect()
        self.hear()
        for key, grant in list(self.granted.items()):
            if key in self.unwanted:
                self.finish(key, "cancelled")
            elif key not in self.running and len(self.running) < SLOTS:
                self.running.add(key)
                self.site.start(key, self)
                self.tell(Started(self.next_seq(), key, grant.token, 1, 0.0))
        if self.is_welcome:
            beat = self.next_seq()
            self.beats[beat] = clock.monotonic(), self.draining
            self.tell(Heartbeat(beat, draining=self.draining))

    def hear(self) -> None:
        for message in self.messages() if not self.is_frozen else ():
            self.take(message)

    def take(self, message: GatewayMessage) -> None:
        match message:
            case Welcome():
                self.is_welcome = True
                self.fence_at = self.hello_at + FENCE_S
                for ended in self.unacknowledged.values():
                    self.tell(ended)
            case HeartbeatAck(seq):
                sent_at, drained = self.beats.pop(seq, (0.0, False))
                self.fence_at = max(self.fence_at, sent_at + FENCE_S)
                self.is_drained |= drained
            case Grants(_, grants):
                new = {each.key: each for each in grants if each.key not in self.unacknowledged}
                self.granted = {**new, **self.granted}
            case Cancel(keys):
                self.unwanted.update(keys)
            case Ack(seq):
                kept = self.unacknowledged.items()
                self.unacknowledged = {key: ended for key, ended in kept if ended.seq > seq}
            case Refused(again=again):
                self.is_refused = not again
                self.begin()
            case _:
                pass

    def end_all(self) -> None:
        for key in list(self.running):
            self.finish(key, "success")

    def finish(self, key: AttemptKey, outcome: str) -> None:
        grant = self.granted.pop(key)
        self.running.discard(key)
        self.site.end(key, self)
        ended = Ended(self.next_seq(), key, grant.token, outcome, "")  # type: ignore[arg-type]
        self.unacknowledged[key] = ended
        self.tell(ended)

    def fence(self) -> None:
        """End what runs: for too long no scheduler has said that the session lives."""
        for key in self.running:
            self.site.end(key, self)
        self.hang_up()
        self.begin()


class WarmSite:
    def __init__(self, dsn: str, folder: Path, still: Still) -> None:
        self.dsn = dsn
        self.folder = folder
        self.still = still
        self.server = ApiServer()
        self.server.start()
        self.deployments = Deployments(self.server)  # not as a thread: its turns are ours
        self.server.store.create(NAMESPACE, {"metadata": {"name": SPACE}})
        account = {"name": "headway-task", "namespace": SPACE}
        self.server.store.create(ACCOUNT, {"metadata": account})
        self.settings = Settings(
            image="headway:1",
            listen="unix:",
            connect="tls:gateway:7077",
            kubeconfig=str(self.server.kubeconfig(folder / "kubeconfig")),
            manage_teams=False,
        )
        self.schedulers: dict[str, Scheduler] = {}
        self.agents: dict[str, WarmAgent] = {}  # by the UID of their pod
        self.started: list[AttemptKey] = []
        self.running: dict[Instance, WarmAgent] = {}

    # -- life

    def path_of(self, scheduler: str) -> Path:
        return self.folder / f"{scheduler}.sock"

    def begin(self, name: str = "first") -> None:
        settings = msgspec.structs.replace(self.settings, listen=f"unix:{self.path_of(name)}")
        found = Scheduler(self.dsn, [partial(self.open, settings)], scheduled=False)
        found.register()
        self.schedulers[name] = found

    @staticmethod
    def open(settings: Settings, host: Host) -> Executor:
        return Pods(host, settings, data="/data")

    def kill(self, name: str = "first") -> None:
        """As a process ends that is killed: it tells nobody anything."""
        scheduler = self.schedulers.pop(name)
        for agent in self.agents.values():
            if agent.home == name:
                agent.hang_up()
        for executor in scheduler.executors:
            executor.close()
        scheduler.conn.close()
        scheduler.ears.close()
        scheduler.selector.close()

    def close(self) -> None:
        for name in list(self.schedulers):
            self.kill(name)
        self.server.stop()

    def later(self, seconds: float) -> None:
        self.still.passed_s += seconds

    # -- a turn of everybody

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.later(1.0)  # a look at the pool is due again
            self.decide()
            self.deployments.turn()
            self.settle()
            self.nodes()
            self.settle()

    def decide(self) -> None:
        """A turn of the schedulers alone."""
        for scheduler in self.schedulers.values():
            scheduler.wanted = scheduler.look_for_starts = True
            rounds(scheduler, count=1)

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(TURNS_MAX):
            if condition():
                return
            self.turn()
        raise AssertionError("it does not come to that")

    def nodes(self) -> None:
        for pod in self.pods():
            meta = pod["metadata"]
            agent = self.agents.get(meta["uid"])
            if "deletionTimestamp" in meta:
                if agent is not None:
                    agent.draining = True  # SIGTERM
                if agent is None or agent.is_over:
                    self.remove(meta)
            elif agent is None:
                self.change(meta["name"], states.scheduled("node-1"))
                self.change(meta["name"], states.running)
                names = sorted(self.schedulers)
                home = names[len(self.agents) % len(names)]
                self.agents[meta["uid"]] = WarmAgent(self, pod, home)
        for agent in self.agents.values():
            agent.work()

    def remove(self, meta: Object) -> None:
        if (agent := self.agents.pop(meta["uid"], None)) is not None:
            agent.hang_up()
        self.server.store.delete(POD, SPACE, meta["name"], 0)

    def settle(self) -> None:
        """Let everybody hear what there is to hear."""
        quiet = 0
        while quiet < 2:
            for scheduler in self.schedulers.values():
                for key, events in scheduler.selector.select(0.005):
                    key.data(events)
                scheduler.serve()
            for agent in self.agents.values():
                agent.hear()
            quiet = quiet + 1 if all(map(self.is_quiet, self.schedulers.values())) else 0

    def is_quiet(self, scheduler: Scheduler) -> bool:
        (executor,) = scheduler.executors
        assert isinstance(executor, Pods)
        cluster = executor.cluster
        there = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in self.pods()}
        known = {name: pod.phase for name, pod in cluster.pods.get(SPACE, {}).items()}
        asked = cluster.asked or cluster.inbox or executor.agents.gateway.arrivals
        return not asked and (SPACE not in cluster.pods or there == known)

    # -- what there is

    def pods(self) -> list[Object]:
        return self.server.store.every(POD, SPACE)[0]

    def change(self, name: str, edit: states.Edit) -> None:
        self.server.store.change(POD, SPACE, name, edit)

    def replicas(self) -> int | None:
        found = self.server.store.every(DEPLOYMENT, SPACE)[0]
        return found[0]["spec"]["replicas"] if found else None

    def is_ready(self, agents: int) -> bool:
        return [each.is_welcome for each in self.agents.values()] == [True] * agents

    # -- what runs

    def start(self, key: AttemptKey, agent: WarmAgent) -> None:
        """Note a start. What an agent had that hears nothing ends by itself at its fence."""
        instance = (key.run_id, key.task_id, key.map_index)
        other = self.running.get(instance)
        assert other is None or clock.monotonic() >= other.fence_at, f"{key} runs twice at once"
        self.started.append(key)
        self.running[instance] = agent

    def end(self, key: AttemptKey, agent: WarmAgent) -> None:
        instance = (key.run_id, key.task_id, key.map_index)
        if self.running.get(instance) is agent:
            del self.running[instance]
