"""What a scheduler counts of its own work, and that its heartbeat writes it."""

from typing import Any

from psycopg import Connection

from headway.agent.protocol import Ended, Grants
from headway.engine.scheduler import Scheduler
from headway.store.measures import decoded
from tests.scenarios.world import deploy, task, trigger
from tests.simulation.line import Line
from tests.simulation.process import one_round


def turn(scheduler: Scheduler) -> None:
    for _ in range(3):
        scheduler.wanted = scheduler.look_for_starts = True
        one_round(scheduler)


def test_ticks_waits_and_ends_are_counted_and_written_with_the_heartbeat(
    conn: Connection[Any], scheduler: Scheduler, line: Line
) -> None:
    turn(scheduler)
    deploy(conn, task("a"), task("b"))
    trigger(conn)
    turn(scheduler)
    granted = [each for found in line.hear() if isinstance(found, Grants) for each in found.grants]
    assert len(granted) == 2
    for seq, (grant, outcome) in enumerate(zip(granted, ("success", "failed"), strict=True), 1):
        line.tell(Ended(seq, grant.key, grant.token, outcome, "", retry=False))  # type: ignore[arg-type]
    turn(scheduler)
    scheduler.renew()

    (text,) = conn.execute("SELECT measures::text FROM scheduler").fetchone() or ("",)
    measures = decoded(text)
    assert measures == scheduler.measures
    assert sum(measures.ticks.counts) >= 3
    assert sum(measures.of_team(1).waits.counts) == 2
    assert measures.of_team(1).ends == {"success": 1, "failed": 1}
