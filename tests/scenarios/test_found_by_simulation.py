"""What the simulator found, each as the smallest story that shows it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from psycopg import Connection

from headway import clock
from headway.actions import commands
from headway.clock import Clock
from headway.core import plan
from headway.core.commands import Selection
from headway.core.reasons import SetAside
from headway.core.reports import Outcome
from headway.core.run import Run
from headway.engine import failing, tick
from headway.executors.agents import translate
from headway.spec.model import Axis, Mapping, Task
from headway.store import runs, sessions, snapshots
from headway.store.transact import transact
from tests.scenarios.engine import TEAM, Engine

LEASE = timedelta(seconds=15)


class EngineClock(Clock):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def of_database(self, read: Callable[[], datetime]) -> datetime:
        return self.engine.now


@pytest.fixture
def engine(conn: Connection[Any]) -> Iterator[Engine]:
    engine = Engine(conn)
    with clock.use(EngineClock(engine)):
        yield engine


def clear(engine: Engine, run_id: str, *tasks: str) -> None:
    chosen = Selection(tasks=frozenset(tasks))
    transact(engine.conn, commands.clear, TEAM, run_id, chosen, engine.catalog.graph, "user:ann")


def over(name: str, **options: Any) -> Mapping:
    return Mapping(axes=(Axis(argument="x", task_id=name, **options),))


def test_a_task_cleared_in_a_running_run_runs_again(engine: Engine) -> None:
    engine.deploy("d", Task(task_id="a"), Task(task_id="b"))
    engine.trigger("d", "r")
    a, b = engine.tick().grants
    engine.tick(a)
    clear(engine, "r", "a")
    assert engine.granted(engine.tick()) == ["r/a"]
    assert b.attempt.number == 1


def test_a_mapped_task_waits_for_its_items_whatever_its_rule(engine: Engine) -> None:
    engine.deploy(
        "d",
        Task(task_id="a"),
        Task(task_id="b"),
        Task(task_id="c", upstream=("a", "b"), trigger_rule="one_success", mapping=over("b")),
    )
    engine.trigger("d", "r")
    a, b = engine.tick().grants
    engine.tick(a)
    assert engine.states("r")["c"] == "waiting"
    assert engine.granted(engine.tick(b)) == ["r/c[0]", "r/c[1]", "r/c[2]"]


def test_a_clock_set_back_puts_no_end_before_a_start(engine: Engine) -> None:
    engine.deploy("d", Task(task_id="a"))
    engine.trigger("d", "r")
    (a,) = engine.tick().grants
    engine.later(-3600)
    engine.restart()
    engine.tick(a)
    rows = engine.conn.execute("SELECT started_at <= ended_at FROM task_instance").fetchall()
    assert rows == [(True,)]
    assert engine.conn.execute("SELECT started_at <= ended_at FROM run").fetchall() == [(True,)]


def test_an_attempt_is_granted_to_no_dead_session(engine: Engine) -> None:
    """A link whose agent has vanished without a word still offers its places."""
    engine.deploy("d", Task(task_id="a"))
    engine.later(60)
    transact(engine.conn, sessions.expire, engine.now, LEASE)
    engine.trigger("d", "r")
    assert engine.granted(engine.tick()) == []
    engine.session("s2")
    assert engine.granted(engine.tick(session="s2")) == ["r/a"]


def test_an_attempt_bound_to_a_long_dead_session_is_rescued(engine: Engine) -> None:
    engine.deploy("d", Task(task_id="a"))
    engine.trigger("d", "r")
    engine.tick()
    engine.conn.execute("UPDATE agent_session SET ended_at = %s", [engine.now])
    engine.later(3600)
    transact(engine.conn, sessions.expire, engine.now, LEASE)
    engine.tick()
    assert engine.states("r") == {"a": "up_for_retry"}


def test_a_task_wider_than_its_pool_holds_up_nobody(engine: Engine) -> None:
    engine.pool("narrow", 1)
    engine.deploy(
        "d",
        Task(task_id="wide", pool="narrow", pool_slots=2, priority_weight=9),
        Task(task_id="thin", pool="narrow"),
    )
    engine.trigger("d", "r1")
    assert engine.granted(engine.tick()) == ["r1/thin"]
    engine.trigger("d", "r2")
    (reason,) = engine.conn.execute(
        "SELECT blocked_reason FROM task_instance WHERE task_id = 'wide'"
    ).fetchall()
    assert reason[0] == {"kind": "pool_too_small", "pool": "narrow", "needed": 2, "slots": 1}


def test_full_dags_do_not_hide_those_behind_them(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick, "DAGS_MAX", 2)
    for name in "abc":
        engine.deploy(name, Task(task_id="t"), max_active_runs=1)
    for name in "ab":
        engine.trigger(name, f"{name}1")
        engine.trigger(name, f"{name}2")
    engine.tick()
    engine.trigger("c", "c1")
    engine.tick()
    assert engine.run_state("c1") == "running"


def test_a_mapped_task_is_sent_while_what_it_is_mapped_over_runs_again(engine: Engine) -> None:
    engine.deploy(
        "d",
        Task(task_id="a"),
        Task(
            task_id="b",
            upstream=("a",),
            mapping=Mapping(
                axes=(Axis(argument="x", length=2), Axis(argument="y", task_id="a")),
            ),
        ),
    )
    engine.trigger("d", "r")
    (a,) = engine.tick().grants
    engine.tick(a, places=1)
    clear(engine, "r", "a")
    grants = engine.tick().grants
    sent = [translate.grant(g.run, g.instance, g.attempt, "token") for g in grants]
    assert "a" in {grant.key.task_id for grant in sent}


def poison(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = plan.settle

    def crash(run: Run) -> None:
        if run.run_id == "bad":
            raise KeyError("poison")
        settle(run)

    monkeypatch.setattr(plan, "settle", crash)


def test_a_poisoned_run_is_put_aside_and_its_dag_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.deploy("d", Task(task_id="a"), max_active_runs=1)
    engine.trigger("d", "bad")
    engine.later(1)
    engine.trigger("d", "good")
    poison(engine, monkeypatch)
    for _ in range(failing.FAILURES_MAX + 1):
        engine.tick()
    assert engine.run_state("bad") == "queued"
    assert engine.run_state("good") == "running"


def test_ready_tasks_of_a_poisoned_run_hold_up_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.pool("one", 1)
    engine.deploy("d", Task(task_id="a", pool="one"), Task(task_id="b", pool="one"))
    engine.trigger("d", "bad")
    engine.tick(places=0)
    engine.later(1)
    engine.trigger("d", "good")
    engine.tick(places=0)
    poison(engine, monkeypatch)
    grants = [engine.granted(engine.tick()) for _ in range(failing.FAILURES_MAX + 1)]
    assert ["good/a"] in grants


def test_a_run_that_cannot_be_read_does_not_stop_the_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.deploy("d", Task(task_id="a"))
    engine.trigger("d", "bad")
    engine.trigger("d", "good")
    empty = snapshots.empty

    def unreadable(row: Any, *rest: Any) -> Run:
        if row.run_id == "bad":
            raise KeyError("unknown trigger rule")
        return empty(row, *rest)

    monkeypatch.setattr(snapshots, "empty", unreadable)
    assert engine.granted(engine.tick()) == ["good/a"]
    for _ in range(failing.FAILURES_MAX):
        engine.tick()
    assert engine.conn.execute("SELECT set_aside FROM run WHERE run_id = 'bad'").fetchone() != (
        None,
    )


def test_a_run_cleared_after_its_timeout_gets_its_time_again(engine: Engine) -> None:
    engine.deploy("d", Task(task_id="a"), dagrun_timeout_s=60.0)
    engine.trigger("d", "r")
    (a,) = engine.tick().grants
    engine.tick(a, outcome=Outcome.SUCCESS)
    engine.later(3600)
    clear(engine, "r", "a")
    assert engine.granted(engine.tick()) == ["r/a"]


def test_a_task_cleared_while_it_runs_begins_again_in_the_tick_that_ends_it(
    engine: Engine,
) -> None:
    engine.deploy("d", Task(task_id="a"))
    engine.trigger("d", "r")
    (a,) = engine.tick().grants
    clear(engine, "r", "a")
    assert engine.granted(engine.tick(a, outcome=Outcome.CANCELLED)) == ["r/a"]


def test_a_run_that_was_put_aside_is_not_woken_for_its_dead_attempts(engine: Engine) -> None:
    engine.deploy("d", Task(task_id="a"))
    engine.trigger("d", "r")
    engine.tick()
    key, later = "KeyError", engine.now + timedelta(hours=1)
    aside = partial(runs.set_aside, error=key, reason=SetAside(key), until=later, now=engine.now)
    transact(engine.conn, aside, TEAM, "r")
    engine.later(60)
    transact(engine.conn, sessions.expire, engine.now, LEASE)
    transact(engine.conn, runs.alarm, TEAM, "r", engine.now)
    transact(engine.conn, runs.alarm_dag, TEAM, "d", engine.now)
    assert engine.conn.execute("SELECT due_at FROM run").fetchall() == [(None,)]
