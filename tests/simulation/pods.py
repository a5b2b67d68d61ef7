"""A world with a cluster: most tasks run in pods, and all goes wrong that can go wrong with these.

The executor is the real one, with its client; the API server is that of ``tests/kubernetes/fake``, in process. What
``S4`` and ``P1`` to ``P6`` say of pods is in ``pod_invariants``.
"""

from random import Random
from typing import Any, Final

from msgspec.structs import replace
from psycopg import Connection

from headway.executors.kubernetes.cluster import Cluster
from headway.executors.kubernetes.ends import Ends
from headway.executors.kubernetes.names import namespace_of
from headway.executors.kubernetes.settings import EXECUTOR, Settings
from headway.executors.kubernetes.upkeep import Upkeep
from headway.spec.model import Dag
from headway.store import attempts, clusters, sessions
from tests.kubernetes.fake.kinds import NAMESPACE
from tests.simulation import pod_invariants, rest
from tests.simulation.agents import Agent
from tests.simulation.altered import Altered
from tests.simulation.dags import draw
from tests.simulation.line import Listener
from tests.simulation.nodes import Nodes
from tests.simulation.pod_process import DOOR, PodProcess
from tests.simulation.road import Api, Request
from tests.simulation.world import SEAMS, Connections

STEPS: Final = 90
TABLES: Final = "team_cluster, pod_policy, warm_pool, run_image"
LIMITS: Final = ("{}", '{"pods": 1}', '{"pods": 3}', '{"cpu": "1"}', '{"pods": 8, "memory": "1Gi"}')
DEADLINE_S: Final = 10.0  # for pods to start
RUNS, ROUNDS_BEFORE = 4, 4
CALM_S: Final = 2.5
TURNS: Final = 2  # of everybody, in one moment of a calm world
EMPTY_ROUNDS_MAX: Final = 400


