"""While no run is under way a scheduler leaves the database alone, for as long as nothing can come
to be due by itself.
"""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection, Notify

from headway import clock
from headway.actions import backfills
from headway.agent.protocol import Ended, Grant, Grants, Heartbeat
from headway.core.reasons import SetAside
from headway.core.waits import Kind, Wait
from headway.engine.scheduler import POLL_S, REST_S, SWEEP_S, Scheduler
from headway.store import queue, runs, waits
from tests.scenarios.world import START_DATE, deploy, task, trigger
from tests.simulation.line import Line
from tests.simulation.process import one_round

IN_TWO_SECONDS = "UPDATE dag SET next_fire_at = clock_timestamp() + interval '2 s'"


@pytest.fixture
def scheduler(scheduler: Scheduler) -> Scheduler:
    """With nothing left to do."""
    turn(scheduler)
    return scheduler


def turn(scheduler: Scheduler) -> None:
    """Until nothing is left to do; who knocks in the first round speaks in the second."""
    one_round(scheduler)
    one_round(scheduler)
    while scheduler.wanted:
        one_round(scheduler)


def test_with_nothing_under_way_it_rests(scheduler: Scheduler) -> None:
    assert SWEEP_S < scheduler.pause() <= REST_S
    assert not scheduler.due()


def test_a_run_ends_the_rest_until_it_has_ended(
    conn: Connection[Any], scheduler: Scheduler, line: Line
) -> None:
    deploy(conn, task("a"), max_active_runs=1)
    trigger(conn, "d", "k1", "k2")
    scheduler.wanted = scheduler.look_for_starts = True  # what the notice does
    for _ in range(2):
        turn(scheduler)
        assert scheduler.pause() <= POLL_S
        (grants,) = [message for message in line.hear() if isinstance(message, Grants)]
        (grant,) = grants.grants
        line.tell(Ended(1, grant.key, grant.token, "success", ""))
        turn(scheduler)
    turn(scheduler)
    assert scheduler.pause() > SWEEP_S


