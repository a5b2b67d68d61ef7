"""Ends that an agent reports (XC1, XC2, XC3, XC7, XC8): taken once, with the token of the live attempt."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from headway.actions import commands
from headway.agent.protocol import Ended, Grant, Grants, XComValue
from headway.engine.scheduler import Scheduler
from headway.store.transact import transact
from tests.scenarios.test_deliveries import greeted
from tests.scenarios.test_gateway import Peer, scheduler
from tests.scenarios.world import ANN, deploy, run_state, states, task, trigger, value

__all__ = ["scheduler"]

RESULT = XComValue("return_value", b"1", None, 1)


def granted(scheduler: Scheduler, agent: Peer) -> list[Grant]:
    scheduler.tick()
    scheduler.sweep()
    return [grant for message in agent.of(Grants) for grant in message.grants]


def settle(scheduler: Scheduler) -> None:
    for _ in range(3):
        scheduler.tick()


def attempts(conn: Connection[Any]) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT task_id, state FROM attempt ORDER BY task_id, queued_at, state"
    ).fetchall()


def test_an_end_needs_the_token_of_its_own_attempt(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x"), task("y"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    one, other = sorted(granted(scheduler, agent), key=lambda grant: grant.key.task_id)
    before = attempts(conn)
    for seq, token in enumerate((other.token, "", "guessed", one.token[:-1]), 1):
        agent.say(Ended(seq, one.key, token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert attempts(conn) == before
    assert value(conn, "SELECT count(*) FROM xcom") == 0
    agent.say(Ended(9, one.key, one.token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert states(conn, run_id)["x"] == "success"
    assert value(conn, "SELECT count(*) FROM xcom") == 1


def test_an_end_is_one_event_however_often_and_late_it_comes(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x"), task("y", "x"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (grant,) = granted(scheduler, agent)
    end = Ended(1, grant.key, grant.token, "success", "", xcoms=[RESULT])
    agent.say(end)
    settle(scheduler)
    told = value(conn, "SELECT count(*) FROM event WHERE task_id = 'x'")
    for number in range(100):
        agent.say(replace(end, seq=1 + number % 3))
        agent.say(replace(end, seq=2, outcome="failed", xcoms=[]))
    settle(scheduler)
    assert states(conn, run_id)["x"] == "success"
    assert value(conn, "SELECT count(*) FROM event WHERE task_id = 'x'") == told
    assert value(conn, "SELECT value::text FROM xcom") == "1"


def test_the_token_of_the_attempt_before_ends_nothing(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x", retries=1, retry_delay_s=0.0))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (first,) = granted(scheduler, agent)
    agent.say(Ended(1, first.key, first.token, "failed", "exception"))
    second = first
    while (
        second.key == first.key
    ):  # it is ready for its retry at an instant of the database's clock
        second = granted(scheduler, agent)[-1]
    before = attempts(conn)
    agent.say(Ended(2, first.key, first.token, "success", "", xcoms=[RESULT]))
    agent.say(Ended(3, second.key, first.token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert attempts(conn) == before
    assert value(conn, "SELECT count(*) FROM xcom") == 0
    agent.say(Ended(4, second.key, second.token, "success", ""))
    settle(scheduler)
    assert states(conn, run_id)["x"] == "success"


def test_a_cancelled_run_does_not_succeed_afterwards(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x"), task("y", "x"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (grant,) = granted(scheduler, agent)
    transact(conn, commands.cancel, 1, run_id, scheduler.ticker.catalog.graph, ANN)
    agent.say(Ended(1, grant.key, grant.token, "cancelled", "cancelled"))
    settle(scheduler)
    assert run_state(conn, run_id) == "cancelled"
    agent.say(Ended(2, grant.key, grant.token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert (run_state(conn, run_id), states(conn, run_id)) == (
        "cancelled",
        {"x": "cancelled", "y": "cancelled"},
    )
    assert value(conn, "SELECT count(*) FROM xcom") == 0
