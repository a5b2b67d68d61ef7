"""Runs that follow each other, through the scheduler's own transactions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from headway import ids
from headway.actions import commands
from headway.core.reasons import RunsContinuously
from headway.core.waits import Kind
from headway.engine import timetables
from headway.store import waits
from headway.store.transact import Session, transact
from headway.store.views import calendar
from headway.store.views.memory import Memory
from tests.scenarios.world import ANN, Scheduler, deploy, graphs, task, trigger, value

START = datetime(2026, 1, 1, tzinfo=UTC)
RUNS = """
    SELECT logical_date, interval_start, interval_end, state, trigger FROM run ORDER BY logical_date
"""


def continuous(conn: Connection[Any], **options: Any) -> None:
    given: dict[str, Any] = {"schedule": {"continuous": True}, "start_date": START}
    deploy(conn, task("a"), **given | {"max_active_runs": 1} | options)


def due(scheduler: Scheduler) -> int:
    catalog = scheduler.ticker.catalog
    return transact(scheduler.conn, timetables.create_due, catalog, ids.run_id, scheduler.now)


def rested(conn: Connection[Any]) -> bool:
    """Return whether nothing is due by the clock."""
    _, found = transact(conn, waits.by_clock)
    return not [wait for wait in found if wait.kind is Kind.FIRE]


def test_the_next_run_begins_when_the_last_has_ended(conn: Connection[Any]) -> None:
    continuous(conn)
    scheduler = Scheduler(conn)
    assert due(scheduler) == 1
    scheduler.later(5)
    assert due(scheduler) == 0, "one is queued"
    assert rested(conn), "nobody looks again and again meanwhile"
    envelopes = (scheduler.tick(), scheduler.work())[1]
    scheduler.later(5)
    assert due(scheduler) == 0, "one runs"
    scheduler.tick(*envelopes)
    assert not rested(conn), "the next is due at once"
    assert due(scheduler) == 1
    (first, *_), (second, begin, end, state, kind) = conn.execute(RUNS).fetchall()
    assert (begin, end, state, kind) == (first, second, "queued", "schedule")


def test_its_first_data_begin_at_the_start_date(conn: Connection[Any]) -> None:
    continuous(conn)
    scheduler = Scheduler(conn)
    due(scheduler)
    ((date, begin, end, *_),) = conn.execute(RUNS).fetchall()
    assert (begin, end) == (START, date)


def test_it_waits_for_its_start_date(conn: Connection[Any]) -> None:
    scheduler = Scheduler(conn)
    later = scheduler.now + timedelta(hours=1)
    continuous(conn, start_date=later)
    assert due(scheduler) == 0
    assert value(conn, "SELECT next_fire_at FROM dag") == later
    scheduler.later(3601)
    assert due(scheduler) == 1


def test_it_ends_with_its_end_date_and_goes_on_with_another_one(conn: Connection[Any]) -> None:
    scheduler = Scheduler(conn)
    continuous(conn, end_date=START + timedelta(days=1))
    assert due(scheduler) == 0
    assert due(scheduler) == 0
    assert rested(conn)
    continuous(conn)
    assert due(scheduler) == 1


def test_runs_that_fail_at_once_are_a_second_apart(conn: Connection[Any]) -> None:
    continuous(conn)
    scheduler = Scheduler(conn)
    made = 0
    for _ in range(40):  # looks, a quarter of a second apart
        made += due(scheduler)
        scheduler.tick()
        scheduler.play(lambda _: {"outcome": "failed", "cause": "exception"})
        scheduler.later(0.25)
    assert 9 <= made <= 11
    assert value(conn, "SELECT count(*) FROM run WHERE state = 'failed'") == made


def test_a_paused_dag_goes_on_when_it_is_resumed(conn: Connection[Any]) -> None:
    continuous(conn)
    scheduler = Scheduler(conn)
    assert due(scheduler) == 1
    transact(conn, commands.pause, 1, "d", ANN)
    (run_id,) = (row[0] for row in conn.execute("SELECT run_id FROM run").fetchall())
    transact(conn, commands.cancel, 1, run_id, graphs(scheduler), ANN)
    scheduler.later(5)
    assert due(scheduler) == 0
    assert rested(conn)
    transact(conn, commands.resume, 1, "d", ANN)
    assert due(scheduler) == 1


def test_a_run_that_somebody_triggered_is_waited_for(conn: Connection[Any]) -> None:
    continuous(conn)
    trigger(conn)
    scheduler = Scheduler(conn)
    assert due(scheduler) == 0
    scheduler.play()
    scheduler.later(5)
    assert due(scheduler) == 1


def test_a_crowd_of_one_team_leaves_another_its_turn(
    conn: Connection[Any], owner_conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timetables, "DAGS_MAX", 2)
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    for name in "abcde":
        continuous(conn, dag_id=name)
    continuous(conn, dag_id="z", team_id=2)
    conn.execute("UPDATE dag SET next_fire_at = NULL")  # all of them have run before
    assert due(Scheduler(conn)) == 2
    assert value(conn, "SELECT count(*) FROM run WHERE dag_id = 'z'") == 1


def test_why_no_time_is_told(conn: Session) -> None:
    continuous(conn)
    found = calendar.upcoming(conn, Memory(), "d", 5, None)
    assert (found.fires, found.why) == ([], RunsContinuously())
