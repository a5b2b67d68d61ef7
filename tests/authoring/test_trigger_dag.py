"""``trigger_dag`` without a server: what it asks for, and what is told of mistakes.

``tests/cli/test_triggering.py`` starts runs.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from headway import DAG, dag, task, trigger_dag
from headway.authoring import secrets
from headway.authoring.operators.trigger_dag import RunNotStarted
from headway.authoring.run import Fail
from headway.testing import RunResult, run_dag

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Server:
    """What would be asked, and the answers to it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.exists = False
        self.refusal = ""

    def __call__(self, kind: str, text: str) -> str:
        assert kind == "runs"
        self.asked.append(msgspec.json.decode(text))
        if self.refusal:
            raise secrets.SecretRefused(self.refusal)
        answer = {"run_id": "r1", "logical_date": NOON, "exists": self.exists}
        return msgspec.json.encode(answer).decode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(secrets, "ask", server)
    return server


def ran(**given: Any) -> RunResult:
    with DAG("d") as made:
        trigger_dag("t", **given)
    return run_dag(made, logical_date=NOON)


def error_of(**given: Any) -> BaseException:
    error = ran(**given)["t"].error
    assert error is not None
    return error


def test_it_asks_for_a_run_with_what_the_file_says(server: Server) -> None:
    found = ran(
        dag_id="load",
        params={"day": "{{ ds }}", "size": 3},
        logical_date="{{ logical_date }}",
        note="for {{ dag_id }}",
        given_id="load-{{ ds }}",
        partition="{{ ds }}",
    )
    assert found["t"].value == {"dag_id": "load", "run_id": "r1"}
    (asked,) = server.asked
    assert asked == {
        "ask": "start",
        "dag_id": "load",
        "run_id": "load-2026-05-04",
        "params": {"day": "2026-05-04", "size": 3},
        "logical_date": NOON.isoformat(),
        "note": "for d",
        "partition": "2026-05-04",
        "again": False,
    }


def test_each_attempt_of_each_instance_starts_a_run_of_its_own(server: Server) -> None:
    @dag
    def many() -> None:
        trigger_dag.partial("each", dag_id="load").expand(params=[{"n": 1}, {"n": 2}])
        trigger_dag("one", dag_id="load")

    run_dag(many)
    assert sorted(asked["run_id"] for asked in server.asked) == [
        "test/each[0]/1",
        "test/each[1]/1",
        "test/one/1",
    ]


def test_the_end_of_the_run_is_the_result(server: Server) -> None:
    @dag
    def waits() -> None:
        @task
        def told(run: dict[str, Any]) -> Any:
            return run["state"]

        told(trigger_dag("t", dag_id="load", wait=True))

    assert run_dag(waits)["told"].value == "success"


@pytest.mark.parametrize(
    ("how", "state"),
    [("use", "success"), ("again", "success"), ("skip", "skipped"), ("fail", "failed")],
)
def test_a_run_that_exists_already(server: Server, how: str, state: str) -> None:
    server.exists = True
    assert ran(dag_id="load", given_id="x", if_exists=how)["t"].state == state
    assert server.asked[0]["again"] == (how == "again")


def test_a_refusal_is_an_error_that_a_retry_may_mend(server: Server) -> None:
    server.refusal = "the team a has no DAG 'load'"
    error = error_of(dag_id="load")
    assert (type(error), str(error)) == (RunNotStarted, server.refusal)


def test_without_a_server_nothing_is_started() -> None:
    assert ran(dag_id="load")["t"].value == {"dag_id": "load", "run_id": "test"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"dag_id": ""}, "dag_id must be the id of a DAG, not ''"),
        ({"dag_id": "@/x"}, "the DAG id '@/x'"),
        ({"dag_id": "x", "if_exists": "no"}, "if_exists must be one of use, again, skip, fail"),
        ({"dag_id": "x", "params": [1]}, "params must be a dict, not list"),
        ({"dag_id": "x", "logical_date": "soon"}, "logical_date must be a date in ISO format"),
        ({"dag_id": "x", "wait": True, "states": ["done"]}, "'done' is not a state of a run"),
        ({"dag_id": "x", "wait": True, "timeout": "soon"}, "timeout must be a timedelta"),
        ({"dag_id": "x", "note": 3}, "note must be a string, not int"),
        ({"dag_id": "x", "given_id": "{{ '' }}"}, "given_id must not be empty"),
    ],
)
def test_a_mistake_is_told_before_a_run_is_started(
    server: Server, given: dict[str, Any], why: str
) -> None:
    error = error_of(**given)
    assert server.asked == []
    assert isinstance(error, Fail)
    assert why in str(error)
