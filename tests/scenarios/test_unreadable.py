"""A run whose version cannot be read any more, as after a downgrade: it stands still, and a person can
end it. Nothing of it is believed but its rows.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from psycopg import Connection

from headway.actions import commands
from headway.agent.protocol import Cancel, Ended, Grants
from headway.core.commands import Selection
from headway.core.states import Event
from headway.engine import timetables
from headway.engine.catalog import Catalog
from headway.engine.failing import FAILURES_MAX
from headway.errors import Conflict
from headway.store.transact import APP, Session, connect, enter_team, transact
from tests.scenarios.test_links import connect as connect_agent
from tests.scenarios.test_links import heard
from tests.scenarios.world import (
    ANN,
    START_DATE,
    Scheduler,
    deploy,
    graphs,
    run_state,
    states,
    task,
    trigger,
    value,
)
from tests.simulation.process import Process

FUTURE = (
    "UPDATE dag_version SET spec = jsonb_set(spec::jsonb, '{file}', '7')::json WHERE dag_id = %s"
)


def make_unreadable(conn: Connection[Any], scheduler: Scheduler, dag_id: str) -> None:
    """For a scheduler that begins now: what was read before is forgotten."""
    conn.execute(FUTURE, [dag_id])
    scheduler.ticker.catalog = Catalog(conn)
    scheduler.ticker.models.clear()


def cancel_as_the_api_does(conn: Connection[Any], run_id: str) -> None:
    def work(app: Session) -> None:
        enter_team(app, 1)
        commands.cancel(app, 1, run_id, Catalog(app).graph, ANN)

    with connect(conn.info.dsn, role=APP) as app:
        transact(app, work)


@pytest.mark.parametrize("set_aside", [False, True])
def test_a_running_one_is_ended_by_a_cancel_and_makes_room(
    conn: Connection[Any], set_aside: bool
) -> None:
    deploy(conn, *(task(f"t{n}") for n in range(3)), task("below", "t0"), max_active_runs=1)
    scheduler = Scheduler(conn, places=2)
    (bad,) = trigger(conn)
    scheduler.tick()
    assert sorted(states(conn, bad).values()) == ["queued", "queued", "ready", "waiting"]
    make_unreadable(conn, scheduler, "d")
    envelopes = scheduler.work() if set_aside else []
    for _ in range(FAILURES_MAX if set_aside else 0):
        scheduler.tick(*envelopes)
        envelopes = []
    assert (value(conn, "SELECT set_aside FROM run") is not None) is set_aside
    every, known = Selection(), graphs(scheduler)
    with pytest.raises(Conflict, match="cannot be read"):
        transact(conn, commands.clear, 1, bad, every, known, ANN)
    with pytest.raises(Conflict, match="cannot be read"):
        transact(conn, commands.mark, 1, bad, every, Event.MARK_SUCCESS, known, ANN)
    cancel_as_the_api_does(conn, bad)
    scheduler.play(lambda grant: {"outcome": "cancelled"})
    assert run_state(conn, bad) == "cancelled"
    assert set(states(conn, bad).values()) == {"cancelled"}
    assert value(conn, "SELECT reason FROM run") == {"kind": "cancelled", "by": ANN, "live": False}
    assert value(conn, "SELECT sum(used) FROM pool") == 0
    assert value(conn, "SELECT count(*) FROM report") == 0
    deploy(conn, task("a"), max_active_runs=1)
    (good,) = trigger(conn)
    scheduler.play()
    assert run_state(conn, good) == "success"


def test_a_queued_one_is_ended_at_once(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (bad,) = trigger(conn)
    make_unreadable(conn, scheduler, "d")
    cancel_as_the_api_does(conn, bad)
    assert run_state(conn, bad) == "cancelled"
    scheduler.play()
    assert states(conn, bad) == {}


def test_the_attempts_of_a_dead_agent_do_not_keep_it(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (bad,) = trigger(conn)
    scheduler.tick()
    make_unreadable(conn, scheduler, "d")
    cancel_as_the_api_does(conn, bad)
    scheduler.held.clear()
    scheduler.tick()
    assert run_state(conn, bad) == "running"
    scheduler.later(60)
    scheduler.expire()
    scheduler.tick()
    assert (run_state(conn, bad), states(conn, bad)) == ("cancelled", {"a": "cancelled"})


@pytest.fixture
def process(conn: Session) -> Iterator[Process]:
    process = Process(conn, print)
    process.start()
    yield process
    process.die()


@pytest.mark.parametrize("told", [True, False])
def test_a_scheduler_survives_it_and_its_attempts_end(
    conn: Connection[Any], process: Process, told: bool
) -> None:
    """``told``: its agent holds the attempt; otherwise the grant was lost on the way, and there is
    nothing to make another of.
    """
    deploy(conn, task("a"))
    line = connect_agent(process, [])
    (bad,) = trigger(conn)
    (grants,) = [m for m in heard(process, line) if isinstance(m, Grants)]
    (grant,) = grants.grants
    line.hang_up()
    process.die()
    conn.execute(FUTURE, ["d"])
    process.start()
    line = connect_agent(process, [grant.key] if told else [])
    assert not [m for m in heard(process, line, rounds=4) if isinstance(m, Grants)]
    cancel_as_the_api_does(conn, bad)
    assert process.scheduler is not None
    process.scheduler.last_sweep = float("-inf")
    heard_then = heard(process, line)
    if told:
        assert Cancel([grant.key]) in heard_then
        line.tell(Ended(1, grant.key, grant.token, "cancelled", "cancelled"))
        heard(process, line)
    assert (run_state(conn, bad), states(conn, bad)) == ("cancelled", {"a": "cancelled"})
    assert value(conn, "SELECT state FROM attempt") == ("cancelled" if told else "lost")


def test_its_timetable_stops_nobody_else_and_loses_no_fire(conn: Connection[Any]) -> None:
    schedule = {"interval_s": 60.0}
    for name in ("d", "other"):
        options = {"schedule": schedule, "start_date": START_DATE, "catchup": True}
        deploy(conn, task("a"), dag_id=name, team_id=1, bundle="b1", **options)
    scheduler = Scheduler(conn)
    spec = value(conn, "SELECT spec::text FROM dag_version WHERE dag_id = 'd'")
    make_unreadable(conn, scheduler, "d")
    numbers = (f"r{number}" for number in count())

    def due(seconds: float) -> int:
        now = START_DATE + timedelta(seconds=seconds)
        catalog = scheduler.ticker.catalog
        return transact(conn, timetables.create_due, catalog, lambda: next(numbers), now)

    assert (due(0), due(1)) == (1, 0)
    transact(conn, commands.pause, 1, "d", ANN)
    transact(conn, commands.resume, 1, "d", ANN)
    conn.execute("UPDATE dag_version SET spec = %s::json WHERE dag_id = 'd'", [spec])
    assert due(65) == 3
    assert value(conn, "SELECT count(*) FROM run WHERE dag_id = 'd'") == 2
