"""A world in which runs wait for the runs before them, and for places among all of them. At the end somebody marks what
failed as successful, or the runs after it would wait for ever.
"""

from typing import Final

from msgspec.structs import replace

from headway.actions import commands
from headway.core.commands import Selection
from headway.core.states import Event
from headway.spec.model import Dag, Task
from headway.store.transact import transact
from tests.simulation.altered import Altered
from tests.simulation.dags import draw
from tests.simulation.people import TEAM

HELD_BY_FAILURES: Final = """
    SELECT DISTINCT before.run_id, before.task_id FROM task_instance AS ti
    JOIN task_instance AS before ON before.team_id = ti.team_id AND before.run_id = ti.blocked_reason ->> 'run'
        AND before.task_id = ti.blocked_reason ->> 'task'
    WHERE ti.state = 'ready' AND ti.blocked_reason ->> 'kind' = 'awaits_past'
        AND before.state IN ('failed', 'upstream_failed', 'cancelled')
    ORDER BY 1, 2
"""


class Past(Altered):
    dags = 2

    def altered(self, dag: Dag) -> Dag:
        return with_pasts(dag)

    def remember(self) -> None:
        super().remember()
        self.mark_what_holds()

    def mark_what_holds(self) -> None:
        """A person sees what holds the next run, and marks it."""
        found = self.observer.execute(HELD_BY_FAILURES).fetchall()
        conn = self.connections.people[0]
        for run_id, task_id in found if not self.trouble else ():
            chosen = Selection(tasks=frozenset({task_id}))
            self.people.touched.add(run_id)
            graphs = self.graphs(conn)
            transact(
                conn, commands.mark, TEAM, run_id, chosen, Event.MARK_SUCCESS, graphs, "user:bob"
            )


def with_pasts(dag: Dag) -> Dag:
    """The same DAG, where tasks wait for the run before. All runs start: one that waits for another that was made later
    for an earlier date would keep it from starting.
    """
    tasks = [waiting(task) for task in dag.tasks]
    return replace(dag, tasks=tuple(tasks), max_active_runs=1000, dagrun_timeout_s=None)


def waiting(task: Task) -> Task:
    past = draw(task, -1, "past") % 4
    return replace(
        task,
        depends_on_past=past == 1,
        wait_for_downstream=past == 2,
        max_active_tis_per_dag=1 if draw(task, -1, "places") % 3 == 0 else None,
    )
