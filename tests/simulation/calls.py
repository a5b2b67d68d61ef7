"""A world of DAGs with callbacks: people clear, mark and cancel, machines and schedulers die, and for each committed
end there is one call for each function, and no other.

What is expected is read from the events by rules of its own, and the runs of the companions are compared with it.
"""

from typing import Final

from msgspec.structs import replace

from headway.spec.callbacks import companion
from headway.spec.model import Dag
from headway.store.transact import transact
from tests.simulation import people
from tests.simulation.dags import POOLS, draw, random_dag
from tests.simulation.people import TEAM
from tests.simulation.world import Connections, World

STEPS: Final = 12
ENDS: Final = {
    ("task_instance", "success"): "success",
    ("task_instance", "failed"): "failure",
    ("task_instance", "cancelled"): "failure",
    ("task_instance", "up_for_retry"): "retry",
    ("task_instance", "skipped"): "skipped",
    ("run", "success"): "success",
    ("run", "failed"): "failure",
    ("run", "cancelled"): "failure",
}
# Not a step to the state: the run is the same before and after.
STAYS: Final = ("repin", "set_aside", "take_back")
EVENTS: Final = """
    SELECT event.seq, event.subject, event.state, event.task_id, event.attempt, event.name, run.dag_id, run.version
    FROM event JOIN run USING (team_id, run_id)
    WHERE run.trigger <> 'callback' AND event.subject IN ('run', 'task_instance') AND event.state IS NOT NULL
"""
CALLS: Final = "SELECT run_key FROM run WHERE trigger = 'callback'"


class Calls(World):
    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.labelled = False

    def populate(self) -> None:
        self.trouble = False
        with self.observer.transaction():
            for name in POOLS:
                self.observer.execute("INSERT INTO pool VALUES (1, %s, 3)", [name])
        for number in range(self.chance.choice([1, 2])):
            dag = with_callbacks(random_dag(self.chance, f"d{number}", self.now))
            self.dag_ids.append(dag.dag_id)
            for each in (dag, companion(dag)):
                transact(self.connections.people[0], people.put, TEAM, each, self)
        self.trouble = True

    def expected(self) -> set[str]:
        found = set()
        for seq, subject, state, task_id, attempt, name, dag_id, version in self.observer.execute(
            EVENTS
        ).fetchall():
            occasion = ENDS.get((subject, state))
            if (
                occasion is None
                or name in STAYS
                or (state in ("skipped", "cancelled") and not attempt and task_id)
            ):
                continue
            spec = self.version(dag_id, version)
            owner = next((t for t in spec.tasks if t.task_id == task_id), spec)
            count = (spec if subject == "run" else owner).callbacks.get(occasion, 0)
            found |= {f"callback:{seq}:{index}" for index in range(count)}
        return found

    def made(self) -> list[str]:
        return [key for (key,) in self.observer.execute(CALLS).fetchall()]

    def check(self) -> None:
        super().check()
        made = self.made()
        assert len(made) == len(set(made)), "C2 a call was made twice"
        assert not (odd := set(made) - self.expected()), f"C3 calls of nothing: {sorted(odd)}"

    def unfinished(self) -> list[str]:
        return super().unfinished() or sorted(self.expected() - set(self.made()))

    def all_is_quiet(self) -> None:
        super().all_is_quiet()
        assert not (lost := self.expected() - set(self.made())), f"C1 lost calls: {sorted(lost)}"


def with_callbacks(dag: Dag) -> Dag:
    """The same DAG, some of whose tasks have callbacks. Takes nothing from the world's chance."""
    tasks = [
        replace(task, callbacks=counts)
        if (
            counts := {
                occasion: count
                for occasion in ("success", "failure", "retry", "skipped")
                if (count := draw(task, -1, f"on {occasion}") % 3)
            }
        )
        else task
        for task in dag.tasks
    ]
    return replace(dag, tasks=tuple(tasks), callbacks={"success": 1, "failure": 2})
