"""Results of tasks in other runs, without a server: what is asked, and what is told where there is none.

``tests/cli/test_triggering.py`` reads those of real runs.
"""

from typing import Any

import msgspec
import pytest

from headway import DAG, dag, run_result, task, trigger_dag
from headway.authoring import secrets
from headway.authoring.run import Fail
from headway.authoring.values import to_json
from headway.testing import run_dag

STARTED = {"dag_id": "load", "run_id": "r1"}


class Server:
    """Runs of the DAG ``load``: results by task, and instances as map index and state."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.results: dict[str, list[tuple[int, object]]] = {}
        self.instances: dict[str, list[tuple[int, str]]] | None = {}

    def __call__(self, kind: str, text: str) -> str:
        asked = msgspec.json.decode(text)
        self.asked.append((kind, asked))
        return msgspec.json.encode(self.answer(kind, asked)).decode()

    def answer(self, kind: str, asked: dict[str, Any]) -> object:
        if kind == "xcom":
            found = self.results.get(asked["task_id"], [])
            return [{"map_index": index, "value": value} for index, value in found]
        if asked["ask"] == "start":
            return {"run_id": "r1", "logical_date": "2026-05-04T12:00:00Z", "exists": False}
        if self.instances is None:
            return None
        (name,) = asked["task_ids"]
        known = self.instances.get(name, [])
        return [{"map_index": index, "state": state} for index, state in known]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(secrets, "ask", server)
    return server


def test_a_result_is_asked_for_by_run_and_task(server: Server) -> None:
    server.results = {"work": [(-1, {"rows": 7})]}
    assert run_result(STARTED, "work") == {"rows": 7}
    wanted = {"run_id": "r1", "task_id": "work", "key": "return_value", "map_index": None}
    assert server.asked == [("xcom", wanted)]


def test_values_are_those_that_the_task_returned(server: Server) -> None:
    """Not the JSON that stands for them."""
    server.results = {"work": [(-1, msgspec.json.decode(to_json({1, 2})))]}
    assert run_result(STARTED, "work") == {1, 2}


def test_of_a_mapped_task_it_is_the_list(server: Server) -> None:
    server.results = {"each": [(0, "a"), (2, "c")]}
    assert run_result(STARTED, "each") == ["a", "c"]
    server.results = {}
    server.instances = {"each": [(0, "success"), (1, "failed")]}
    assert run_result(STARTED, "each") == []


@pytest.mark.parametrize(
    ("instances", "why"),
    [
        (None, "there is no DAG 'load'"),
        ({}, "run r1 of load has no task 'work'"),
        ({"work": [(-1, "failed")]}, "'work' in run r1 of load is failed, so it has no result"),
        ({"work": [(-1, "skipped")]}, "is skipped, so it has no result"),
        ({"work": [(-1, "success")]}, "returned no result: it returned None"),
        ({"work": [(0, "failed"), (1, "skipped")]}, "no instance of 'work' in run r1"),
    ],
)
def test_a_missing_result_says_why(server: Server, instances: Any, why: str) -> None:
    server.instances = instances
    with pytest.raises(Fail, match=why):
        run_result(STARTED, "work")


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("r1", "takes the result of trigger_dag or wait_for_run"),
        ({"dag_id": "load"}, "run_id must be the id of a run of load, not None"),
        ({"dag_id": "@b/load", "run_id": "r1"}, "belong to the team b: no grant lets another team"),
    ],
)
def test_what_is_no_run_of_the_own_team_is_refused(server: Server, run: Any, why: str) -> None:
    with pytest.raises(Fail, match=why):
        run_result(run, "work")
    assert server.asked == []


def test_a_started_run_gives_the_result_of_a_task_or_of_several(server: Server) -> None:
    server.results = {"work": [(-1, 7)], "each": [(0, 1), (1, 2)]}

    @dag
    def parent() -> None:
        @task
        def use(one: int, both: dict[str, Any]) -> list[Any]:
            return [one, both]

        one = trigger_dag("one", dag_id="load", wait=True, result="work")
        both = trigger_dag("both", dag_id="load", wait=True, result=["work", "each"])
        use(one, both)

    found = run_dag(parent)
    assert found["use"].value == [7, {"work": 7, "each": [1, 2]}]


def test_each_of_a_mapped_start_has_its_own(server: Server) -> None:
    server.results = {"work": [(-1, 7)]}

    @dag
    def parent() -> None:
        @task
        def total(found: list[int]) -> int:
            return sum(found)

        sizes = [{"n": 1}, {"n": 2}]
        each = trigger_dag.partial("each", dag_id="load", wait=True, result="work")
        total(each.expand(params=sizes))

    assert run_dag(parent)["total"].value == 14


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"result": "work"}, "result needs wait=True"),
        ({"result": 3, "wait": True}, "result must be the id of a task of load, or a list of them"),
        ({"result": [], "wait": True}, "result must be the id of a task of load"),
        ({"result": "w", "wait": True, "dag_id": "@b/load"}, "belong to the team b"),
    ],
)
def test_a_mistake_is_told_before_a_run_is_started(
    server: Server, given: dict[str, Any], why: str
) -> None:
    with DAG("d") as made:
        trigger_dag("t", **{"dag_id": "load", **given})
    error = run_dag(made)["t"].error
    assert isinstance(error, Fail)
    assert why in str(error)
    assert server.asked == []


def test_in_a_unit_test_nothing_is_asked() -> None:
    assert run_result(STARTED, "work") is None
    with DAG("d") as made:
        trigger_dag("t", dag_id="load", wait=True, result="work")
    assert run_dag(made)["t"].value is None
