"""Deferred attempts through the scheduler's own transactions: what is stored, found, and told again after a restart."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.actions import commands
from headway.agent import protocol
from headway.agent.protocol import AttemptKey, Deferral, Ended
from headway.clock import now
from headway.core.commands import Selection
from headway.core.reasons import AwaitsAsset
from headway.core.states import Event
from headway.core.stored_reasons import stored
from headway.engine.wakeups import look_up_waits
from headway.executors.agents import translate
from headway.executors.base import Grant
from headway.store import assets
from headway.store.transact import Session, connect, transact
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    run_state,
    states,
    task,
    trigger,
    value,
)

HOUR = Deferral("time", delay_s=3600.0, method="finish", kwargs=b'{"job":7}')


def for_run(conn: Connection[Any], run_id: str, dag: str = "other", **given: Any) -> Deferral:
    """A wait for the run of another DAG with the same logical date."""
    date = value(conn, "SELECT logical_date FROM run WHERE run_id = %s", run_id)
    facts = {"dag": dag, "date": date, "states": ["success"], "failed_states": ["failed"]}
    return Deferral("run", msgspec.json.encode({**facts, **given.pop("facts", {})}), **given)


def deferred(conn: Connection[Any], wait: Deferral | None = None) -> tuple[Scheduler, str]:
    """A run whose only task is deferred."""
    deploy(conn, task("a", retries=1))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    wait = wait or for_run(conn, run_id)
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "deferred", "deferral": wait}))
    assert states(conn, run_id) == {"a": "deferred"}
    return scheduler, run_id


def other_run(conn: Connection[Any], like: str, dag_id: str = "other") -> str:
    """A run of another DAG with the same logical date."""
    deploy(conn, task("load"), task("check", "load"), dag_id=dag_id)
    (run_id,) = trigger(conn, dag_id)
    conn.execute(
        "UPDATE run SET logical_date = (SELECT logical_date FROM run WHERE run_id = %s) WHERE run_id = %s",
        [like, run_id],
    )
    return run_id


def told(scheduler: Scheduler) -> Grant:
    """What the agent is given next."""
    scheduler.tick()
    (grant,) = scheduler.held.values()
    return grant


def message(grant: Grant) -> protocol.Grant:
    return translate.grant(grant.run, grant.instance, grant.attempt, grant.attempt.token or "")


@pytest.mark.parametrize("restarted", [False, True])
def test_it_goes_on_by_the_clock_as_the_same_attempt(conn: Session, restarted: bool) -> None:
    """Also when nothing of it is in memory any more, whatever died."""
    scheduler, run_id = deferred(conn, HOUR)
    assert value(conn, "SELECT used FROM pool") == value(conn, "SELECT used FROM share") == 0
    assert value(conn, "SELECT state FROM attempt") == "deferred"
    if restarted:
        scheduler.expire()
        scheduler = Scheduler(conn)
    scheduler.later(3599)
    scheduler.tick()
    assert states(conn, run_id) == {"a": "deferred"}
    scheduler.later(2)
    grant = told(scheduler)
    assert message(grant).key == AttemptKey(run_id, "a", -1, 1, 1)
    resumed = message(grant).resumed
    assert resumed is not None
    assert (resumed.method, resumed.kwargs, resumed.found) == ("finish", b'{"job":7}', None)
    scheduler.tick(*scheduler.work())
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM attempt") == 1
    assert value(conn, "SELECT count(*) FROM wait") == 0
    names = conn.execute("SELECT name FROM event WHERE task_id = 'a' ORDER BY seq").fetchall()
    assert [name for (name,) in names] == [
        *("release", "grant", "start", "defer", "wake", "grant", "start", "succeed")
    ]


def test_what_its_process_is_told_outlives_the_scheduler(conn: Session, database: str) -> None:
    """A grant that did not arrive is sent again, with what was found."""
    scheduler, run_id = deferred(conn, HOUR)
    scheduler.later(3601)
    sent = message(told(scheduler))
    with connect(database) as other:
        again = Scheduler(other)
        row = again.ticker.catalog
        assert row is not None
        from headway.store import runs, snapshots

        claimed = runs.read(other, 1, run_id)
        assert claimed is not None
        (run,) = snapshots.load(other, [claimed], graphs(again), again.now)
    instance = run.get("a", -1)
    assert instance is not None
    assert instance.attempt is not None
    read = translate.grant(run, instance, instance.attempt, sent.token)
    assert (read.key, read.resumed and read.resumed.kwargs) == (sent.key, b'{"job":7}')


def test_a_run_of_another_dag_ends_the_wait(conn: Session) -> None:
    scheduler, run_id = deferred(conn)
    assert transact(conn, look_up_waits) == 0
    other = other_run(conn, run_id)
    assert transact(conn, look_up_waits) == 0
    scheduler.tick()
    while run_state(conn, other) != "success":
        scheduler.tick(*scheduler.work())
    assert transact(conn, look_up_waits) == 1
    assert transact(conn, look_up_waits) == 0  # it is told once
    grant = told(scheduler)
    resumed = message(grant).resumed
    assert resumed is not None
    assert resumed.found is not None
    assert msgspec.json.decode(resumed.found) == {
        "dag_id": "other",
        "run_id": other,
        "state": "success",
    }


def for_asset(**facts: Any) -> Deferral:
    return Deferral("asset", msgspec.json.encode({"asset": "orders", **facts}))


def emit(
    conn: Session,
    asset: str = "orders",
    partition: str | None = None,
    *,
    at: datetime | None = None,
) -> None:
    event = assets.NewEvent(1, asset, '{"rows": 7}', partition, "ann", None)
    transact(conn, assets.put, event, at or now())


def test_an_event_of_an_asset_ends_the_wait(conn: Session) -> None:
    since = now()
    scheduler, _ = deferred(conn, for_asset(since=since))
    emit(conn, at=since - timedelta(microseconds=1))
    emit(conn, "another")
    assert transact(conn, look_up_waits) == 0
    emit(conn, partition="2026-01-01", at=since)
    assert transact(conn, look_up_waits) == 1
    assert transact(conn, look_up_waits) == 0  # it is told once
    resumed = message(told(scheduler)).resumed
    assert resumed is not None
    assert resumed.found is not None
    assert msgspec.json.decode(resumed.found) == {
        "asset": "orders",
        "partition": "2026-01-01",
        "at": since.isoformat(),
        "extra": {"rows": 7},
    }


def test_a_partition_that_is_there_ends_the_wait_at_once(conn: Session) -> None:
    emit(conn, partition="eu", at=now() - timedelta(days=9))
    emit(conn)
    scheduler, run_id = deferred(conn, for_asset(partition="us"))
    why = value(conn, "SELECT reason::text FROM event WHERE run_id = %s AND name = 'defer'", run_id)
    assert stored(why) == AwaitsAsset("orders", "us")
    emit(conn, "another", "us")
    assert transact(conn, look_up_waits) == 0
    deploy(conn, task("b"), dag_id="second")
    (second,) = trigger(conn, "second")
    scheduler.tick()
    wait = {"outcome": "deferred", "deferral": for_asset(partition="eu")}
    scheduler.tick(*scheduler.work(lambda _: wait))
    assert transact(conn, look_up_waits) == 1
    scheduler.play()
    assert (run_state(conn, second), run_state(conn, run_id)) == ("success", "running")


@pytest.mark.parametrize("facts", [{"asset": ""}, {"partition": "a\n"}, {"since": "soon"}])
def test_a_wait_for_an_asset_that_cannot_be_is_the_failure_of_its_task(
    conn: Session, facts: dict[str, str]
) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    wait = for_asset(**facts)
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "deferred", "deferral": wait}))
    assert run_state(conn, run_id) == "failed"


def test_a_task_of_another_dag_ends_the_wait_and_the_task(conn: Session) -> None:
    """Without a process: what was found is the result."""
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    wait = for_run(conn, run_id, facts={"task": "load"}, finishes=True)
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "deferred", "deferral": wait}))
    other = other_run(conn, run_id)
    scheduler.tick()
    assert transact(conn, look_up_waits) == 0
    scheduler.tick(*scheduler.work())
    assert states(conn, other)["load"] == "success"
    assert transact(conn, look_up_waits) == 1
    scheduler.tick(starts=False)
    assert states(conn, run_id) == {"a": "success", "b": "queued"}
    assert value(conn, "SELECT value FROM xcom WHERE task_id = 'a'") == {
        "dag_id": "other",
        "run_id": other,
        "state": "success",
    }
    assert value(conn, "SELECT state FROM attempt WHERE task_id = 'a'") == "success"


def test_a_run_that_ends_otherwise_fails_the_attempt(conn: Session) -> None:
    scheduler, run_id = deferred(conn)
    other = other_run(conn, run_id)
    scheduler.tick()
    transact(conn, commands.mark_run, 1, other, Event.MARK_FAILED, graphs(scheduler), ANN)
    scheduler.tick(*scheduler.work())
    scheduler.tick()
    assert run_state(conn, other) == "failed"
    assert transact(conn, look_up_waits) == 1
    scheduler.tick()
    assert states(conn, run_id) == {"a": "up_for_retry"}
    detail = value(conn, "SELECT detail FROM attempt WHERE run_id = %s", run_id)
    assert detail == f"run {other}, which it waited for, is failed"


def test_a_run_of_another_team_is_none(conn: Session) -> None:
    _, run_id = deferred(conn)
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'b')")
    deploy(conn, task("load"), dag_id="other", team_id=2)
    (other,) = trigger(conn, "other", team_id=2)
    conn.execute(
        "UPDATE run SET logical_date = (SELECT logical_date FROM run WHERE run_id = %s),"
        " state = 'success', ended_at = now() WHERE run_id = %s",
        [run_id, other],
    )
    assert transact(conn, look_up_waits) == 0
    conn.execute("DELETE FROM run WHERE run_id = %s", [other])


@pytest.mark.parametrize("what", ["cancel", "clear", "mark"])
def test_a_persons_command_ends_it_with_its_wait(conn: Session, what: str) -> None:
    scheduler, run_id = deferred(conn)
    chosen = Selection(tasks=frozenset({"a"}))
    if what == "cancel":
        transact(conn, commands.cancel, 1, run_id, graphs(scheduler), ANN)
    elif what == "clear":
        transact(conn, commands.clear, 1, run_id, chosen, graphs(scheduler), ANN)
    else:
        event = Event.MARK_SUCCESS
        transact(conn, commands.mark, 1, run_id, chosen, event, graphs(scheduler), ANN)
    ended = conn.execute("SELECT state, cause, ended_at IS NULL FROM attempt").fetchall()
    assert ended == [("cancelled", "cancelled", False)]
    assert value(conn, "SELECT count(*) FROM wait") == 0
    scheduler.tick()
    scheduler.tick()
    expected = {"cancel": "cancelled", "clear": "queued", "mark": "success"}
    assert states(conn, run_id) == {"a": expected[what]}


WRONG = {
    "no wait": None,
    "a kind that nobody ends": Deferral("moon"),
    "no time": Deferral("time"),
    "no run": Deferral("run", b'{"dag": "x"}'),
    "no zone": Deferral("run", b'{"dag": "x", "date": "2026-01-01T00:00:00", "states": []}'),
    "no JSON": Deferral("time", delay_s=1.0, kwargs=b"{"),
    "too much": Deferral("time", delay_s=1.0, kwargs=b'"' + b"x" * 300_000 + b'"'),
    "no number": Deferral("time", delay_s=float("nan")),
    "no character": Deferral("time", delay_s=1.0, method="\0"),
    "no end": Deferral("time", delay_s=1.0, overdue="later"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_an_agent_sends_and_nobody_can_end_fails_the_attempt(conn: Session, name: str) -> None:
    deploy(conn, task("a", retries=1))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    wait = WRONG[name]
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "deferred", "deferral": wait}))
    assert states(conn, run_id) == {"a": "failed"}
    assert value(conn, "SELECT cause FROM attempt") == "deferral"


def test_a_long_delay_stays_in_the_calendar(conn: Session) -> None:
    _, run_id = deferred(conn, Deferral("time", delay_s=1e300, timeout_s=1e300))
    assert value(conn, "SELECT wake_at < 'infinity' FROM task_instance WHERE run_id = %s", run_id)


def test_a_late_report_of_its_process_changes_nothing(conn: Session) -> None:
    scheduler, run_id = deferred(conn, HOUR)
    late = Ended(1, AttemptKey(run_id, "a", -1, 1), "token1", "success", "")
    from headway.executors.base import Envelope

    body = msgspec.msgpack.encode(late)
    scheduler.tick(Envelope(1, run_id, translate.report(late), body))
    assert states(conn, run_id) == {"a": "deferred"}
