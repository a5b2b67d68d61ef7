"""More than one scheduler, and runs that are poison to all of them."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import CheckViolation, LockNotAvailable

from headway import wire
from headway.actions import commands
from headway.core import plan
from headway.core.commands import Selection
from headway.core.run import Run
from headway.engine.catalog import Catalog
from headway.engine.failing import FAILURES_MAX
from headway.errors import Conflict
from headway.store import pools, runs
from headway.store.clock import clock as database_clock
from headway.store.transact import APP, Session, connect, enter_team, transact
from headway.store.views import runs as run_views
from tests.scenarios.test_links import connect as connect_agent
from tests.scenarios.test_links import heard
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    run_state,
    several,
    states,
    task,
    trigger,
    value,
)
from tests.simulation.process import Process, one_round

BUSY = "SELECT count(*) FROM run WHERE state IN ('queued', 'running')"


def test_two_schedulers_never_overfill_a_pool(conn: Connection[Any], dsn: str) -> None:
    deploy(conn, *(task(f"t{n}", pool="etl") for n in range(4)), max_active_runs=100)
    transact(conn, commands.resize_pool, 1, "etl", 5, ANN)
    trigger(conn, "d", *(f"k{n}" for n in range(30)))
    done = threading.Event()

    def schedule(mine: Connection[Any]) -> None:
        scheduler = Scheduler(mine)
        while not done.is_set():
            scheduler.tick(*scheduler.work())

    peak = 0
    with several(dsn, 3) as (first, second, watch), ThreadPoolExecutor() as threads:
        running = [threads.submit(schedule, mine) for mine in (first, second)]
        try:
            while value(watch, BUSY) and not any(thread.done() for thread in running):
                live = "SELECT count(*) FROM task_instance WHERE state IN ('queued', 'running')"
                used, counted = watch.execute(
                    f"SELECT used, ({live}) FROM pool WHERE name = 'etl'"
                ).fetchone() or (0, 0)
                assert used == counted <= 5
                peak = max(peak, used)
        finally:
            done.set()
        for thread in running:
            thread.result()
    assert peak > 1
    assert value(conn, "SELECT count(*) FROM run WHERE state = 'success'") == 30
    assert value(conn, "SELECT count(*) FROM attempt") == 120
    assert value(conn, "SELECT sum(used) FROM pool") == 0


def test_a_pool_is_looked_at_by_one_tick_at_a_time(conn: Connection[Any], dsn: str) -> None:
    """What one has read as free, another could give away before it is written."""
    transact(conn, commands.resize_pool, 1, "etl", 5, ANN)
    with connect(dsn) as other, other.transaction():
        assert pools.lock(other, {(1, "etl")})[1]["etl"].free == 5
        conn.execute("SET lock_timeout = '50ms'")
        with pytest.raises(LockNotAvailable):
            transact(conn, pools.lock, {(1, "etl")})


def test_a_report_for_a_run_locked_elsewhere_is_kept_and_absorbed_later(
    conn: Connection[Any], dsn: str
) -> None:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    (a,) = scheduler.tick().grants
    with connect(dsn) as other, other.transaction():
        assert runs.lock(other, 1, run_id) is not None
        scheduler.tick(scheduler.end(a))
        assert value(conn, "SELECT count(*) FROM report") == 1
        assert states(conn, run_id)["a"] == "queued"
    with connect(dsn) as third:  # whoever ticks it next
        Scheduler(third).tick()
    assert states(conn, run_id)["a"] == "success"
    assert value(conn, "SELECT count(*) FROM report") == 0
    scheduler.play()


def test_a_report_of_an_unknown_run_is_dropped(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    trigger(conn)
    (a,) = scheduler.tick().grants
    a.run.run_id = "gone"
    scheduler.tick(scheduler.end(a))
    assert value(conn, "SELECT count(*) FROM report") == 0


def test_a_model_that_another_scheduler_made_old_is_read_again(
    conn: Connection[Any], dsn: str
) -> None:
    deploy(conn, task("a"), task("b"), task("c", "a", "b"))
    mine = Scheduler(conn, places=1)
    (run_id,) = trigger(conn)
    with connect(dsn) as theirs:
        other = Scheduler(theirs, places=1)
        mine.tick()
        other.tick()
        assert len(mine.held) == len(other.held) == 1
        mine.tick(*mine.work())
        other.tick(*other.work())
        assert len(other.held) == 1
        other.tick(*other.work())
        assert not mine.tick().claimed
    assert run_state(conn, run_id) == "success"


# -- poison


@pytest.fixture
def process(conn: Session) -> Iterator[Process]:
    process = Process(conn, print)
    process.start()
    yield process
    process.die()


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of runs whose planning fails each time."""
    ids: set[str] = set()
    settle = plan.settle

    def poisoned(run: Run) -> None:
        if run.run_id in ids:
            raise KeyError("a bug in planning")
        settle(run)

    monkeypatch.setattr(plan, "settle", poisoned)
    return ids