class Pods(Altered):
    seams = (
        *SEAMS,
        *((attempts, name) for name in ("take_over", "tell_waits")),
        *((sessions, name) for name in ("bound", "bound_to_cluster", "close", "live_of_cluster")),
        (clusters, "tell"),
        *((Cluster, name) for name in ("create", "delete", "replace")),
        (Ends, "tell"),
        (Upkeep, "remove"),
    )
    dags = 2
    truth: pod_invariants.PodTruth
    still_max = 200

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        chance = Random(f"cluster of {seed}")
        self.mischief = chance.choice([0.3, 0.6, 1.0])
        self.settings = Settings(
            image="headway:test",
            listen=DOOR,
            connect="tcp:127.0.0.1:9",
            pods=chance.choice([2, 4, 8]),
            pending_deadline_s=DEADLINE_S,
            request_timeout_s=5.0,
        )
        self.namespace = namespace_of(self.settings, "default")
        self.labelled = False
        self.agents = [Agent(self, "agent0", slots=2, processes=2, rate=1.0)]
        self.api = Api(self)
        self.nodes = Nodes(self)
        self.schedulers = [PodProcess(self, process.conn) for process in self.processes]
        self.processes = [*self.schedulers]
        self.truth = pod_invariants.PodTruth(self.observer, self.note)
        self.watch = pod_invariants.Watch(self)

    # -- what there is

    def altered(self, dag: Dag) -> Dag:
        tasks = [
            replace(task, executor=EXECUTOR) if draw(task, -1, "pod") % 5 else task
            for task in dag.tasks
        ]
        return replace(dag, tasks=tuple(tasks), max_active_runs=2, max_active_tasks=None)

    def populate(self) -> None:
        """It is at work already: the team has its namespace, and runs are under way."""
        super().populate()
        self.trouble = False
        for _ in range(ROUNDS_BEFORE):
            for process in self.processes:
                process.turn()
            self.cluster_turns()
            self.pass_time(1.0)
        for _ in range(RUNS):
            self.people.attempt(self.connections.people[0], self.people.trigger)
        self.trouble = True

    def begin(self) -> None:
        with self.observer.transaction():
            self.observer.execute(f"TRUNCATE {TABLES} CASCADE")
            self.observer.execute("UPDATE team SET cluster = '{}' WHERE team_id = 1")
        super().begin()

    def some_door(self) -> Listener | None:
        up = [each.door for each in self.schedulers if each.scheduler is not None]
        return self.chance.choice(up) if up else None

    # -- what the API server is asked

    def before(self, request: Request) -> None:
        self.watch.before(request)

    def after(self, request: Request, code: int) -> None:
        self.watch.after(request, code)

    # -- what happens

    def cluster_turns(self) -> None:
        """The outside goes on, and the loop of a scheduler."""
        self.api.turn()
        self.nodes.turn()
        for process in self.schedulers:
            if not process.busy and self.elapsed >= process.frozen_until:
                process.go_on()

    def agent_turns(self) -> None:
        """Most of them: what a pod says to the scheduler takes several turns."""
        self.nodes.turn()
        for agent in list(self.agents):
            if self.chance.random() < 0.7:
                agent.turn()

    def trouble_comes(self) -> None:
        moves = [self.scheduler_turns] * 8 + [self.agent_turns] * 8 + [self.time_passes] * 4
        moves += [self.cluster_turns] * 4 + [self.people.act] * 4 + [self.mischief_happens] * 3
        for _ in range(self.steps):
            self.chance.choice(moves)()
            self.check()

    def mischief_happens(self) -> None:
        if self.chance.random() < 0.3:
            super().mischief_happens()
        elif self.happens(1.0):
            deeds = [self.watches_break, self.compacts] * 3 + [self.api_is_away] * 2
            deeds += [self.namespace_goes, self.limits_change]
            self.chance.choice(deeds)()

    def watches_break(self) -> None:
        if not self.api.watches:
            return
        watch = self.chance.choice(list(self.api.watches))
        how = self.chance.choice(["break", "end", "silent"])
        self.note(f"a watch: {how}")
        if how == "silent":
            watch.silent_until = float("inf")
        else:
            watch.cut(how)

    def compacts(self) -> None:
        """Watches that are behind are answered with 410."""
        self.note("compacted")
        self.api.server.store.compact()

    def api_is_away(self) -> None:
        self.note("the API server is away")
        self.api.away_until = self.elapsed + self.chance.choice([5.0, 30.0, 90.0])

    def namespace_goes(self) -> None:
        store = self.api.server.store
        if (NAMESPACE.plural, "", self.namespace) not in store.objects:
            return
        self.note("the namespace is deleted")
        if self.chance.random() < 0.5:  # in order: its pods first

            def kept(found: Any) -> None:
                found["metadata"]["finalizers"] = ["kubernetes"]

            store.change(NAMESPACE, "", self.namespace, kept)
        store.delete(NAMESPACE, "", self.namespace)

    def limits_change(self) -> None:
        limits = self.chance.choice(LIMITS)
        self.note(f"limits: {limits}")
        self.observer.execute("UPDATE team SET cluster = %s::jsonb WHERE team_id = 1", [limits])

    # -- what must hold

    def check(self) -> None:
        super().check()
        self.watch.check()

    def all_ends_well(self) -> None:
        self.api.away_until = 0.0
        self.observer.execute("UPDATE team SET cluster = '{}' WHERE team_id = 1")
        super().all_ends_well()

    def outside_goes_on(self) -> None:
        for _ in range(TURNS):
            self.cluster_turns()
            self.processes[0].turn()
            for agent in list(self.agents):
                agent.turn()
        self.cluster_turns()
        self.watch.calm()

    def compare(self) -> None:
        """What the cluster never started may end otherwise than the reference."""
        self.people.touched |= self.watch.never_started()
        super().compare()

    def until_next_timer(self) -> float:
        """Pods and requests are not to be jumped over."""
        return 5.0 if self.nodes.places or self.watch.waiting() else super().until_next_timer()

    def all_is_quiet(self) -> None:
        for _ in range(EMPTY_ROUNDS_MAX):
            self.outside_goes_on()
            self.remember()
            if not self.watch.remains():
                break
            self.pass_time(CALM_S)
        self.watch.end()
        super().all_is_quiet()

    def left(self, conn: Connection[Any]) -> list[str]:
        """The sessions of the cluster stay, for what comes next."""
        ours = "UPDATE agent_session SET ended_at = heartbeat_at WHERE agent = %s"
        with conn.transaction(force_rollback=True):
            conn.execute(ours, [EXECUTOR])
            return rest.left(conn)
