"""Airflow's human-in-the-loop operators, run by Airflow's own task runner: people answer, or the clock does."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headway import wire
from headway.client import Client, client_of
from headway.config import Layout
from tests.airflow.conftest import DAGS
from tests.cli.conftest import copy_data, start, stop, wait_for_dag, wait_until

pytestmark = pytest.mark.long

OPEN = {"sign", "branch", "entry"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("asked")
    copy_data(data, folder)
    (folder / "dags").mkdir()
    shutil.copy(DAGS / "asked.py", folder / "dags")
    process = start(folder)
    try:
        with closing(client_of(Layout(folder / ".headway"))) as client:
            wait_for_dag(folder / ".headway", "asked")
            yield client
    finally:
        stop(process)


def test_operators_that_ask_go_on_with_the_answer(client: Client) -> None:
    run_id = client.trigger("asked", wire.TriggerRequest()).run_id
    wait_until(lambda: {each.task_id for each in client.questions()} == OPEN, "not asked")
    asked = {each.task_id: each for each in client.questions()}
    assert {name: each.ask for name, each in asked.items()} == {
        "sign": "approve",
        "branch": "choose",
        "entry": "ask",
    }
    assert asked["sign"].body == "It is *new*."
    assert asked["sign"].subject.startswith("Release ")
    (param,) = asked["entry"].params
    assert (param.name, param.type, param.default, param.schema) == (
        "count",
        "integer",
        3,
        {"minimum": 1},
    )
    client.answer(run_id, "sign", wire.AnswerRequest(chosen_options=["Reject"]))
    client.answer(run_id, "branch", wire.AnswerRequest(chosen_options=["there"]))
    client.answer(run_id, "entry", wire.AnswerRequest(params_input={"count": 7}))
    client.run(run_id, wait_s=60)
    states = {each.task_id: each.state for each in client.instances(run_id)}
    assert states == {
        "sign": "success",
        "publish": "skipped",
        "branch": "success",
        "go_here": "skipped",
        "go_there": "success",
        "entry": "success",
        "read": "success",
        "default": "success",
        "told": "success",
        "late": "failed",
    }
    found = {x.task_id: x.value for x in client.xcoms(run_id) if x.key == "return_value"}
    assert found["entry"]["chosen_options"] == ["OK"]
    assert "sign" not in found  # as in Airflow, where skipping ends the task before it returns
    detail = client.instance(run_id, "late", -1).history[0].detail
    assert detail is not None
    assert "HITLTimeoutError" in detail
