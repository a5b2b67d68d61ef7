"""A world in which half of the tasks are deferred on their way, once or twice: until some time, for a run that is
there, or for one that never will be. How they end is as everywhere.
"""

from typing import Final

import msgspec

from headway.agent.protocol import AttemptKey, Deferral
from headway.core.states import RunState
from headway.spec.model import Dag, Task
from headway.store import deferrals
from tests.simulation.dags import draw
from tests.simulation.world import SEAMS, World

DELAYS_S: Final = (0.0, 1.0, 20.0)


class Waits(World):
    seams = (*SEAMS, (deferrals, "look"))

    def wait_of(self, key: AttemptKey, dag: Dag, task: Task) -> Deferral | None:
        if key.deferrals >= (0, 0, 1, 2)[draw(task, key.map_index, "waits") % 4]:
            return None
        which = draw(task, key.map_index, f"wait {key.deferrals}")
        if which % 4 < 2:
            return Deferral("time", delay_s=DELAYS_S[which % 3], reschedules=which % 4 == 1)
        row = self.observer.execute(
            "SELECT logical_date FROM run WHERE run_id = %s", [key.run_id]
        ).fetchone()
        assert row is not None
        wanted = dag.dag_id if which % 4 == 2 else "nobody"
        facts = {"dag": wanted, "date": row[0], "states": list(RunState)}
        return Deferral("run", msgspec.json.encode(facts), timeout_s=9.0, overdue="resume")
