"""A world of DAGs that end at their first failure. Which failure is the first depends on what dies when, so what a run
comes to is compared with what each task does (S6); that nothing goes on is an invariant (I44).
"""

from msgspec.structs import replace

from headway.spec.model import Dag
from tests.simulation import reference
from tests.simulation.altered import Altered
from tests.simulation.clusters import with_setups


class Fast(Altered):
    def altered(self, dag: Dag) -> Dag:
        return fast(dag)

    def compare(self) -> None:
        rows = self.observer.execute(
            "SELECT run_id, dag_id, version, state FROM run WHERE cancelled_by IS NULL"
            " AND NOT EXISTS (SELECT FROM task_instance AS ti"
            "   WHERE ti.run_id = run.run_id AND losses > 5) ORDER BY run_id"
        ).fetchall()
        for run_id, dag_id, number, state in rows:
            if run_id not in self.people.touched:
                self.compare_run(run_id, self.version(dag_id, number), state)

    def compare_run(self, run_id: str, dag: Dag, state: str) -> None:
        _, ends = reference.expected(dag)
        found = self.observer.execute(
            "SELECT task_id, map_index, state, reason ->> 'kind' FROM task_instance WHERE run_id = %s",
            [run_id],
        ).fetchall()
        ended = any(kind == "failed_fast" for _, _, _, kind in found)
        teardowns = {task.task_id for task in dag.tasks if task.teardown}
        for task_id, index, end, kind in found:
            known = ends.get((task_id, index)) if index >= 0 else ends.get((task_id, -1), end)
            if ended and (kind == "failed_fast" or task_id in teardowns):
                continue
            assert end == known, f"S6 {run_id}: {task_id} is {end} instead of {known}"
        decides = {task.task_id for task in dag.tasks if task.decides_outcome}
        failed = any(end == "failed" and task_id in decides for task_id, _, end, _ in found)
        if failed:
            assert state == "failed", f"S6 {run_id} is {state}, and a task of it failed"


def fast(dag: Dag) -> Dag:
    """The same DAG with some setups and teardowns, where each other task runs only after successes."""
    made = with_setups(dag)
    tasks = [
        task if task.teardown else replace(task, trigger_rule="all_success") for task in made.tasks
    ]
    return replace(made, tasks=tuple(tasks), fail_fast=True)
