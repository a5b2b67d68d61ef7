"""A world of setups and teardowns: in each DAG some tasks prepare what others clean up. People cancel and clear more
than elsewhere.
"""

from typing import Final

from msgspec.structs import replace

from headway.spec.model import Dag, Task
from headway.store.transact import transact
from tests.simulation.dags import POOLS, draw, random_dag
from tests.simulation.people import TEAM, People, put
from tests.simulation.world import Connections, World

DAGS: Final = 3
STEPS: Final = 60
TEARDOWN: Final = {"teardown": True, "trigger_rule": "all_done_setup_success", "branch": False}


class Clusters(World):
    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.people = Impatient(self)

    def populate(self) -> None:
        with self.observer.transaction():
            for name in POOLS:
                self.observer.execute("INSERT INTO pool VALUES (1, %s, 3)", [name])
        for number in range(DAGS):
            dag_id = f"d{number}"
            self.dag_ids.append(dag_id)
            dag = with_setups(random_dag(self.chance, dag_id, self.now))
            transact(self.connections.people[0], put, TEAM, dag, self)


class Impatient(People):
    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds = [self.trigger] * 6 + [self.clear] + [self.cancel] * 2 + [self.mark]
            self.attempt(conn, self.chance.choice(deeds))


def with_setups(dag: Dag) -> Dag:
    """The same DAG, where some tasks are setups, some of those below them teardowns. Many of the others run whatever is
    above them, which only a setup further up prevents.
    """
    roles: dict[str, Task] = {}
    for task in dag.tasks:
        if task.upstream and draw(task, -1, "teardown") % 3 == 0:
            decides = draw(task, -1, "decides") % 4 == 0
            task = replace(task, **TEARDOWN, decides_outcome=decides, skips_all_below=False)
        roles[task.task_id] = task
    for task in dag.tasks:
        below = [each for each in roles.values() if task.task_id in each.upstream]
        fit = all(each.teardown or each.trigger_rule == "all_success" for each in below)
        if fit and not roles[task.task_id].teardown and draw(task, -1, "setup") % 2 == 0:
            roles[task.task_id] = replace(roles[task.task_id], setup=True)
    setups = {name for name, task in roles.items() if task.setup}
    for name, task in roles.items():
        if (
            not task.teardown
            and setups.isdisjoint(task.upstream)
            and draw(task, -1, "rule") % 3 > 0
        ):
            roles[name] = replace(task, trigger_rule="all_done")
    return replace(dag, tasks=tuple(roles.values()))
