"""Setups and teardowns end as in Airflow, whose own runs of the same DAGs are recorded (``bench/airflow``)."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from bench.airflow.setup_cases import Steps, cases

import headway
from headway import DAG
from headway.core import commands
from headway.core.commands import Selection
from headway.core.states import Event
from headway.testing import run_dag
from tests.core.build import Story

RECORDS: Final = Path(__file__).parents[2] / "bench" / "airflow" / "setups.json"
RECORDED: Final[dict[str, Any]] = json.loads(RECORDS.read_text())["dags"]
CASES: Final = dict(cases())
WORDS: Final = SimpleNamespace(
    task=headway.task,
    setup=headway.setup,
    teardown=headway.teardown,
    task_group=headway.task_group,
    context_wrapper=headway.context_wrapper,
    Skip=headway.Skip,
)


def made(name: str) -> DAG:
    with DAG(name) as dag:
        CASES[name](WORDS, Steps(WORDS))
    return dag


def test_every_case_is_recorded() -> None:
    assert RECORDED.keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_as_in_airflow(name: str) -> None:
    dag, recorded = made(name), RECORDED[name]
    spec = dag.spec("cases.py")
    assert {task.task_id: sorted(task.upstream) for task in spec.tasks} == recorded["upstream"]
    result = run_dag(dag)
    assert {name: str(task.state) for name, task in result.tasks.items()} == recorded["tasks"]
    assert str(result.state) == recorded["state"]


@pytest.mark.parametrize("how", ["", "downstream", "upstream"])
def test_a_clear_takes_along_what_it_does_in_airflow(how: str) -> None:
    for name in CASES:
        spec = made(name).spec("cases.py")
        story = Story(*spec.tasks).begin()
        commands.mark(story.run, list(story.run.all()), Event.MARK_SUCCESS, "user:ann")
        for task, recorded in RECORDED[name]["clears"][how].items():
            asked = Selection(
                tasks=frozenset([task]), upstream=how == "upstream", downstream=how == "downstream"
            )
            cleared = sorted(str(each) for each in commands.select(story.run, asked))
            assert cleared == recorded, f"{name}: {task}"
