"""Retry rules on the real transactions: what an agent tells of an end decides, and people see why."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from subprocess import CalledProcessError
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway import DAG, Fail, python
from headway import RetryRule as RetryRuleOfFile
from headway.agent import protocol
from headway.agent.protocol import AttemptKey, Ended, RetryFacts
from headway.authoring.exceptions import classes_of, exit_code_of
from headway.core.reports import Ended as Report
from headway.core.retry import Ruled
from headway.executors.agents import translate
from headway.executors.base import Grant
from headway.spec.model import RetryRule
from headway.store.transact import Session, transact
from headway.store.views import run_tasks
from headway.store.views.memory import Memory
from headway.testing import run_dag
from tests.scenarios.world import Behaviour, Scheduler, deploy, states, task, trigger, value

OS_ERROR = RetryFacts(["requests.ConnectionError", "builtins.OSError", "builtins.Exception"])
POLICY = (
    RetryRule(exceptions=("builtins.OSError",), retries=3, retry_delay_s=60, reason="it naps"),
    RetryRule(exceptions=("builtins.ValueError",), retries=0),
    RetryRule(exit_codes=(75, 137), retries=2, retry_delay_s=30),
    RetryRule(causes=("timeout",), retries=1, retry_delay_s=30),
    RetryRule(causes=("oom",), retries=2, retry_delay_s=30),
)
RULED = task("a", retries=1, retry_delay_s=30, retry_policy=POLICY)


def always(**end: Any) -> Behaviour:
    return lambda _: {"outcome": "failed", "detail": "no", **end}


@pytest.mark.parametrize(
    ("end", "attempts", "by"),
    [
        ({"facts": OS_ERROR}, 4, Ruled(1, "builtins.OSError", None, "it naps")),
        ({"facts": RetryFacts(["builtins.ValueError"])}, 1, Ruled(2, "builtins.ValueError")),
        ({"cause": "exit_code", "exit_code": 75}, 3, Ruled(3, "", 75)),
        ({"cause": "signal", "exit_code": -9}, 3, Ruled(3, "", 137)),
        ({"cause": "timeout"}, 2, Ruled(4, "timeout")),
        ({"cause": "memory"}, 3, Ruled(5, "memory")),
        ({"facts": RetryFacts(["builtins.KeyError"])}, 2, None),
        ({"cause": "exit_code", "exit_code": 1}, 2, None),
        ({"facts": OS_ERROR, "retry": False}, 1, None),
    ],
)
def test_a_task_is_tried_as_often_as_its_rules_say(
    conn: Session, end: dict[str, Any], attempts: int, by: Ruled | None
) -> None:
    deploy(conn, RULED)
    scheduler = Scheduler(conn)
    (run,) = trigger(conn)
    scheduler.play(always(**end), seconds_a_turn=61)
    assert states(conn, run) == {"a": "failed"}
    query = "SELECT attempts, failures, reason -> 'by' FROM task_instance WHERE run_id = %s"
    found = conn.execute(query, [run]).fetchone()
    assert found is not None
    assert found[:2] == (attempts, attempts)
    assert found[2] == (None if by is None else msgspec.to_builtins(by))


def test_a_loss_costs_nothing_whatever_the_rules_say(conn: Session) -> None:
    deploy(conn, RULED)
    scheduler = Scheduler(conn)
    (run,) = trigger(conn)
    ends = iter(["lost", "lost", "failed", "lost", "failed"])

    def behaves(_: Grant) -> dict[str, Any]:
        facts = RetryFacts(["builtins.KeyError"])
        return {"outcome": next(ends, "success"), "cause": "timeout", "facts": facts}

    scheduler.play(behaves, seconds_a_turn=61)
    assert states(conn, run) == {"a": "failed"}
    query = (
        "SELECT attempts || ' ' || failures || ' ' || losses FROM task_instance WHERE run_id = %s"
    )
    assert value(conn, query, run) == "5 2 3"


def test_people_see_which_attempt_it_is_of_how_many(conn: Session) -> None:
    deploy(conn, RULED, task("b", retries=4))
    scheduler = Scheduler(conn)
    (run,) = trigger(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work(always(facts=OS_ERROR)))
    a, b = transact(conn, run_tasks.of_run, Memory(), run)
    assert (a.failures, a.retries, b.failures, b.retries) == (1, 3, 1, 4)
    assert a.reason == "no (retry 1 of 3 by retry rule 1 for OSError: it naps)"
    assert b.reason == "no"
    query = "SELECT wake_at FROM task_instance WHERE run_id = %s AND task_id = 'a'"
    left = value(conn, query, run) - scheduler.now
    assert timedelta(seconds=30) < left <= timedelta(seconds=60)


def test_people_see_the_retries_of_tasks_that_nobody_has_taken_up(conn: Session) -> None:
    """A run that is queued has no task instances yet."""
    deploy(conn, RULED, task("b", retries=4))
    (run,) = trigger(conn)
    assert value(conn, "SELECT count(*) FROM task_instance WHERE run_id = %s", run) == 0
    found = transact(conn, run_tasks.of_run, Memory(), run)
    assert [(each.counts, each.failures, each.retries) for each in found] == [
        ({}, 0, 1),
        ({}, 0, 4),
    ]


def test_the_delay_that_a_policy_in_the_task_asks_for(conn: Session) -> None:
    deploy(conn, task("a", retries=2, retry_delay_s=5))
    scheduler = Scheduler(conn)
    (run,) = trigger(conn)
    scheduler.tick()
    asked = RetryFacts([], 3_600.0, "rate limit")
    scheduler.tick(*scheduler.work(always(facts=asked)))
    query = "SELECT wake_at FROM task_instance WHERE run_id = %s"
    assert value(conn, query, run) - scheduler.now > timedelta(minutes=55)
    (found,) = transact(conn, run_tasks.of_run, Memory(), run)
    assert found.reason == "no (retry 1 of 2 by its retry policy: rate limit)"


def test_a_run_of_another_scheduler_gets_the_facts_by_the_inbox(conn: Session) -> None:
    """What is kept for later is the message itself."""
    deploy(conn, RULED)
    scheduler = Scheduler(conn)
    (run,) = trigger(conn)
    scheduler.tick()
    (told,) = scheduler.work(always(facts=OS_ERROR))
    again = translate.decode(told.body)
    assert again == told.report
    scheduler.tick(replace(told, report=again))
    assert states(conn, run) == {"a": "up_for_retry"}


ERRORS: dict[str, BaseException] = {
    "refused": ConnectionRefusedError("no"),
    "wrong": ValueError("no"),
    "other": KeyError("x"),
    "leaves": SystemExit(75),
    "program": CalledProcessError(-9, "sleep"),
    "fails": Fail("no use"),
    "interrupted": GeneratorExit(),
}


def test_run_dag_and_the_scheduler_agree(conn: Session) -> None:
    """On all that a task may raise, after what an agent would tell of it."""
    rules = [
        RetryRuleOfFile(ConnectionError, retries=3),
        RetryRuleOfFile([ValueError, GeneratorExit], retries=0),
        RetryRuleOfFile(exit_code=[75, 137], retries=2),
    ]
    with DAG("d", default_args={"retries": 1, "retry_policy": rules}) as flow:
        for name, error in ERRORS.items():
            python(task_id=name, python_callable=partial(throw, error))
    deploy(conn, *flow.spec("d.py").tasks)
    scheduler = Scheduler(conn)
    (run,) = trigger(conn)

    def ends(grant: Grant) -> dict[str, Any]:
        error = ERRORS[grant.instance.node.task_id]
        facts, retry = RetryFacts(classes_of(error)), not isinstance(error, Fail)
        return {
            "outcome": "failed",
            "exit_code": exit_code_of(error),
            "facts": facts,
            "retry": retry,
        }

    scheduler.play(ends, seconds_a_turn=301)
    query = "SELECT task_id, attempts FROM task_instance WHERE run_id = %s"
    in_process = run_dag(flow)
    expected = {name: in_process[name].attempts for name in ERRORS}
    assert dict(conn.execute(query, [run]).fetchall()) == expected
    assert expected == {
        "refused": 4,
        "wrong": 1,
        "other": 2,
        "leaves": 3,
        "program": 3,
        "fails": 1,
        "interrupted": 1,
    }


def throw(error: BaseException) -> None:
    raise error


# -- the wire


KEY = AttemptKey("r", "t", -1, 1)
ENDED = Ended(1, KEY, "token", "failed", "exception", facts=OS_ERROR)


def read(message: Any) -> Report:
    found = translate.decode(msgspec.msgpack.encode(message))
    assert isinstance(found, Report)
    return found


def test_an_agent_that_tells_no_facts_is_understood() -> None:
    """It is of a version that has no field for them."""
    fields = msgspec.to_builtins(ENDED)
    assert fields[-1] == [OS_ERROR.exceptions, None, ""]
    found = read(fields[:-1])
    assert (found.exceptions, found.retry_delay_s, found.retry_reason) == ((), None, "")
    found = read([*fields[:-1], []])
    assert (found.exceptions, found.retry_delay_s, found.retry_reason) == ((), None, "")
    waits = protocol.Found(KEY, None, "no", exceptions=["builtins.OSError"])
    assert translate.decode(msgspec.msgpack.encode(msgspec.to_builtins(waits)[:-1]))


def test_a_scheduler_that_knows_no_facts_understands_the_agent() -> None:
    """As all before it did: they take the fields that they know."""

    class Older(protocol.Message, frozen=True, tag="Ended"):
        seq: int
        key: AttemptKey
        token: str
        outcome: str

    found = msgspec.msgpack.decode(msgspec.msgpack.encode(ENDED), type=Older)
    assert found == Older(1, KEY, "token", "failed")


@pytest.mark.parametrize("asked", [float("nan"), float("inf"), -1.0, -float("inf")])
def test_a_delay_that_is_none_is_not_taken(asked: float) -> None:
    facts = RetryFacts([], asked, "soon")
    found = read(msgspec.structs.replace(ENDED, facts=facts))
    assert (found.retry_delay_s, found.retry_reason) == (None, "soon")


def test_what_an_agent_tells_is_bounded_and_can_be_stored() -> None:
    facts = RetryFacts(["x" * 10_000, "a\0b"] * 100, None, "\0" + "y" * 10_000)
    found = read(msgspec.structs.replace(ENDED, facts=facts))
    assert len(found.exceptions) == 20
    assert len(found.exceptions[0]) == 200
    assert len(found.retry_reason) == 500
    assert "\0" not in found.exceptions[1] + found.retry_reason


def test_an_agent_is_told_the_most_attempts_that_a_task_may_have(conn: Connection[Any]) -> None:
    deploy(conn, RULED)
    scheduler = Scheduler(conn)
    trigger(conn)
    (grant,) = scheduler.tick().grants
    node = grant.run.graph.nodes[0]
    assert translate.grant(grant.run, grant.instance, grant.attempt, "x").retries == 3
    assert node.retry.most == 3
