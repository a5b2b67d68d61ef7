"""A world of groups that are mapped as a whole, over lists that get shorter or longer. People clear single indexes."""

from dataclasses import replace as chosen

from msgspec.structs import replace

from headway.actions import commands
from headway.core.commands import Selection
from headway.spec.model import Axis, Dag, Mapping, Task
from headway.store.transact import Session
from tests.simulation.dags import draw
from tests.simulation.minds import Minds, Undecided, deciding_dag
from tests.simulation.world import Connections

STEPS = 15


class Groups(Minds):
    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.people = OfIndexes(self)

    def dag(self, dag_id: str) -> Dag:
        return with_mapped_group(deciding_dag(self.chance, dag_id))


class OfIndexes(Undecided):
    """People who clear one index of a group as often as all of it."""

    def clear(self, conn: Session) -> None:
        if (run_id := self.some_run()) is None:
            return
        self.touched.add(run_id)
        selection = Selection(
            tasks=self.some_tasks(run_id),
            downstream=self.chance.random() < 0.6,
            upstream=self.chance.random() < 0.1,
        )
        if selection.tasks and self.chance.random() < 0.5:
            selection = chosen(selection, map_indexes=frozenset({self.chance.choice([0, 1, 2])}))
        self.do(conn, commands.clear, run_id, selection, self.world.graphs(conn), "user:eve")


def with_mapped_group(dag: Dag) -> Dag:
    """The same DAG, where some tasks are a group that is mapped over the result of the first one, or a literal."""
    first, *others = dag.tasks
    inside = {task.task_id for task in others if draw(task, -1, "inside") % 3}
    if len(inside) < 2:  # as a mapped task
        inside = {task.task_id for task in others}
    axis = Axis(argument="x", task_id=first.task_id)
    if draw(first, -1, "literal") % 4 == 0:
        axis = Axis(argument="x", length=draw(first, -1, "length") % 4)
    mapping = Mapping(axes=(axis,), group="g")
    tasks = [member(task, inside, mapping) if task.task_id in inside else task for task in others]
    return replace(dag, tasks=(first, *tasks))


def member(task: Task, inside: set[str], mapping: Mapping) -> Task:
    source = mapping.axes[0].task_id
    upstream = set(task.upstream)
    if source is not None and upstream.isdisjoint(inside):
        upstream.add(source)
    return replace(task, upstream=tuple(sorted(upstream)), mapping=mapping)
