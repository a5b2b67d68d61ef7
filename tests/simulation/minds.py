"""A world in which people change their minds: branches, and lists that other tasks are mapped over,
cleared again and again, so that they choose otherwise and bring more or less than before.
"""

from random import Random
from typing import Any

from msgspec.structs import replace

from headway.spec.model import Axis, Dag, Mapping, Task
from headway.store.transact import transact
from tests.simulation.dags import FAR, RULES, deed, draw, gated
from tests.simulation.people import TEAM, People, put
from tests.simulation.world import Connections, World

DAGS = 2
STEPS = 15


class Minds(World):
    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.mischief = min(self.mischief, 0.3)
        self.people = Undecided(self)

    def trouble_comes(self) -> None:
        """A command comes when what the one before it asked for has mostly happened."""
        for _ in range(self.steps):
            self.people.act()
            for _ in range(self.chance.choice([1, 4, 8])):
                self.pass_time(1.0)
                for process in self.processes:
                    process.turn()
                for agent in self.agents:
                    agent.turn()
            self.check()

    def populate(self) -> None:
        with self.observer.transaction():
            self.observer.execute("INSERT INTO pool VALUES (1, 'default', 4)")
        for number in range(DAGS):
            dag_id = f"d{number}"
            self.dag_ids.append(dag_id)
            transact(self.connections.people[0], put, TEAM, self.dag(dag_id), self)

    def dag(self, dag_id: str) -> Dag:
        return deciding_dag(self.chance, dag_id)


class Lists(Minds):
    """What is mapped is mapped over several lists that are combined, and branches choose what is further down."""

    def dag(self, dag_id: str) -> Dag:
        made = super().dag(dag_id)
        first, *others = map(combined, made.tasks)
        tasks = (replace(first, branch=True), *others)  # above most of them
        return replace(made, tasks=tasks, description=FAR)


class Undecided(People):
    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds = [self.trigger] + [self.clear] * 4 + [self.mark]
            self.attempt(conn, self.chance.choice(deeds))


def willing(task_id: str, flavour: str) -> str:
    """Its ``doc``: most of them succeed at once, or nobody could change their mind about the rest."""
    for number in range(100):
        task = Task(task_id=task_id, doc=f"{flavour}/{number}")
        does = deed(task, -1)
        if (does.failures, does.outcome) == (0, "success") and does.seconds < 1 and does.length:
            return task.doc
    raise AssertionError("unreachable")


def combined(task: Task) -> Task:
    if task.mapping is None:
        return task
    (axis,) = task.mapping.axes
    kinds = ("zip", "zip_longest", "concat")
    other: dict[str, Any] = {"length": draw(task, -1, "length") % 4}
    if draw(task, -1, "other") % 2:
        other = {"task_id": task.upstream[draw(task, -1, "which") % len(task.upstream)]}
    parts = [replace(axis, argument=""), Axis(argument="", **other)]
    made = Axis(
        argument="x",
        combine=kinds[draw(task, -1, "combine") % 3],  # type: ignore[arg-type]
        parts=tuple(parts[:: -1 if draw(task, -1, "order") % 2 else 1]),
    )
    return replace(task, mapping=Mapping(axes=(made,)))


def deciding_dag(chance: Random, dag_id: str) -> Dag:
    """A few tasks; each may choose among those behind it, or be mapped over what it waits for."""
    flavour = f"{chance.randrange(1 << 30)}"
    names: list[str] = []
    tasks = []
    for number in range(chance.choice([4, 6, 8])):
        upstream = tuple(
            sorted(set(chance.choices(names, k=chance.choice([1, 1, 2]))) if names else ())
        )
        over = chance.choice(upstream) if upstream and chance.random() < 0.4 else None
        tasks.append(
            gated(
                Task(
                    task_id=f"t{number}",
                    upstream=upstream,
                    trigger_rule=str(chance.choice(RULES))
                    if chance.random() < 0.4
                    else "all_success",
                    retries=chance.choice([0, 1]),
                    retry_delay_s=1.0,
                    mapping=Mapping(axes=(Axis(argument="x", task_id=over),)) if over else None,
                    branch=chance.random() < 0.3,
                    doc=willing(f"t{number}", flavour),
                )
            )
        )
        names.append(f"t{number}")
    return Dag(dag_id=dag_id, file=f"{dag_id}.py", tasks=tuple(tasks))
