"""A world of a few random DAGs, each altered by a rule of that world. Pools are large enough, and people cancel and
clear more than elsewhere.
"""

from typing import Final

from headway.spec.model import Dag
from headway.store.transact import transact
from tests.simulation.dags import POOLS, random_dag
from tests.simulation.people import TEAM, People, put
from tests.simulation.world import Connections, World

DAGS: Final = 3
STEPS: Final = 60


class Altered(World):
    dags = DAGS

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.people = Impatient(self)

    def altered(self, dag: Dag) -> Dag:
        """Return the DAG of this world that is made of a random one."""
        raise NotImplementedError

    def populate(self) -> None:
        with self.observer.transaction():
            for name in POOLS:
                self.observer.execute("INSERT INTO pool VALUES (1, %s, 3)", [name])
        for number in range(self.dags):
            dag_id = f"d{number}"
            self.dag_ids.append(dag_id)
            dag = self.altered(random_dag(self.chance, dag_id, self.now))
            transact(self.connections.people[0], put, TEAM, dag, self)


class Impatient(People):
    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds = [self.trigger] * 6 + [self.clear] + [self.cancel] * 2 + [self.mark]
            self.attempt(conn, self.chance.choice(deeds))