def test_a_poison_run_is_set_aside_and_the_others_go_on(
    conn: Connection[Any], poison: set[str]
) -> None:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    bad, good = trigger(conn, "d", "k1", "k2")
    scheduler.tick()
    poison.add(bad)
    scheduler.play()
    for _ in range(FAILURES_MAX):
        scheduler.tick()
    assert run_state(conn, good) == "success"
    assert value(conn, "SELECT set_aside FROM run WHERE run_id = %s", bad) == (
        "KeyError: 'a bug in planning'"
    )
    assert value(conn, "SELECT count(*) FROM report WHERE run_id = %s", bad) == 1
    assert not scheduler.tick().claimed


def test_a_poison_run_does_not_stand_in_the_way_of_ready_ones(
    conn: Connection[Any], poison: set[str]
) -> None:
    """Its ready task instances were first in the pool's order."""
    deploy(conn, *(task(f"t{n}") for n in range(4)))
    deploy(conn, task("a", priority_weight=-100), dag_id="later")
    scheduler = Scheduler(conn, places=1)
    (bad,) = trigger(conn)
    scheduler.tick()
    (good,) = trigger(conn, "later")
    scheduler.tick()
    assert states(conn, good) == {"a": "ready"}
    poison.add(bad)
    for _ in range(FAILURES_MAX + 1):
        scheduler.tick(*scheduler.work())
    scheduler.play()
    assert run_state(conn, good) == "success"


def test_a_poison_run_that_is_queued_does_not_close_its_dags_queue(
    conn: Connection[Any], poison: set[str]
) -> None:
    deploy(conn, task("a"), max_active_runs=1)
    scheduler = Scheduler(conn)
    bad, good = trigger(conn, "d", "k1", "k2")
    poison.add(bad)
    first = value(conn, "SELECT run_id FROM run ORDER BY logical_date, run_id LIMIT 1")
    if first != bad:
        poison.clear()
        poison.add(first)
        bad, good = good, bad
    for _ in range(FAILURES_MAX):
        scheduler.tick()
    scheduler.play()
    assert run_state(conn, good) == "success"
    assert not value(conn, "SELECT has_queued FROM dag")