def test_a_notice_leads_to_a_tick_and_an_answer_but_to_no_heartbeat_before_them(
    conn: Connection[Any], scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat is a commit: the new run would wait for it."""
    deploy(conn, task("a"))
    beat = "SELECT heartbeat_at FROM scheduler"
    before = conn.execute(beat).fetchone()
    scheduler.last_sweep = clock.monotonic() + 600  # how long the test takes is no reason to sweep
    trigger(conn)
    notice = Notify("headway_scheduler", "", 1)
    monkeypatch.setattr(scheduler.ears, "notifies", lambda timeout: [notice])
    scheduler.notified(0)
    assert (scheduler.pause(), scheduler.asked) == (0, True)
    assert scheduler.sweep_in() > SWEEP_S, "it does not come first"
    one_round(scheduler)
    assert conn.execute("SELECT state FROM task_instance").fetchall() == [("queued",)]
    assert not scheduler.asked
    assert conn.execute(beat).fetchone() == before
    scheduler.last_sweep -= 600
    assert scheduler.sweep_in() <= SWEEP_S < REST_S, "what a person did may also concern the sweep"


def test_an_attempt_that_runs_long_is_no_rest(
    conn: Connection[Any], scheduler: Scheduler, line: Line
) -> None:
    deploy(conn, task("a"))
    trigger(conn)
    turn(scheduler)
    turn(scheduler)
    assert scheduler.pause() <= POLL_S


def test_a_heartbeat_is_answered_during_a_rest(scheduler: Scheduler, line: Line) -> None:
    scheduler.last_sweep -= SWEEP_S
    assert scheduler.pause() > 0
    line.tell(Heartbeat(1))
    scheduler.wait(0.0)
    assert scheduler.pause() == 0
    assert scheduler.sweep_in() <= 0


def test_a_rest_ends_with_the_next_fire_of_a_timetable(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy(conn, task("a"))
    conn.execute(IN_TWO_SECONDS)
    turn(scheduler)
    assert SWEEP_S < scheduler.pause() <= 2
    scheduler.scheduled = False
    turn(scheduler)
    assert scheduler.pause() > 2, "it waits for a fire that it does not make a run for"


def test_a_rest_ends_with_the_delay_of_a_retry(
    conn: Connection[Any], scheduler: Scheduler, line: Line
) -> None:
    """A run that only waits for the clock is no reason to look every half second."""
    deploy(conn, task("a", retries=1, retry_delay_s=300.0))
    trigger(conn)
    (grant,) = granted(scheduler, line)
    line.tell(Ended(1, grant.key, grant.token, "failed", "exit code 1"))
    turn(scheduler)
    turn(scheduler)
    assert not queue.is_under_way(conn)
    _, found = waits.by_clock(conn)
    assert [wait.kind for wait in found] == [Kind.RUN]
    assert SWEEP_S < scheduler.pause() <= REST_S
    conn.execute("UPDATE task_instance SET wake_at = clock_timestamp()")
    conn.execute("UPDATE run SET due_at = clock_timestamp()")
    assert scheduler.rest() == 0
    scheduler.ticker.models.clear()
    scheduler.wanted = True
    (again,) = granted(scheduler, line)
    assert (again.key.number, scheduler.pause() <= POLL_S) == (2, True)


def test_the_pause_of_a_run_that_was_set_aside_ends_a_rest(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy(conn, task("a"))
    conn.execute("UPDATE pool SET slots = 0")  # it waits for a place
    trigger(conn)
    turn(scheduler)
    assert queue.is_under_way(conn)
    team_id, run_id = conn.execute("SELECT team_id, run_id FROM run").fetchall()[0]
    now, _ = waits.by_clock(conn)
    until = now + timedelta(seconds=300)
    runs.set_aside(conn, team_id, run_id, error="why", reason=SetAside("why"), until=until, now=now)
    assert not queue.is_under_way(conn)
    scheduler.ticker.models.clear()
    scheduler.wanted = True
    turn(scheduler)
    assert SWEEP_S < scheduler.pause() <= REST_S
    assert waits.by_clock(conn)[1] == [Wait(Kind.SET_ASIDE, until, run_id)]
    conn.execute("UPDATE run SET set_aside_until = clock_timestamp()")
    assert scheduler.rest() == 0
    runs.take_back(conn, team_id, run_id, "scheduler", now, anew=False)


def test_a_paused_backfill_is_a_rest(conn: Connection[Any], scheduler: Scheduler) -> None:
    """It waits for a person. A backfill beside it, or a run of the DAG itself, does not."""
    deploy(conn, task("a"), schedule={"cron": "0 0 * * *"}, start_date=START_DATE)
    made = []
    for days in range(2):
        date = START_DATE - timedelta(days=9000 + days)  # none that is waited for
        planned = backfills.plan(conn, 1, "d", [date], backfills.Again.MISSING)
        graphs = scheduler.catalog.graph
        made.append(backfills.create(conn, 1, "d", planned, {}, 1, graphs, "user:ann")[0])
    assert queue.is_under_way(conn)
    backfills.pause(conn, 1, made[0], "user:ann")
    assert queue.is_under_way(conn)
    backfills.pause(conn, 1, made[1], "user:ann")
    assert not queue.is_under_way(conn)
    conn.execute("UPDATE dag SET next_fire_at = NULL")
    scheduler.wanted = True
    turn(scheduler)
    assert SWEEP_S < scheduler.pause() <= REST_S
    backfills.resume(conn, 1, made[0], "user:ann")
    assert queue.is_under_way(conn)
    backfills.pause(conn, 1, made[0], "user:ann")
    trigger(conn)
    assert queue.is_under_way(conn)


def granted(scheduler: Scheduler, line: Line) -> list[Grant]:
    turn(scheduler)
    turn(scheduler)
    return [
        each for message in line.hear() if isinstance(message, Grants) for each in message.grants
    ]


@pytest.mark.parametrize(
    ("change", "under_way"),
    [
        ("UPDATE dag SET has_queued = true", True),
        ("UPDATE dag SET has_queued = true, paused_at = now(), paused_by = 'ann'", False),
        ("UPDATE run SET set_aside = 'why'", False),
    ],
)
def test_what_is_under_way(conn: Connection[Any], change: str, under_way: bool) -> None:
    assert not queue.is_under_way(conn)
    deploy(conn, task("a"))
    trigger(conn)
    with conn.transaction(force_rollback=True):  # by hand, and no state that a scenario may leave
        conn.execute("UPDATE dag SET has_queued = false")
        assert not queue.is_under_way(conn)
        conn.execute(change.encode())
        assert queue.is_under_way(conn) is under_way
