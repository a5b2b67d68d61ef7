"""What one run, one DAG or one agent brings must not stop the scheduler that all share: it costs that one,
says why, and the others go on.
"""

from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from psycopg import Connection, errors

from headway.agent.protocol import AttemptKey, Ended, Hello
from headway.engine import timetables
from headway.engine.failing import Failing
from headway.executors.agents import translate
from headway.store import sessions
from tests.agent_tokens import SECRET
from tests.scenarios.test_links import connect, grants_in, heard, process
from tests.scenarios.world import deploy, run_state, states, task, trigger, value
from tests.simulation.line import Line
from tests.simulation.process import Process, gateway_of

PAST = datetime(2020, 1, 1, tzinfo=UTC)

__all__ = ["process"]


def test_an_attempt_that_cannot_be_handed_out_costs_its_run(
    conn: Connection[Any], process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(conn, task("a"))
    bad, good = trigger(conn, "d", "k1", "k2")
    made = translate.context

    def context(row: Any, *rest: Any) -> Any:
        if row.run_id == bad:
            raise OverflowError("this cannot be said")
        return made(row, *rest)

    monkeypatch.setattr(translate, "context", context)
    line = connect(process, [])
    (grant,) = grants_in(heard(process, line, rounds=3)).grants
    assert grant.key.run_id == good
    line.tell(Ended(1, grant.key, grant.token, "success", ""))
    heard(process, line)
    assert (run_state(conn, good), states(conn, bad)) == ("success", {"a": "up_for_retry"})
    ended = conn.execute("SELECT state, detail FROM attempt WHERE run_id = %s", [bad]).fetchall()
    why = "cannot send the attempt to an agent: OverflowError: this cannot be said"
    assert ended == [("lost", why)]
    assert process.deaths == 0


@pytest.mark.parametrize("broken", ["janitor", "create_due", "expire", "intended"])
def test_a_step_of_a_sweep_that_fails_keeps_no_other_from_being_done(
    conn: Connection[Any], process: Process, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """The agent's heartbeat is answered and its work goes on, whichever step of a sweep fails."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("data of somebody")

    assert process.scheduler is not None
    if broken == "janitor":
        process.scheduler.janitor = mock.Mock(turn=fail)
    elif broken == "create_due":
        monkeypatch.setattr(timetables, "create_due", fail)
    elif broken == "expire":
        monkeypatch.setattr(process.scheduler, "expire", fail)
    else:
        monkeypatch.setattr(sessions, "intended", fail)
    deploy(conn, task("a"))
    line = connect(process, [])
    (run_id,) = trigger(conn)
    (grant,) = grants_in(heard(process, line)).grants
    line.tell(Ended(1, grant.key, grant.token, "success", ""))
    process.scheduler.sweep()
    heard(process, line)
    assert run_state(conn, run_id) == "success"
    assert process.deaths == 0


def test_a_timetable_whose_run_the_database_refuses_costs_its_dag(
    conn: Connection[Any], owner_conn: Connection[Any], process: Process
) -> None:
    minutely = {"cron": "* * * * *"}
    for dag_id in ("bad", "good"):
        deploy(conn, task("a"), dag_id=dag_id, schedule=minutely, start_date=PAST)
    owner_conn.execute("ALTER TABLE run ADD CHECK (dag_id <> 'bad')")
    assert process.scheduler is not None
    for _ in range(3):
        process.scheduler.sweep()
    assert value(conn, "SELECT count(*) FROM run WHERE dag_id = 'good'") > 0
    assert value(conn, "SELECT next_fire_at > now() FROM dag WHERE dag_id = 'bad'") is True
    assert process.deaths == 0


@pytest.mark.parametrize(
    "message",
    [
        Ended(1, AttemptKey("r\0", "a", -1, 1), "t", "success", ""),
        Ended(1, AttemptKey("r", "a\0", -1, 1), "t", "success", ""),
        Ended(1, AttemptKey("r", "a", 2**31, 1), "t", "success", ""),
        Ended(1, AttemptKey("r", "a", -1, 1), "t", "success", "", line=2**40),
        Hello("s2\0", "agent", SECRET, 4, 4, "host", 1, []),
        Hello("s2", "agent\0", SECRET, 4, 4, "host", 1, []),
        Hello("s2", "agent", SECRET, 2**40, 4, "host", 1, []),
    ],
)
def test_a_message_that_nobody_could_mean_costs_its_connection(
    conn: Connection[Any], process: Process, message: Any
) -> None:
    deploy(conn, task("a"))
    good = connect(process, [])
    heard(process, good)
    bad = Line()
    process.listener.waiting.append(bad)
    if not isinstance(message, Hello):
        bad.tell(Hello("s2", "other", SECRET, 0, 0, "host", 2, []))
    bad.tell(message)
    heard(process, good, rounds=3)
    assert process.scheduler is not None
    assert set(gateway_of(process.scheduler).links) == {"s1"}
    (run_id,) = trigger(conn)
    (grant,) = grants_in(heard(process, good)).grants
    good.tell(Ended(1, grant.key, grant.token, "success", ""))
    heard(process, good)
    assert run_state(conn, run_id) == "success"
    assert process.deaths == 0


def test_a_row_that_is_too_large_is_looked_for_and_a_full_disk_is_not() -> None:
    """psycopg counts both among the errors that pass."""
    failing = Failing()
    failing.planned = [(1, "a"), (1, "b")]
    failing.failed(errors.DiskFull())
    assert failing.suspects == []
    failing.failed(errors.ProgramLimitExceeded())
    assert failing.suspects == [(1, "a"), (1, "b")]
