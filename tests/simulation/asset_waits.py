"""A world of assets in which most tasks also wait for an event of one, once or twice: of the asset or of one of
its partitions, however old it is or not before some time, and not for longer than some time.

A wait is woken once, by an event that it is for, and by each that comes while it lasts.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import msgspec

from headway.agent.protocol import AttemptKey, Deferral
from headway.spec.model import Dag, Task
from headway.store import deferrals
from tests.simulation.assets import OUTSIDE, Assets
from tests.simulation.dags import draw
from tests.simulation.world import START, Connections

PATIENCE_S: Final = (9.0, 600.0)
SINCE_S: Final = (None, 0, 8, 30)  # after the world's beginning
PARTITIONS: Final = (None, "p0", "p1")
LOOKS: Final = 3  # at rest, within which the scheduler has seen what has come

STEPS_OF_WAITS: LiteralString = """
    WITH step AS MATERIALIZED (
        SELECT team_id, reason ->> 'kind' AS kind, lag(reason) OVER (
            PARTITION BY team_id, run_id, task_id, map_index, attempt ORDER BY seq) AS before
        FROM event WHERE subject = 'task_instance' AND attempt IS NOT NULL
    )
"""
MEANT: LiteralString = """
    SELECT FROM asset_event AS event
    WHERE event.team_id = one.team_id AND event.asset = {0} ->> 'asset'
        AND (coalesce({0} ->> 'partition', '') IN ('', event.partition))
        AND event.at >= coalesce(nullif({0} ->> 'since', '')::timestamptz, '-infinity')
"""
INVARIANTS: Final[dict[LiteralString, LiteralString]] = {
    "I65 woken, and it did not wait": """
        SELECT FROM step AS one WHERE kind IN ('wait_over', 'wait_timed_out')
            AND before ->> 'kind' IS DISTINCT FROM 'awaits_asset'""",
    "I66 woken before its event": f"""
        SELECT FROM step AS one WHERE kind = 'wait_over' AND before ->> 'kind' = 'awaits_asset'
            AND NOT EXISTS ({MEANT.format("before")})""",
    "I66 what it found is no event": """
        SELECT FROM wait WHERE is_over AND NOT timed_out AND NOT EXISTS (
            SELECT FROM asset_event AS event WHERE event.team_id = wait.team_id
                AND event.asset = wait.found ->> 'asset' AND event.at = (wait.found ->> 'at')::timestamptz
                AND event.partition IS NOT DISTINCT FROM wait.found ->> 'partition')""",
}
CHECK: LiteralString = STEPS_OF_WAITS + " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS ({broken})" for name, broken in INVARIANTS.items()
)
OWED: LiteralString = f"""
    SELECT run_id, task_id, map_index, attempt, deferrals FROM wait AS one
    WHERE NOT is_over AND EXISTS ({MEANT.format("facts")})
"""


class AssetWaits(Assets):
    seams = (*Assets.seams, (deferrals, "look_at_assets"))
    others = (OUTSIDE,)  # a task that waits for an alias fails

    def __init__(self, seed: int, connections: Connections, **options: Any) -> None:
        super().__init__(seed, connections, **options)
        self.owed: Counter[Any] = Counter()

    def wait_of(self, key: AttemptKey, dag: Dag, task: Task) -> Deferral | None:
        if key.deferrals >= (0, 1, 1, 2)[draw(task, key.map_index, "waits") % 4]:
            return None
        which = draw(task, key.map_index, f"wait {key.run_id} {key.deferrals}")
        assets = [asset.name for asset in dag.assets]
        since = SINCE_S[which // 7 % len(SINCE_S)]
        facts = {
            "asset": assets[which % len(assets)],
            "partition": PARTITIONS[which // 3 % len(PARTITIONS)],
            "since": None if since is None else self.at(since).isoformat(),
        }
        patience_s = PATIENCE_S[which // 11 % len(PATIENCE_S)]
        body = msgspec.json.encode(facts)
        return Deferral("asset", body, timeout_s=patience_s, overdue="resume")

    def check(self) -> None:
        super().check()
        broken = [name for (name,) in self.observer.execute(CHECK).fetchall()]
        assert broken == [], f"{broken}"
        owed = set() if self.trouble else {*self.observer.execute(OWED).fetchall()}
        self.owed = Counter({wait: self.owed[wait] + 1 for wait in owed})
        lost = [wait for wait, looks in self.owed.items() if looks > LOOKS]
        assert not lost, f"I67 its event is there, and nobody wakes it: {lost}"

    @staticmethod
    def at(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)
