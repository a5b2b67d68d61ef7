"""A world of retry policies: tasks fail in several ways, and the first rule that names the way decides."""

from typing import Final

from headway.store.transact import transact
from tests.simulation.dags import POOLS, deed, random_dag
from tests.simulation.people import TEAM, put
from tests.simulation.ways import retries_after, rule_of, way, with_rules
from tests.simulation.world import World

# Of what its own end decided on, with the failures that it counts.
DECIDED: Final = """
    SELECT run_id, dag_id, run.version, task_id, map_index, failures, task_instance.reason -> 'by' ->> 'number',
        task_instance.state
    FROM task_instance JOIN run USING (team_id, run_id)
    WHERE failures > 0 AND task_instance.state IN ('up_for_retry', 'failed')
        AND task_instance.reason ->> 'kind' IN ('attempt_failed', 'given_up')
        AND task_instance.reason ->> 'cause' IN ('exception', 'exit_code', 'signal', 'timeout', 'memory')
        AND run.dag_id LIKE 'd%%'
    ORDER BY run_id, task_id, map_index
"""


class Retries(World):
    def populate(self) -> None:
        with self.observer.transaction():
            for name in POOLS:
                self.observer.execute("INSERT INTO pool VALUES (1, %s, 3)", [name])
        for number in range(self.chance.choice([1, 2, 3])):
            self.dag_ids.append(f"d{number}")
            dag = with_rules(random_dag(self.chance, f"d{number}", self.now))
            transact(self.connections.people[0], put, TEAM, dag, self)

    def check(self) -> None:
        super().check()
        for (
            run_id, dag_id, version, task_id, index, failures, number, state,
        ) in self.observer.execute(DECIDED).fetchall():  # fmt: skip
            tasks = {task.task_id: task for task in self.version(dag_id, version).tasks}
            task = tasks[task_id]
            if failures > deed(task, index).failures:  # it said itself that it has failed for good
                continue
            ended = way(task, index, failures - 1)
            first = rule_of(task, ended)
            decided = None if number is None else int(number)
            assert decided == first, (
                f"I72 rule {decided} decided on {task_id}[{index}] of {run_id}, not rule {first}"
            )
            allowed = failures <= retries_after(task, ended)
            assert (state == "up_for_retry") == allowed, (
                f"I72 {task_id}[{index}] of {run_id} is {state} after {failures} failures"
            )
