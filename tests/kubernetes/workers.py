"""The Kubernetes executor for the conformance suite: the real one, before the fake API server.

The suite is the kubelet: a pod runs when ``work`` says so, and its agent is a protocol client that does as it is told.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from headway import clock
from headway.agent.protocol import (
    Ack,
    AttemptKey,
    Cancel,
    Ended,
    GatewayMessage,
    Grant,
    Grants,
    Heartbeat,
    Refused,
    Started,
    Welcome,
)
from headway.executors.base import Executor, Host
from headway.executors.kubernetes.executor import Pods
from headway.executors.kubernetes.settings import Settings
from tests.executors.wire import Wire
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import ACCOUNT, NAMESPACE, POD
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.store import Object
from tests.kubernetes.pod_agent import attempt_of, hello_of, run

DEADLINE_S: Final = 60.0
OUTCOMES: Final = {"success": 0, "failed": 1, "cancelled": 1, "lost": 1}


class PodClient(Wire):
    """The agent in a pod."""

    def __init__(self, path: Path, pod: Object, token: str) -> None:
        super().__init__(path)
        self.pod = pod
        self.meta = pod["metadata"]
        self.token = token
        self.key = attempt_of(pod)
        self.grant: Grant | None = None
        self.ended: Ended | None = None
        self.is_cancelled = self.is_stored = self.is_refused = self.is_welcome = False

    def connect(self) -> None:
        self.dial()
        self.is_welcome = False
        held = [self.key] if self.grant is not None and not self.is_stored else []
        self.tell(hello_of(self.pod, self.token, held))

    def hear(self, started: list[AttemptKey]) -> None:
        for message in self.messages():
            self.take(message, started)

    def take(self, message: GatewayMessage, started: list[AttemptKey]) -> None:
        match message:
            case Welcome():
                self.is_welcome = True
                self.tell(Heartbeat(self.next_seq()))
                if self.ended is not None:
                    self.tell(self.ended)
            case Grants(_, [grant]) if self.grant is None:
                self.grant = grant
                if self.is_cancelled:
                    self.finish("cancelled", "never_started")
                else:
                    started.append(self.key)
                    self.tell(Started(self.next_seq(), self.key, grant.token, 1, 0.0))
            case Cancel():
                self.is_cancelled = True
                if self.grant is not None and self.ended is None:
                    self.finish("cancelled", "cancelled")
            case Ack():
                self.is_stored = self.ended is not None
            case Refused():
                self.is_refused = True
            case _:
                pass

    def finish(self, outcome: Any, cause: str = "") -> None:
        assert self.grant is not None
        self.ended = Ended(self.next_seq(), self.key, self.grant.token, outcome, cause)
        self.tell(self.ended)


class KubernetesWorkers:
    def __init__(self, folder: Path, name: str = "kubernetes") -> None:
        self.joined = False
        self.name = name
        self.server = ApiServer()
        self.server.start()
        self.namespace = f"{name}-default"
        self.server.store.create(NAMESPACE, {"metadata": {"name": self.namespace}})
        self.account("headway-task")
        self.path = folder / f"{name}.sock"
        self.settings = Settings(
            image="headway:test",
            listen=f"unix:{self.path}",
            connect=f"unix:{self.path}",
            kubeconfig=str(self.server.kubeconfig(folder / f"{name}.kubeconfig")),
            install=name,
            namespaces=f"{name}-{{team}}",
            request_timeout_s=1.0,
            queues=("nobody",),  # until it joins
            manage_teams=False,
        )
        self.processes = 0
        self.digest = (
            ""  # what nodes get for the tags of images; of each another one unless it is said
        )
        self.clients: dict[str, PodClient] = {}  # by UID
        self.over: dict[AttemptKey, PodClient] = {}
        self.started: list[AttemptKey] = []

    def account(self, name: str) -> None:
        meta = {"name": name, "namespace": self.namespace}
        self.server.store.create(ACCOUNT, {"metadata": meta})

    def open(self, host: Host) -> Executor:
        self.host = host
        self.executor = Pods(host, self.settings, data="/data", name=self.name)
        return self.executor

    def join(self, slots: int, processes: int, *queues: str) -> None:
        self.joined = True
        msgspec.structs.force_setattr(self.settings, "pods", slots)
        msgspec.structs.force_setattr(self.settings, "queues", queues or ("default",))
        self.processes = processes
        self.executor.adopt()
        self.settle()

    # -- what the suite calls

    def work(self) -> None:
        for client in self.clients.values():
            if client.sock is None:
                client.connect()
        while True:
            self.settle()
            if not self.run_some():
                break
        for client in self.clients.values():
            client.tell(Heartbeat(client.next_seq()))

    def run_some(self) -> bool:
        """What the nodes do in one turn. False: there was nothing to do."""
        did = False
        for uid, client in list(self.clients.items()):
            if client.is_stored or client.is_refused:
                client.hang_up()
                self.over[client.key] = self.clients.pop(uid)
                code = 1 if client.ended is None else OUTCOMES[client.ended.outcome]
                is_alone = len(client.pod["spec"]["containers"]) == 1
                ended = states.ended(code) if is_alone else states.terminated("task", code)
                self.change(client.meta["name"], ended)  # others go on
                did = True
        for pod in self.pods():
            meta = pod["metadata"]
            if "deletionTimestamp" in meta:
                if (gone := self.clients.pop(meta["uid"], None)) is not None:
                    gone.hang_up()
                self.server.store.delete(POD, self.namespace, meta["name"], 0)
                did = True
            elif pod["status"]["phase"] == "Pending" and len(self.clients) < self.processes:
                self.run(pod)
                did = True
        return did

    def run(self, pod: Object) -> None:
        client = PodClient(self.path, pod, run(self.server, pod, self.digest))
        self.clients[pod["metadata"]["uid"]] = client
        client.connect()

    def end(self, key: AttemptKey) -> None:
        self.client(key).finish("success")

    def repeat(self, key: AttemptKey) -> None:
        running = [each for each in self.clients.values() if each.key == key]
        client = running[0] if running else self.over[key]
        assert client.ended is not None
        client.tell(client.ended)

    def hang_up(self) -> None:
        for client in self.clients.values():
            client.hang_up()

    def close(self) -> None:
        self.server.stop()

    # -- waiting

    def settle(self) -> None:
        """Let the executor's part of the loop turn until everybody knows what there is to know."""
        deadline = clock.monotonic() + DEADLINE_S
        quiet = 0
        while quiet < 2:
            assert clock.monotonic() < deadline, "it does not come to rest"
            for key, events in self.host.selector.select(0.005):
                key.data(events)
            self.executor.serve()
            for client in self.clients.values():
                client.hear(self.started)
            quiet = quiet + 1 if self.is_quiet() else 0

    def is_quiet(self) -> bool:
        cluster, gateway = self.executor.cluster, self.executor.agents.gateway
        there = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in self.pods()}
        known = {n: p.phase for n, p in cluster.pods.get(self.namespace, {}).items()}
        waiting = any(
            not c.is_welcome and not c.is_refused and c.sock for c in self.clients.values()
        )
        return (
            self.namespace in cluster.pods
            and not cluster.asked
            and not cluster.inbox
            and not gateway.arrivals
            and there == known
            and not waiting
        )

    def pods(self) -> list[Object]:
        return self.server.store.every(POD, self.namespace)[0]

    def change(self, name: str, edit: states.Edit) -> None:
        self.server.store.change(POD, self.namespace, name, edit)

    def client(self, key: AttemptKey) -> PodClient:
        (found,) = [each for each in self.clients.values() if each.key == key]
        assert found.grant is not None, f"{key} does not run"
        return found
