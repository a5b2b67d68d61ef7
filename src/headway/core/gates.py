"""The decisions of other runs about the ready instances of a task: whether the run before has done its part
(``depends_on_past``), and how many are active over all runs (``max_active_tis_per_dag``).

A gate is asked anew in each tick in which a ready instance has no rank for it (``engine.gates``); until then it is
closed. What has a rank is as good as running: as in Airflow, nobody asks again.
"""

from typing import NamedTuple

from headway.core.graph import Node
from headway.core.holding import MaxActiveTisOfDag
from headway.core.reasons import Reason


class Gate(NamedTuple):
    """``closed``: why nothing may pass; ``room``: how many instances may, None for any number."""

    closed: Reason | None = None
    room: int | None = None

    def why(self, node: Node, dag_id: str) -> Reason | None:
        """Return why the next instance may not pass."""
        if self.closed is None and self.room is not None and self.room <= 0:
            assert node.live_max_of_dag is not None
            return MaxActiveTisOfDag(node.live_max_of_dag, dag_id)
        return self.closed

    def passed(self) -> "Gate":
        """Return what is left of it after one instance."""
        return self if self.room is None else self._replace(room=self.room - 1)
