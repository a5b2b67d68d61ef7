"""A world in which people edit their DAGs and have runs continue with the latest version: tasks come and go, branches
get other tasks, what was mapped is mapped over something else or not at all.
"""

from random import Random

from msgspec.structs import replace

from headway.actions import commands
from headway.core.commands import Selection
from headway.core.repin import Code
from headway.spec.model import Axis, Dag, Mapping, Task
from headway.store.transact import Session
from tests.simulation.dags import RULES, gated
from tests.simulation.minds import Minds, Undecided, willing
from tests.simulation.people import put
from tests.simulation.world import Connections

STEPS = 15


class Edits(Minds):
    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.people = Editors(self)

    def populate(self) -> None:
        super().populate()
        self.observer.execute("INSERT INTO pool VALUES (1, 'a', 2)")


class Editors(Undecided):
    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds = (
                [self.trigger]
                + [self.clear]
                + [self.edit] * 2
                + [self.onto_latest] * 3
                + [self.mark]
            )
            self.attempt(conn, self.chance.choice(deeds))

    def edit(self, conn: Session) -> None:
        dag_id = self.chance.choice(self.world.dag_ids)
        row = self.world.observer.execute(
            "SELECT version FROM dag WHERE dag_id = %s", [dag_id]
        ).fetchone()
        assert row is not None
        self.world.retimed.add(dag_id)
        dag = edited(self.chance, self.world.version(dag_id, row[0]))
        self.do(conn, put, dag, self.world)

    def onto_latest(self, conn: Session) -> None:
        if (run_id := self.some_run()) is None:
            return
        self.touched.add(run_id)
        chosen = Selection(failed_only=self.chance.random() < 0.7, downstream=True)
        graphs = self.world.graphs(conn)
        self.do(conn, commands.clear, run_id, chosen, graphs, "user:ann", Code.LATEST)


def edited(chance: Random, dag: Dag) -> Dag:
    """One change, as a person would save it."""
    at = chance.randrange(len(dag.tasks))
    kind = chance.choice(["drop", "add", "rewire", "branch", "map", "rule", "pool"])
    if kind == "drop" and len(dag.tasks) > 2:
        return replace(dag, tasks=without(dag.tasks, dag.tasks[at].task_id))
    if kind == "add":
        return replace(dag, tasks=(*dag.tasks, added(chance, dag)))
    return replace(
        dag, tasks=(*dag.tasks[:at], changed(chance, dag, at, kind), *dag.tasks[at + 1 :])
    )


def without(tasks: tuple[Task, ...], gone: str) -> tuple[Task, ...]:
    return tuple(
        replace(
            task,
            upstream=tuple(name for name in task.upstream if name != gone),
            mapping=None if gone in over(task) else task.mapping,
        )
        for task in tasks
        if task.task_id != gone
    )


def over(task: Task) -> list[str | None]:
    axes = task.mapping.axes if task.mapping else ()
    return [leaf.task_id for axis in axes for leaf in axis.leaves()]


def added(chance: Random, dag: Dag) -> Task:
    """A name that may have been there before."""
    names = [task.task_id for task in dag.tasks]
    task_id = chance.choice([f"t{n}" for n in range(len(names) + 3) if f"t{n}" not in names])
    return Task(
        task_id=task_id,
        upstream=(chance.choice(names),),
        doc=willing(task_id, dag.dag_id),
        retry_delay_s=1.0,
    )


def changed(chance: Random, dag: Dag, at: int, kind: str) -> Task:
    task, before = dag.tasks[at], [task.task_id for task in dag.tasks[:at]]
    match kind:
        case "branch":
            return gated(replace(task, branch=not task.branch))
        case "rule":
            return replace(task, trigger_rule=str(chance.choice(RULES)))
        case "pool":
            return replace(task, pool="a" if task.pool == "default" else "default")
        case "map" if task.mapping is not None:
            return replace(task, mapping=None)
        case "map":
            source = chance.choice(task.upstream) if task.upstream else None
            axis = Axis(
                argument="x", task_id=source, length=None if source else chance.randrange(4)
            )
            return replace(task, mapping=Mapping(axes=(axis,)))
    upstream = set(chance.choices(before, k=2)) if before else set()
    return replace(task, upstream=tuple(sorted(upstream | {name for name in over(task) if name})))
