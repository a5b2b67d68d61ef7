"""An executor without a live connection, as pods will be: it shows that the seam asks for none.

A ``Cluster`` outlives every scheduler. Objects are named by their attempt, so that a second creation
is no second start; an object stays until its end is stored. The cluster is one session.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from headway import clock, ids
from headway.agent.protocol import AttemptKey, Ended
from headway.core.admission import Session
from headway.executors.agents import translate
from headway.executors.base import LEASE, Backlog, Envelope, Grant, Host
from headway.store import sessions
from headway.store.clock import clock as database_clock
from headway.store.transact import read, transact

Phase = Literal["pending", "running", "success", "cancelled"]


class Pod(msgspec.Struct):
    token: str
    phase: Phase = "pending"
    unwanted: bool = False


class Cluster:
    def __init__(self) -> None:
        self.quota = self.nodes = 0
        self.pods: dict[AttemptKey, Pod] = {}
        self.gone: dict[AttemptKey, Pod] = {}
        self.told: set[AttemptKey] = set()  # ends that the scheduler knows of, not stored yet
        self.started: list[AttemptKey] = []
        self.session = ids.run_id()
        self.away = False
        self.queues: tuple[str, ...] = ("default",)

    def create(self, key: AttemptKey, token: str) -> None:
        if key not in self.gone:
            self.pods.setdefault(key, Pod(token))

    def turn(self) -> None:
        """What the nodes do."""
        self.away = False
        for key, pod in self.pods.items():
            if pod.unwanted and pod.phase in ("pending", "running"):
                pod.phase = "cancelled"
            running = sum(each.phase == "running" for each in self.pods.values())
            if pod.phase == "pending" and running < self.nodes:
                pod.phase = "running"
                self.started.append(key)

    def end(self, key: AttemptKey) -> None:
        assert self.pods[key].phase == "running"
        self.pods[key].phase = "success"

    def live(self) -> int:
        return sum(pod.phase in ("pending", "running") for pod in self.pods.values())


class Pods:
    def __init__(
        self, host: Host, *, cluster: Cluster, name: str = "pods", team_id: int = 1
    ) -> None:
        self.host = host
        self.cluster = cluster
        self.name = name
        self.team_id = team_id
        self.returned: list[Envelope] = []
        self.sent: list[AttemptKey] = []
        self.known = False

    def backlog(self) -> Backlog:
        told = self.cluster.told
        ends = sum(
            pod.phase in ("success", "cancelled") and key not in told
            for key, pod in self.cluster.pods.items()
        )
        return Backlog(ends + len(self.returned), 0, self.cluster.live(), not self.cluster.away)

    def serve(self) -> bool:
        if self.known or self.cluster.away or not self.cluster.quota:
            return False
        self.known = transact(
            self.host.conn,
            sessions.open_session,
            self.team_id,
            self.cluster.session,
            self.name,
            "cluster",
            1,
            self.cluster.quota,
            read(self.host.conn, database_clock),
            LEASE,
        )
        return self.known

    def sessions(self) -> Collection[str]:
        return [self.cluster.session] if self.known and not self.cluster.away else []

    def offers(self) -> Mapping[int, Sequence[Session]]:
        free = self.cluster.quota - self.cluster.live()
        queues = self.cluster.queues
        return {
            self.team_id: [
                Session(each, self.name, free, queues, executor=self.name)
                for each in self.sessions()
            ]
        }

    def collect(self) -> list[Envelope]:
        found, self.returned = self.returned, []
        for key, pod in {**self.cluster.pods, **self.cluster.gone}.items():
            if pod.phase in ("success", "cancelled") and key not in self.cluster.told:
                self.cluster.told.add(key)
                found.append(self.report(key, pod.token, pod.phase))
        self.sent = [key for key in self.cluster.told if key in self.cluster.pods]
        return found

    def report(self, key: AttemptKey, token: str, outcome: Any, cause: str = "") -> Envelope:
        message = Ended(0, key, token, outcome, cause)
        body = msgspec.msgpack.encode(message)
        return Envelope(
            self.team_id, key.run_id, translate.report(message), body, clock.monotonic()
        )

    def give_back(self, reports: Sequence[Envelope]) -> None:
        self.returned = [*reports, *self.returned]

    def acknowledge(self) -> None:
        """The end is stored: the object may go."""
        for key in self.sent:
            self.cluster.gone[key] = self.cluster.pods.pop(key)
        self.sent = []

    def start(self, grants: Sequence[Grant]) -> None:
        for grant in grants:
            key = translate.attempt_key(grant.row.run_id, grant.instance, grant.attempt.number)
            self.cluster.create(key, grant.attempt.token or "")

    def cancel(self, session: str, keys: Sequence[AttemptKey]) -> None:
        for key in keys:
            if key in self.cluster.pods:
                self.cluster.pods[key].unwanted = True

    def forget_results(self, run_id: str) -> None:
        """A pod asks for its inputs when it starts."""

    def beating(self) -> Collection[str]:
        return self.sessions()

    def renewed(self, alive: Collection[str]) -> None:
        if self.known and not self.cluster.away and self.cluster.session not in alive:
            self.cluster.session, self.known = ids.run_id(), False

    def adopt(self) -> None:
        """What is bound and has no object is lost: nobody can tell whether it was ever created."""
        if not self.sessions():
            return
        bound = read(self.host.conn, sessions.bound, self.team_id, self.cluster.session)
        keys = {AttemptKey(b.run_id, b.task_id, b.map_index, b.number): b for b in bound}
        for key, b in keys.items():
            if key not in self.cluster.pods and key not in self.cluster.gone and not b.reported:
                self.returned.append(self.report(key, b.token, "lost", "never_started"))
        for key in list(self.cluster.pods):
            if key not in keys:
                del self.cluster.pods[key]

    def close(self) -> None:
        self.known = False
