"""Decides which queued runs start, and which end as skipped, in DAGs with a run strategy (``core.strategies``).

The tick holds the rows of these DAGs, so that no other scheduler decides at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection

from headway.core.reasons import Reason
from headway.core.strategies import decide
from headway.store import strategies
from headway.store.strategies import Asking

RunKey = tuple[int, str]


@dataclass(slots=True)
class Decided:
    """``more``: there are runs left to decide on."""

    start: set[RunKey] = field(default_factory=set)
    skip: dict[RunKey, Reason] = field(default_factory=dict)
    more: bool = False

    def of(self, team_id: int) -> "Decided":
        """Return what concerns the runs of one team."""
        return Decided(
            {key for key in self.start if key[0] == team_id},
            {key: why for key, why in self.skip.items() if key[0] == team_id},
            self.more,
        )


def decide_all(conn: Connection[Any], asking: Sequence[Asking], now: datetime) -> Decided:
    decided = Decided()
    if not asking:
        return decided
    found = strategies.lines(conn, asking, now)
    for team_id, dag_id, strategy in asking:
        decision = decide(strategy, found[team_id, dag_id])
        if decision.start is not None:
            decided.start.add((team_id, decision.start.run_id))
        decided.skip |= {(team_id, run.run_id): why for run, why in decision.skip}
        decided.more |= decision.more
    return decided
