"""``depends_on_past``, ``wait_for_downstream``, ``max_active_tis_per_dag`` in the scheduler's own transactions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from headway.actions import commands
from headway.core.commands import Selection
from headway.core.holding import AwaitsPast, MaxActiveTisOfDag
from headway.core.reasons import Reason
from headway.core.states import Event
from headway.core.stored_reasons import stored
from headway.store.transact import transact
from tests.scenarios.test_queue import backfill
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    names,
    several,
    states,
    task,
    trigger,
    value,
)

FIRST_DATE = datetime(2016, 1, 1, tzinfo=UTC)  # a run for a date in the future would wait for it


def runs_of_days(conn: Connection[Any], count: int, first: int = 0, **columns: Any) -> list[str]:
    """Runs of following days."""
    found = []
    for day in range(first, first + count):
        (run_id,) = trigger(conn)
        date = FIRST_DATE + timedelta(days=day)
        conn.execute("UPDATE run SET logical_date = %s WHERE run_id = %s", [date, run_id])
        for name, given in columns.items():
            conn.execute(f"UPDATE run SET {name} = %s WHERE run_id = %s".encode(), [given, run_id])
        found.append(run_id)
    return found


def reason(conn: Connection[Any], run_id: str, task_id: str = "a") -> Reason | None:
    query = "SELECT blocked_reason::text FROM task_instance WHERE run_id = %s AND task_id = %s"
    text = value(conn, query, run_id, task_id)
    return None if text is None else stored(text)


def date_of(conn: Connection[Any], run_id: str) -> str:
    date: datetime = value(conn, "SELECT logical_date FROM run WHERE run_id = %s", run_id)
    return date.isoformat()


def held(scheduler: Scheduler) -> list[str]:
    return sorted(grant.run.run_id for grant in scheduler.held.values())


def test_a_task_waits_for_itself_in_the_run_before(conn: Connection[Any]) -> None:
    deploy(conn, task("a", depends_on_past=True), task("b"))
    scheduler = Scheduler(conn)
    first, second, third = runs_of_days(conn, 3)
    scheduler.tick()
    assert [states(conn, each)["a"] for each in (first, second, third)] == [
        "queued",
        "ready",
        "ready",
    ]
    told = reason(conn, second)
    assert isinstance(told, AwaitsPast)
    assert (told.run, told.date, told.task) == (first, date_of(conn, first), "a")
    grant = next(each for each in scheduler.held.values() if str(each.instance) == "a")
    scheduler.tick(scheduler.end(grant))
    scheduler.tick()
    assert [states(conn, each)["a"] for each in (first, second, third)] == [
        "success",
        "queued",
        "ready",
    ]
    scheduler.play()
    assert {states(conn, each)["a"] for each in (first, second, third)} == {"success"}


def test_a_failure_holds_the_next_until_it_is_mended(conn: Connection[Any]) -> None:
    deploy(conn, task("a", depends_on_past=True))
    scheduler = Scheduler(conn)
    first, second = runs_of_days(conn, 2)
    scheduler.play(lambda _: {"outcome": "failed", "retry": False})
    assert states(conn, second) == {"a": "ready"}
    assert reason(conn, second) == AwaitsPast(first, date_of(conn, first), "a", "failed")
    mark = (1, first, Selection(tasks=frozenset({"a"})), Event.MARK_SUCCESS, graphs(scheduler), ANN)
    transact(conn, commands.mark, *mark)
    scheduler.play()
    assert states(conn, second) == {"a": "success"}


def test_a_cleared_past_is_waited_for_again(conn: Connection[Any]) -> None:
    deploy(conn, task("a", depends_on_past=True))
    scheduler = Scheduler(conn)
    (first,) = runs_of_days(conn, 1)
    scheduler.play()
    transact(conn, commands.clear, 1, first, Selection(), graphs(scheduler), ANN)
    (second,) = runs_of_days(conn, 1, first=1)
    scheduler.tick()
    assert held(scheduler) == [first]
    assert states(conn, second) == {"a": "ready"}
    scheduler.play()
    assert states(conn, second) == {"a": "success"}


def test_a_skip_counts(conn: Connection[Any]) -> None:
    deploy(conn, task("a", depends_on_past=True))
    scheduler = Scheduler(conn)
    first, second = runs_of_days(conn, 2)
    scheduler.tick()
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "skipped"}))
    scheduler.play()
    assert (states(conn, first), states(conn, second)) == ({"a": "skipped"}, {"a": "success"})


def test_the_tasks_below_it_are_waited_for(conn: Connection[Any]) -> None:
    deploy(conn, task("a", wait_for_downstream=True), task("b", "a"), task("c", "b"))
    scheduler = Scheduler(conn)
    first, second = runs_of_days(conn, 2)
    scheduler.tick()
    scheduler.tick(*scheduler.work())
    scheduler.tick()
    assert states(conn, second)["a"] == "ready"
    told = reason(conn, second)
    assert isinstance(told, AwaitsPast)
    assert told.task == "b"
    scheduler.tick(*scheduler.work())
    scheduler.tick()
    assert states(conn, first)["c"] == "queued"
    assert states(conn, second)["a"] == "queued"  # only those directly below


def test_a_queued_run_before_is_waited_for(conn: Connection[Any]) -> None:
    deploy(conn, task("a", depends_on_past=True), max_active_runs=1)
    scheduler = Scheduler(conn)
    (later,) = runs_of_days(conn, 1, first=5)
    scheduler.tick()
    (earlier,) = runs_of_days(conn, 1)
    assert held(scheduler) == [later]  # what has a slot is not asked again
    scheduler.play()
    assert states(conn, earlier) == {"a": "success"}


@pytest.mark.parametrize(("ignore_first", "expected"), [(True, "queued"), (False, "ready")])
def test_a_task_that_is_new_in_the_dag(
    conn: Connection[Any], ignore_first: bool, expected: str
) -> None:
    deploy(conn, task("b"))
    scheduler = Scheduler(conn)
    runs_of_days(conn, 1)
    scheduler.play()
    new = task("a", depends_on_past=True, ignore_first_depends_on_past=ignore_first)
    deploy(conn, task("b"), new)
    (run_id,) = runs_of_days(conn, 1, first=1)
    scheduler.tick()
    assert states(conn, run_id)["a"] == expected


def test_with_catchup_runs_that_a_person_triggered_do_not_count(conn: Connection[Any]) -> None:
    deploy(conn, task("a", depends_on_past=True), catchup=True, start_date=FIRST_DATE)
    scheduler = Scheduler(conn)
    (manual,) = runs_of_days(conn, 1)
    scheduler.play(lambda _: {"outcome": "failed", "retry": False})
    (scheduled,) = runs_of_days(conn, 1, first=1, trigger="schedule")
    scheduler.tick()
    assert states(conn, manual) == {"a": "failed"}
    assert states(conn, scheduled) == {"a": "queued"}


def test_the_first_run_of_a_backfill_waits_for_nothing(conn: Connection[Any]) -> None:
    deploy(
        conn,
        task("a", depends_on_past=True),
        schedule={"interval_s": 86400.0},
        start_date=FIRST_DATE,
    )
    scheduler = Scheduler(conn)
    runs_of_days(conn, 1, first=-1)
    scheduler.play(lambda _: {"outcome": "failed", "retry": False})
    first, second = backfill(conn, 2, 2, FIRST_DATE)
    scheduler.tick()
    assert (states(conn, first), states(conn, second)) == ({"a": "queued"}, {"a": "ready"})
    scheduler.play()
    assert states(conn, second) == {"a": "success"}


def test_two_schedulers(conn: Connection[Any], database: str) -> None:
    """Whoever holds the run before: the next one goes on."""
    deploy(conn, task("a", depends_on_past=True))
    first, second = runs_of_days(conn, 2)
    with several(database, 2) as conns:
        one, two = (Scheduler(each) for each in conns)
        one.tick()
        assert held(one) == [first]
        one.conn.execute("BEGIN")
        one.conn.execute("SELECT FROM run WHERE run_id = %s FOR NO KEY UPDATE", [first])
        two.ticker.models.clear()
        conn.execute("UPDATE run SET due_at = %s WHERE run_id = %s", [two.now, second])
        two.tick()
        assert states(conn, second) == {"a": "ready"}
        one.conn.execute("COMMIT")
        one.tick(*one.work())
        for _ in range(4):
            two.later(1)
            two.tick()
            one.tick()
        assert held(one) + held(two) == [second]


def test_no_more_instances_over_all_runs(conn: Connection[Any]) -> None:
    deploy(conn, task("a", max_active_tis_per_dag=2), task("b"))
    scheduler = Scheduler(conn)
    runs = runs_of_days(conn, 4)
    most = 0
    scheduler.tick()
    assert names(scheduler.held.values()) == ["a", "a", "b", "b", "b", "b"]
    blocked = [each for each in runs if states(conn, each)["a"] == "ready"]
    assert {reason(conn, each) for each in blocked} == {MaxActiveTisOfDag(2, "d")}
    for _ in range(10):
        scheduler.tick(*scheduler.work())
        most = max(most, names(scheduler.held.values()).count("a"))
    assert most == 2
    assert {states(conn, each)["a"] for each in runs} == {"success"}


def test_a_place_is_given_back_by_a_retry(conn: Connection[Any]) -> None:
    deploy(conn, task("a", max_active_tis_per_dag=1, retries=1, retry_delay_s=1e6))
    scheduler = Scheduler(conn)
    first, second = runs_of_days(conn, 2)
    scheduler.tick()
    (one,) = held(scheduler)
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "failed"}))
    scheduler.tick()
    assert held(scheduler) == [second if one == first else first]
