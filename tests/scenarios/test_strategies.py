"""Run strategies: the line of a DAG, in the real ticks of one scheduler and of two; and logical dates in the future."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from psycopg import ClientCursor, Connection

from headway.actions import backfills, commands, previews, replays
from headway.actions.commands import RunRequest
from headway.core.commands import Selection
from headway.core.states import Event
from headway.core.triggers import Trigger
from headway.engine import timetables
from headway.engine.catalog import Catalog
from headway.errors import UsageError
from headway.store import queue, runs, strategies, waits
from headway.store.clock import clock
from headway.store.runs import NewRun
from headway.store.transact import transact
from headway.store.views import diagnosis
from headway.store.views import slots as slot_views
from headway.store.views.memory import Memory
from tests.scenarios.test_queue import nodes_of
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    run_state,
    several,
    states,
    task,
    trigger,
    value,
)

DAILY = {"cron": "0 0 * * *"}
START_DATE = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START_DATE + timedelta(days=number)


def made(conn: Connection[Any], *days: int, trigger: Trigger = Trigger.SCHEDULE) -> list[str]:
    """Create queued runs, as a schedule does."""
    names = [f"{trigger}{number}" for number in days]
    new = [
        NewRun(
            team_id=1,
            run_id=name,
            dag_id="d",
            run_key=f"slot:{name}",
            trigger=trigger,
            logical_date=day(number),
            interval_start=day(number),
            interval_end=day(number),
            created_by="scheduler",
        )
        for name, number in zip(names, days, strict=True)
    ]
    transact(conn, lambda conn: runs.create(conn, new, clock(conn)))
    return names


def filled(conn: Connection[Any], *days: int, **options: Any) -> list[str]:
    dates = [day(number) for number in days]

    def create(conn: Connection[Any]) -> list[str]:
        planned = backfills.plan(conn, 1, "d", dates, backfills.Again.MISSING)
        graphs = Catalog(conn).graph
        made = backfills.create(
            conn,
            1,
            "d",
            planned,
            {},
            options.get("active"),
            graphs,
            ANN,
            newest_first=options.get("newest_first", False),
        )[1]
        return [made[date] for date in dates]

    return transact(conn, create)


def started(conn: Connection[Any]) -> list[str]:
    """In the order in which they did."""
    found = conn.execute(
        "SELECT run_id FROM event WHERE subject = 'run' AND name = 'start' ORDER BY seq"
    )
    return [str(row[0]) for row in found]


def why(conn: Connection[Any], run_id: str) -> str:
    """What ``headway why`` and the page of the run say."""
    return diagnosis.of_run(conn, Memory(), run_id).headline


def end(scheduler: Scheduler, outcome: str = "success") -> None:
    """Do what was granted, and what starts after that."""
    scheduler.tick(*scheduler.work(lambda _: {"outcome": outcome}))
    scheduler.tick()


@pytest.fixture
def line(conn: Connection[Any], request: pytest.FixtureRequest) -> Scheduler:
    deploy(
        conn,
        task("a"),
        schedule=DAILY,
        start_date=START_DATE,
        run_strategy=request.param,
        max_active_runs=1,
    )
    return Scheduler(conn)


def in_line(strategy: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("line", [strategy], indirect=True)


@in_line("sequential")
@pytest.mark.parametrize("analysed", [False, True])
def test_a_long_backfill_costs_its_line_nothing(
    conn: Connection[Any], owner_conn: Connection[Any], line: Scheduler, analysed: bool
) -> None:
    """A look at a line reads the run that comes first, not all that wait."""
    filled(conn, *range(-1500, 0))
    line.tick()
    if analysed:
        owner_conn.execute("ANALYZE")
    asked = {"teams": [1], "dags": ["d"], "skips": [False], "now": START_DATE, "limit": 201}
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {strategies.LINES}"
    row = ClientCursor(conn).execute(explain.encode(), asked).fetchone()
    assert row is not None
    read = [node for node in nodes_of(row[0][0]["Plan"]) if node.get("Relation Name") == "run"]
    removed = "Rows Removed by Filter"
    assert sum((n["Actual Rows"] + n.get(removed, 0)) * n["Actual Loops"] for n in read) < 10


@in_line("sequential")
def test_one_at_a_time_by_date_whoever_asked(conn: Connection[Any], line: Scheduler) -> None:
    """Backfills, runs by hand and scheduled ones stand in one line."""
    (by_hand,) = trigger(conn)
    second, fourth = made(conn, 2, 4)
    first, third = filled(conn, 1, 3)
    line.tick()
    assert started(conn) == [first]
    assert f"run {first} for 2026-01-02 00:00:00 UTC is running" in why(conn, second)
    for _ in range(5):
        end(line)
    assert started(conn) == [first, second, third, fourth, by_hand]
    assert {run_state(conn, run) for run in started(conn)} == {"success"}
    assert not value(conn, "SELECT has_queued FROM dag")


@in_line("sequential")
def test_a_failure_does_not_hold_the_next(conn: Connection[Any], line: Scheduler) -> None:
    first, second = made(conn, 1, 2)
    line.tick()
    end(line, "failed")
    assert run_state(conn, first) == "failed"
    assert started(conn) == [first, second]


@in_line("strict_sequential")
def test_a_failure_holds_the_next_until_it_is_repaired(
    conn: Connection[Any], line: Scheduler
) -> None:
    first, second = made(conn, 1, 2)
    line.tick()
    end(line, "failed")
    assert started(conn) == [first]
    assert why(conn, second) == (
        f"Waits to start: run {first} for 2026-01-02 00:00:00 UTC, the run before, failed "
        "(run_strategy strict_sequential): retry it, mark it success, or cancel this one."
    )
    every = Selection(failed_only=True)
    transact(conn, commands.clear, 1, first, every, Catalog(conn).graph, ANN)
    line.tick()
    assert started(conn) == [first, first]
    end(line)
    assert started(conn) == [first, first, second]


@in_line("strict_sequential")
def test_a_mark_releases_the_next_and_a_cancelled_run_is_passed_by(
    conn: Connection[Any], line: Scheduler
) -> None:
    first, second, third = made(conn, 1, 2, 3)
    line.tick()
    end(line, "failed")
    transact(conn, commands.cancel, 1, second, Catalog(conn).graph, ANN)
    line.tick()
    assert started(conn) == [first], "behind a cancelled run the failed one still holds"
    transact(conn, commands.mark_run, 1, first, Event.MARK_SUCCESS, Catalog(conn).graph, ANN)
    line.tick()
    line.tick()
    assert run_state(conn, first) == "success"
    assert started(conn)[-1] == third


@in_line("strict_sequential")
def test_a_replay_that_succeeds_stands_for_the_failed_run(
    conn: Connection[Any], line: Scheduler, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    first, second = made(conn, 1, 2)
    line.tick()
    end(line, "failed")
    monkeypatch.setattr(replays, "whole", lambda *_: None)  # no files in this story
    again = transact(conn, replays.replay, tmp_path, 1, first, ANN)
    line.tick()
    assert started(conn)[-1] == again
    end(line)
    assert started(conn)[-1] == second


@in_line("first_only")
def test_what_comes_while_one_runs_is_skipped(conn: Connection[Any], line: Scheduler) -> None:
    first, second = made(conn, 1, 2)
    line.tick()
    assert started(conn) == [first]
    (third,) = made(conn, 3)
    (by_hand,) = trigger(conn)
    line.tick()
    assert [run_state(conn, run) for run in (second, third, by_hand)] == [
        "skipped",
        "skipped",
        "queued",
    ]
    assert states(conn, third) == {"a": "skipped"}
    assert why(conn, third) == (
        f"Skipped: run {first} for 2026-01-02 00:00:00 UTC was running (run_strategy first_only)."
    )
    kind = "SELECT reason ->> 'kind' FROM event WHERE run_id = %s AND name = 'skip' AND task_id IS NULL"
    assert value(conn, kind, third) == "skipped_by_strategy"
    end(line)
    assert started(conn) == [first, by_hand], "what a person asked for is never skipped"
    end(line)
    (fourth,) = made(conn, 4)
    line.tick()
    assert started(conn)[-1] == fourth


@in_line("first_only")
def test_a_backfill_makes_a_scheduled_run_wait_and_not_be_skipped(
    conn: Connection[Any], line: Scheduler
) -> None:
    first, second = filled(conn, 1, 2)
    line.tick()
    fifth, sixth = made(conn, 5, 6)
    line.tick()
    assert [run_state(conn, run) for run in (fifth, sixth)] == ["queued", "skipped"]
    end(line)
    end(line)
    assert started(conn) == [first, fifth, second]


@in_line("last_only")
def test_only_the_newest_of_those_that_wait_stays(conn: Connection[Any], line: Scheduler) -> None:
    (first,) = made(conn, 1)
    line.tick()
    second, third, fourth = made(conn, 2, 3, 4)
    line.tick()
    assert [run_state(conn, run) for run in (second, third, fourth)] == [
        "skipped",
        "skipped",
        "queued",
    ]
    assert why(conn, second) == (
        f"Skipped: run {fourth} for 2026-01-05 00:00:00 UTC was queued (run_strategy last_only)."
    )
    end(line)
    assert started(conn) == [first, fourth]


@in_line("last_only")
def test_a_long_catch_up_leaves_the_newest_only(
    conn: Connection[Any], line: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.store.strategies.SKIPPED_MAX", 3)
    *older, newest = made(conn, *range(10))
    turns = [line.tick().more for _ in range(4)]
    assert turns[:3] == [True, True, True]
    assert started(conn) == [newest]
    assert {run_state(conn, run) for run in older} == {"skipped"}


@in_line("last_only")
def test_a_skipped_run_can_be_run_after_all(conn: Connection[Any], line: Scheduler) -> None:
    first, second = made(conn, 1, 2)
    line.tick()
    assert run_state(conn, first) == "skipped"
    end(line)
    transact(conn, commands.clear, 1, first, Selection(), Catalog(conn).graph, ANN)
    (third,) = made(conn, 3)
    line.tick()
    assert started(conn) == [second, first], "a person asked for it: it is not skipped again"
    end(line)
    assert run_state(conn, first) == "success"
    assert started(conn)[-1] == third


@in_line("last_only")
def test_a_backfill_runs_dates_again_that_were_skipped(
    conn: Connection[Any], line: Scheduler
) -> None:
    first, _ = made(conn, 1, 2)
    conn.execute(
        "UPDATE run SET run_key = %s WHERE run_id = %s", [timetables.fire_key(day(1)), first]
    )
    line.tick()
    end(line)

    def again(conn: Connection[Any]) -> None:
        planned = backfills.plan(conn, 1, "d", [day(1)], backfills.Again.FAILED)
        backfills.create(conn, 1, "d", planned, {}, None, Catalog(conn).graph, ANN)

    transact(conn, again)
    line.tick()
    assert started(conn)[-1] == first


@in_line("last_only")
def test_a_paused_dag_skips_nothing(conn: Connection[Any], line: Scheduler) -> None:
    transact(conn, commands.pause, 1, "d", ANN)
    first, second = made(conn, 1, 2)
    line.tick()
    assert [run_state(conn, run) for run in (first, second)] == ["queued", "queued"]
    transact(conn, commands.resume, 1, "d", ANN)
    line.tick()
    assert [run_state(conn, run) for run in (first, second)] == ["skipped", "running"]


@in_line("sequential")
def test_a_paused_backfill_holds_nobody(conn: Connection[Any], line: Scheduler) -> None:
    (first,) = filled(conn, 1)
    (second,) = made(conn, 2)
    backfill_id = value(conn, "SELECT backfill_id FROM backfill")
    transact(conn, backfills.pause, 1, backfill_id, ANN)
    line.tick()
    assert started(conn) == [second]
    assert "its backfill is paused" in why(conn, first)


@in_line("sequential")
def test_backfills_obey_the_line(conn: Connection[Any], line: Scheduler) -> None:
    with pytest.raises(UsageError, match="2 runs cannot be active"):
        filled(conn, 1, active=2)
    with pytest.raises(UsageError, match="in the order of the logical dates"):
        filled(conn, 1, newest_first=True)


@in_line("sequential")
def test_the_preview_and_the_page_of_slots_say_who_holds(
    conn: Connection[Any], line: Scheduler
) -> None:
    (first,) = made(conn, 1)
    line.tick()
    made(conn, 2)
    preview = previews.would_trigger(conn, 1, "d", RunRequest(params={}))
    assert msgspec.to_builtins(preview.why) == {
        "kind": "held_by_run",
        "strategy": "sequential",
        "run": first,
        "date": day(1).isoformat(),
        "state": "running",
    }
    (waiting,) = slot_views.waiting_runs(conn)
    assert waiting.why == preview.why


def look(conn: Connection[Any]) -> queue.Startable:
    return queue.startable(conn, after={}, dags_max=9, runs_max=9, now=clock(conn))


@in_line("first_only")
def test_two_schedulers_start_one(conn: Connection[Any], database: str, line: Scheduler) -> None:
    """Who holds the row of the DAG decides; the other one leaves it alone, and finds it decided afterwards."""
    first, second = made(conn, 1, 2)
    with several(database, 2) as (one, other):
        one.execute("BEGIN")
        assert look(one).in_line
        assert not look(other).in_line
        one.execute("ROLLBACK")
    rival = Scheduler(conn)
    line.tick()
    rival.tick()
    assert started(conn) == [first]
    assert run_state(conn, second) == "skipped"


# -- a logical date in the future


def test_a_logical_date_in_the_future_is_waited_for(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    soon = clock(conn) + timedelta(hours=1)
    wanted = [RunRequest(params={}, logical_date=soon.isoformat())]
    (run_id,) = transact(conn, commands.trigger, 1, "d", wanted, ANN)
    scheduler.tick()
    assert run_state(conn, run_id) == "queued"
    assert why(conn, run_id) == (
        f"Waits to start: its logical date, {soon:%Y-%m-%d %H:%M:%S} UTC, lies in the future."
    )
    (waiting,) = slot_views.waiting_runs(conn)
    assert waiting.why is not None
    assert waiting.why.kind == "awaits_date"
    assert not queue.is_under_way(conn), "nobody looks at it until then"
    (wait,) = waits.by_clock(conn)[1]
    assert (wait.kind, wait.until, wait.who) == ("start", soon, "d")
    assert not transact(conn, queue.ring, soon - timedelta(seconds=1), 9)
    assert transact(conn, queue.ring, soon, 9) == 1
    scheduler.later(3600)
    scheduler.tick()
    assert run_state(conn, run_id) == "running"


@pytest.mark.parametrize("strategy", ["parallel", "sequential", "last_only"])
def test_a_date_in_the_future_holds_no_other_run(conn: Connection[Any], strategy: str) -> None:
    deploy(conn, task("a"), run_strategy=strategy, max_active_runs=1)
    scheduler = Scheduler(conn)
    soon = (clock(conn) + timedelta(hours=1)).isoformat()
    wanted = [RunRequest(params={}, logical_date=soon), RunRequest(params={})]
    late, at_once = transact(conn, commands.trigger, 1, "d", wanted, ANN)
    scheduler.tick()
    assert [run_state(conn, late), run_state(conn, at_once)] == ["queued", "running"]


def test_a_backfill_of_dates_in_the_future_waits_for_each(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE)
    scheduler = Scheduler(conn)
    tomorrow = (clock(conn) - START_DATE).days + 1
    past, future = filled(conn, 1, tomorrow)
    scheduler.tick()
    assert [run_state(conn, past), run_state(conn, future)] == ["running", "queued"]
    assert "lies in the future" in why(conn, future)
