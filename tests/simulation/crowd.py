"""A world where everybody wants the same: wide DAGs, one pool that is too small, several schedulers,
each with an agent of its own.

What two transactions must not do at once is rare in a world of chance; here it is what happens.
"""

from datetime import timedelta
from random import Random
from typing import Final

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.core.fairness import SPREAD_S
from headway.spec.model import Dag, Task
from headway.store.transact import transact
from tests.simulation.agents import Agent
from tests.simulation.people import TEAM, People, put
from tests.simulation.process import Process
from tests.simulation.world import STEPS, Connections, World

DAGS: Final = 4
WIDTH: Final = 4
SCHEDULERS: Final = 3
SLOTS: Final = (2, 3)
# Of one priority, each place behind one's own run costs as much: nobody who comes later goes first.
LATER_S: Final = WIDTH * SPREAD_S

# Ready task instances that so many others were granted before, all of which were ready much later.
OVERTAKEN: Final = """
    WITH offer AS MATERIALIZED (
        SELECT seq, at, run_id, task_id, (
            SELECT min(granted.seq) FROM event AS granted
            WHERE granted.run_id = event.run_id AND granted.task_id = event.task_id
                AND granted.map_index = event.map_index AND granted.seq > event.seq
                AND granted.name = 'grant') AS granted
        FROM event WHERE subject = 'task_instance' AND state = 'ready'
    )
    SELECT mine.run_id, mine.task_id, count(*) FROM offer AS mine JOIN offer AS other
        ON other.granted > mine.seq AND other.granted < mine.granted
        AND other.at > mine.at + %(later)s
    GROUP BY 1, 2 HAVING count(*) > %(overtakers)s
"""
# A tick that was given up had locked the run, and others passed by.
OVERTAKERS_MAX: Final = SLOTS[-1] * SCHEDULERS


class Crowd(World):
    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.mischief = 1.0
        self.meanwhile = 0.4
        self.processes = [Process(conn, self.note) for conn in connections.engines[:SCHEDULERS]]
        self.agents = [
            Agent(self, f"agent{number}", slots=4, processes=4, rate=1.0)
            for number in range(SCHEDULERS)
        ]

        self.people = Customers(self)

    def populate(self) -> None:
        conn = self.connections.people[0]
        with self.observer.transaction():
            self.observer.execute(
                "INSERT INTO pool VALUES (1, 'default', %s)", [self.chance.choice(SLOTS)]
            )
        for number in range(DAGS):
            dag_id = f"d{number}"
            self.dag_ids.append(dag_id)
            transact(conn, put, TEAM, wide_dag(self.chance, dag_id), self)
            transact(conn, commands.trigger, TEAM, dag_id, [RunRequest(params={})], "user:ann")

    def time_passes(self) -> None:
        """Fast, and never back: a wait is to be measured."""
        self.pass_time(self.chance.choice([1.0, 4.0, 8.0, 40.0]))

    def all_ends_well(self) -> None:
        super().all_ends_well()
        asked = {"later": timedelta(seconds=LATER_S), "overtakers": OVERTAKERS_MAX}
        overtaken = self.observer.execute(OVERTAKEN, asked).fetchall()
        assert not overtaken, f"S9 waited while others went first: {overtaken}"


class Customers(People):
    """They want runs, and now and then a pool of another size: nothing that excuses a wait."""

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            self.attempt(conn, self.chance.choice([self.trigger, self.trigger, self.resize]))


def wide_dag(chance: Random, dag_id: str) -> Dag:
    flavour = f"{chance.randrange(1 << 30)}"
    tasks = tuple(Task(task_id=f"t{n}", pool="default", doc=flavour) for n in range(WIDTH))
    return Dag(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks)