def test_a_run_that_cannot_be_read_is_set_aside_too(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    deploy(conn, task("x"), dag_id="odd")
    scheduler = Scheduler(conn)
    (bad,) = trigger(conn, "odd")
    (good,) = trigger(conn)
    conn.execute("UPDATE dag_version SET spec = '{\"future\": true}' WHERE dag_id = 'odd'")
    for _ in range(FAILURES_MAX):
        scheduler.tick()
    scheduler.play()
    assert run_state(conn, good) == "success"
    said = "a stored version of DAG odd cannot be read: Object missing required field"
    assert said in value(conn, "SELECT set_aside FROM run WHERE run_id = %s", bad)
    before = run_state(conn, bad)
    with pytest.raises(Conflict, match=said):
        transact(conn, commands.clear, 1, bad, Selection(), graphs(scheduler), ANN)
    assert run_state(conn, bad) == before


def test_a_report_that_cannot_be_read_is_dropped(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    conn.execute("INSERT INTO report (team_id, run_id, body) VALUES (1, %s, 'odd')", [run_id])
    scheduler.play()
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM report") == 0


def test_a_run_that_cannot_be_written_is_set_aside_too(
    conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    """A row that the database refuses: nobody knows whose it is until they are tried one by one."""
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    bad, good = trigger(conn, "d", "k1", "k2")
    scheduler.tick()
    owner_conn.execute(
        f"ALTER TABLE task_instance ADD CHECK (NOT (run_id = '{bad}' AND state = 'success'))"
    )
    failures = 0
    envelopes = scheduler.work()
    for _ in range(20):
        try:
            scheduler.tick(*envelopes)
        except CheckViolation:
            failures += 1
            continue
        envelopes = scheduler.work()
    assert 0 < failures <= FAILURES_MAX + 2
    assert run_state(conn, good) == "success"
    assert "CheckViolation" in value(conn, "SELECT set_aside FROM run WHERE run_id = %s", bad)


def test_a_cancel_reaches_a_poison_run_never_a_tick(
    conn: Connection[Any], poison: set[str]
) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (bad,) = trigger(conn)
    poison.add(bad)
    for _ in range(FAILURES_MAX):
        scheduler.tick()
    poison.clear()
    assert run_state(conn, bad) == "queued"
    transact(conn, commands.cancel, 1, bad, graphs(scheduler), ANN)
    assert run_state(conn, bad) == "cancelled"
    assert value(conn, "SELECT set_aside FROM run WHERE run_id = %s", bad) is None


HISTORY = """
    SELECT string_agg(concat_ws(' ', name, state, actor, reason ->> 'error'), '; ' ORDER BY seq) FROM event
    WHERE run_id = %s AND name IN ('set_aside', 'take_back')
"""


@pytest.mark.parametrize("failed_only", [False, True])
def test_a_clear_takes_a_poison_run_in_again_and_it_goes_on(
    conn: Connection[Any], poison: set[str], failed_only: bool
) -> None:
    deploy(conn, task("a"), task("b", "a"), task("c"))
    scheduler = Scheduler(conn)
    (bad,) = trigger(conn)
    scheduler.tick()
    poison.add(bad)
    scheduler.tick(*scheduler.work())
    for _ in range(FAILURES_MAX):
        scheduler.tick()
    said = "KeyError: 'a bug in planning'"
    with connect(conn.info.dsn, role=APP) as app:
        shown = transact(app, shown_run, bad)
    assert (shown.state, shown.set_aside) == ("running", said)
    assert shown.reason is not None
    assert re.fullmatch(
        rf"set aside until [-:\d ]+ UTC after the scheduler failed to plan it 3 times: {said}",
        shown.reason,
    )
    assert value(conn, HISTORY, bad) == f"set_aside running scheduler {said}"
    poison.clear()
    selection = Selection(failed_only=failed_only)
    transact(conn, commands.clear, 1, bad, selection, graphs(scheduler), ANN)
    scheduler.play()
    assert run_state(conn, bad) == "success"
    assert states(conn, bad) == {"a": "success", "b": "success", "c": "success"}
    assert value(conn, HISTORY, bad).endswith(f"; take_back running {ANN}")
    attempts = value(conn, "SELECT count(*) FROM attempt WHERE run_id = %s", bad)
    assert attempts == (3 if failed_only else 5)


def blocked(conn: Connection[Any], run_id: str) -> set[str]:
    """What its ready task instances wait for."""
    query = "SELECT blocked_reason::text FROM task_instance WHERE state = 'ready' AND run_id = %s"
    return {reason for (reason,) in conn.execute(query, [run_id])}


PAUSE = """
    SELECT extract(epoch FROM run.set_aside_until - event.at)::int FROM run
    JOIN event USING (team_id, run_id) WHERE name = 'set_aside' ORDER BY seq DESC LIMIT 1
"""


@pytest.mark.parametrize("begun", [True, False])
def test_a_poison_run_is_tried_again_after_ever_longer_pauses(
    conn: Connection[Any], process: Process, poison: set[str], begun: bool
) -> None:
    """By a real scheduler's sweeps; a new one tries at once, for it may know better."""
    deploy(conn, *(task(f"t{n}") for n in range(6)))  # more than the agent has places
    (bad,) = trigger(conn)
    line = connect_agent(process, [])
    if begun:
        heard(process, line)
    poison.add(bad)
    transact(conn, runs.alarm, 1, bad, transact(conn, database_clock))
    pauses = []
    for _ in range(9):
        sweep(process)
        heard(process, line, rounds=FAILURES_MAX)
        pauses.append(value(conn, PAUSE))
        conn.execute("UPDATE run SET set_aside_until = clock_timestamp()")
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    conn.execute("UPDATE run SET set_aside_until = clock_timestamp() + interval '1 hour'")
    sweep(process)
    assert value(conn, "SELECT set_aside FROM run") is not None, "not before its time"
    assert blocked(conn, bad) == ({value(conn, "SELECT reason::text FROM run")} if begun else set())
    assert value(conn, "SELECT has_queued FROM dag WHERE dag_id = 'd'") is False
    poison.clear()
    process.die()
    process.start()
    heard(process, connect_agent(process, []), rounds=4)
    assert value(conn, "SELECT set_aside FROM run") is None
    assert run_state(conn, bad) == "running"
    assert "set aside" not in str(blocked(conn, bad))
    transact(conn, commands.cancel, 1, bad, Catalog(conn).graph, ANN)


def sweep(process: Process) -> None:
    assert process.scheduler is not None
    process.scheduler.last_sweep = float("-inf")
    one_round(process.scheduler)


def shown_run(conn: Connection[Any], run_id: str) -> wire.Run:
    enter_team(conn, 1)
    return run_views.one(conn, run_id)


def test_a_scheduler_without_memory_blames_no_run(
    conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    with monkeypatch.context() as patch:
        patch.setattr(plan, "settle", exhausted)
        for _ in range(FAILURES_MAX + 1):
            with pytest.raises(MemoryError):
                scheduler.tick()
    scheduler.play()
    assert run_state(conn, run_id) == "success"


def exhausted(run: Run) -> None:
    raise MemoryError
