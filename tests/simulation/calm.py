"""A world without chance: no fault but those of a story."""

from itertools import count

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.core.states import RunState
from headway.spec.model import Dag, Task
from headway.store.transact import transact
from tests.simulation.agents import Agent
from tests.simulation.dags import deed
from tests.simulation.people import TEAM, put
from tests.simulation.process import Process
from tests.simulation.world import Connections, World

TURN_S = 0.5


def lasting(task_id: str, seconds: float, *upstream: str) -> Task:
    """A task that succeeds after so long."""
    for number in count():
        task = Task(task_id=task_id, upstream=upstream, doc=str(number))
        does = deed(task, -1)
        if (does.failures, does.outcome, does.seconds) == (0, "success", seconds):
            return task
    raise AssertionError("unreachable")


class Calm(World):
    def __init__(
        self,
        connections: Connections,
        *,
        schedulers: int = 2,
        crash_at: tuple[int, ...] = (),
    ) -> None:
        super().__init__(0, connections, crash_at=crash_at)
        self.mischief = 0.0
        engines = connections.engines[:schedulers]
        self.processes = [Process(conn, self.note) for conn in engines]
        self.agents = [
            Agent(self, f"agent{number}", slots=4, processes=4, rate=1.0)
            for number in range(schedulers)
        ]

    def deploy(self, dag_id: str, *tasks: Task, **options: object) -> None:
        dag = Dag(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks, **options)  # type: ignore[arg-type]
        transact(self.connections.people[0], put, TEAM, dag, self)

    def trigger(self, dag_id: str) -> None:
        conn = self.connections.people[0]
        transact(conn, commands.trigger, TEAM, dag_id, [RunRequest(params={})], "user:ann")

    def goes_on(self, seconds: float) -> None:
        for _ in range(round(seconds / TURN_S)):
            self.pass_time(TURN_S)
            for process in self.processes:
                process.turn()
            for agent in self.agents:
                agent.turn()
            self.check()

    def without_schedulers(self, seconds: float) -> None:
        for process in self.processes:
            process.die()
        for _ in range(round(seconds / TURN_S)):
            self.pass_time(TURN_S)
            for agent in self.agents:
                agent.turn()


class Short(Calm):
    """One run of two tasks and one scheduler: so short that it can die at any two points of it."""

    SECONDS = 2.0

    def __init__(self, connections: Connections, *, crash_at: tuple[int, ...] = ()) -> None:
        super().__init__(connections, schedulers=1, crash_at=crash_at)

    def populate(self) -> None:
        self.observer.execute("INSERT INTO pool VALUES (1, 'default', 1)")
        self.dag_ids.append("d")
        self.deploy("d", lasting("a", 0.0), lasting("b", 0.5, "a"))
        self.trigger("d")

    def trouble_comes(self) -> None:
        self.goes_on(self.SECONDS)

    def all_ends_well(self) -> None:
        super().all_ends_well()
        ends = self.observer.execute("SELECT state FROM run").fetchall()
        assert ends == [(RunState.SUCCESS,)], f"F01 one run was triggered: {ends}"
