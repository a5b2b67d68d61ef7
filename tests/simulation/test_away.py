"""F06 as one story: no scheduler for a while, and tasks that end meanwhile.

For as long as the agents' fence is not over, what ended is kept and reported; afterwards nothing of
the old sessions counts, and what was live is repeated as lost, at no retry's cost. What was
acknowledged before is never run again, and missed fires are made once, as ``catchup`` says.
"""

from collections.abc import Iterator

import pytest

from tests.simulation.calm import Calm, lasting
from tests.simulation.world import START, Connections

pytestmark = pytest.mark.long

FIRE_S = 600.0
BEFORE = ("quick", "below")
LIVE = ("short", "long")
AFTER = ("last",)


@pytest.fixture(scope="module")
def connections(postgres: str) -> Iterator[Connections]:
    with Connections.of_a_fresh_database(postgres) as connections:
        yield connections


class Away(Calm):
    def populate(self) -> None:
        self.observer.execute("INSERT INTO pool VALUES (1, 'default', 20)")
        self.deploy(
            "work",
            lasting("quick", 0.0),
            lasting("below", 0.5, "quick"),
            lasting("short", 3.0, "below"),
            lasting("long", 12.0, "below"),
            lasting("last", 0.0, "short", "long"),
        )
        fires = {"schedule": {"interval_s": FIRE_S}, "start_date": START}
        self.deploy("all_fires", lasting("fire", 0.0), catchup=True, **fires)
        self.deploy("latest_fire", lasting("fire", 0.0), catchup=False, **fires)
        self.trigger("work")

    def states(self) -> dict[str, str]:
        found = self.observer.execute(
            "SELECT task_id, ti.state FROM task_instance AS ti JOIN run USING (run_id) WHERE dag_id = 'work'"
        )
        return dict(found.fetchall())

    def attempts(self) -> dict[str, str]:
        found = self.observer.execute(
            "SELECT task_id, string_agg(coalesce(nullif(cause, ''), attempt.state), ' ' ORDER BY attempt.number)"
            " FROM attempt JOIN run USING (run_id) WHERE dag_id = 'work' GROUP BY task_id"
        )
        return dict(found.fetchall())

    def fires(self, dag_id: str) -> list[float]:
        found = self.observer.execute(
            "SELECT logical_date, state FROM run WHERE dag_id = %s ORDER BY logical_date", [dag_id]
        ).fetchall()
        assert {state for _, state in found} <= {"success"}
        return [(date - START).total_seconds() / FIRE_S for date, _ in found]


@pytest.mark.parametrize(
    ("away_s", "live", "all_fires", "latest_fire"),
    [
        (4.0, "success", [0], [0]),
        (3600.0, "no_heartbeat success", [0, 1, 2, 3, 4, 5, 6], [0, 6]),
    ],
)
def test_all_schedulers_are_away(
    connections: Connections,
    away_s: float,
    live: str,
    all_fires: list[float],
    latest_fire: list[float],
) -> None:
    world = Away(connections)
    with world.patched():
        world.begin()
        world.goes_on(4.0)
        assert world.states() == {
            **dict.fromkeys(BEFORE, "success"),
            **dict.fromkeys(LIVE, "running"),
            **dict.fromkeys(AFTER, "waiting"),
        }
        world.without_schedulers(away_s)
        assert world.truth.acks == [], "there was nobody to acknowledge anything"
        world.goes_on(40.0)
        assert world.unfinished() == []
        world.compare()
    assert world.attempts() == {
        **dict.fromkeys(BEFORE, "success"),
        **dict.fromkeys(LIVE, live),
        **dict.fromkeys(AFTER, "success"),
    }
    assert world.fires("all_fires") == all_fires
    assert world.fires("latest_fire") == latest_fire
    used_up = "SELECT count(*) FROM task_instance WHERE failures > 0"
    assert world.observer.execute(used_up).fetchone() == (0,)
    for process in world.processes:
        process.die()
