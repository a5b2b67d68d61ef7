"""DAGs with ``fail_fast`` end as in Airflow, whose own runs of the same DAGs are recorded (``bench/airflow``).

Documented difference: Airflow calls a run successful whose failure has tasks below it, because these are skipped.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from bench.airflow.fail_fast_cases import cases
from bench.airflow.setup_cases import Steps

from headway import DAG
from headway.core.states import State
from headway.testing import run_dag
from tests.authoring.test_setups_beside_airflow import WORDS

RECORDS: Final = Path(__file__).parents[2] / "bench" / "airflow" / "fail_fast.json"
RECORDED: Final[dict[str, Any]] = json.loads(RECORDS.read_text())["dags"]
CASES: Final = dict(cases())


def test_every_case_is_recorded() -> None:
    assert RECORDED.keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_as_in_airflow(name: str) -> None:
    with DAG(name, fail_fast=True) as dag:
        CASES[name](WORDS, Steps(WORDS))
    result, recorded = run_dag(dag), RECORDED[name]
    assert {name: str(task.state) for name, task in result.tasks.items()} == recorded["tasks"]
    deciding = [task.task_id for task in dag.spec("cases.py").tasks if task.decides_outcome]
    failed = any(result[task_id].state is State.FAILED for task_id in deciding)
    assert str(result.state) == ("failed" if failed else recorded["state"])
