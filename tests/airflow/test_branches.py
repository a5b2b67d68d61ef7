"""Mapped branches and branches in mapped groups end as in Airflow, whose own runs of the same file are recorded
(``bench/airflow/record_branches.py``), without two mistakes of Airflow 3.2 and 3.3, which run what was not chosen.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
from bench.airflow import record, support
from bench.airflow.support import Ran

from headway import wire
from headway.client import Client
from headway.frontends.airflow.answers import CHOICE, skipped_by
from tests.airflow.releases import IS_NEWEST, RECORDED
from tests.authoring.test_drawn_beside_airflow import folded
from tests.cli.conftest import wait_until

FILE: Final = Path(support.HERE, "dags", "branches.py")
RECORDS: Final[dict[str, Any]] = json.loads(Path(support.HERE, "branches.json").read_text())["dags"]


# What differs on purpose: words of docs/from-airflow.md, and the task instances.
ON_PURPOSE: Final = {
    "branches_group_gate_and_rules": ("A short circuit skips all tasks below it", {"g.b[1]"}),
}


@pytest.mark.long
@pytest.mark.skipif(not IS_NEWEST, reason=RECORDED)
def test_they_end_as_in_airflow(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    shutil.copy(FILE, tmp_path / "dags")
    ended = all_run(tmp_path)
    assert ended.keys() == RECORDS.keys()
    found = {dag_id: differences(dag_id, ran) for dag_id, ran in ended.items()}
    assert {dag_id: set(each) for dag_id, each in found.items() if each} == {
        dag_id: names for dag_id, (_, names) in ON_PURPOSE.items()
    }


def test_what_differs_on_purpose_is_told() -> None:
    page = Path(support.PAGE.parent, "from-airflow.md").read_text()
    assert [words for words, _ in ON_PURPOSE.values() if words not in page] == []


def test_what_airflow_does_by_mistake_is_recorded_beside_what_it_means() -> None:
    """Only where a DAG is told to run otherwise: branches in mapped groups, and those mapped by a decorator."""
    other = {dag_id for dag_id, each in RECORDS.items() if "fixed" in each}
    assert len(other) >= 30
    assert {dag_id.split("_")[1] for dag_id in other} == {"group", "decorated"}


@pytest.mark.parametrize(
    ("told", "out"),
    [
        ({"followed": ["a"]}, {"b"}),
        ({"followed": []}, {"a", "b"}),
        ({"skipped": ["b", "further_down"]}, {"b"}),
        ({"followed": 7, "skipped": None}, None),
        ({"skipped": [{}, ["a"], "a"]}, {"a"}),
        ({}, None),
        ("what a task pushes", None),
        (None, None),
    ],
)
def test_a_mapped_instance_tells_its_choice_by_an_xcom(told: object, out: set[str] | None) -> None:
    assert skipped_by({CHOICE: told}, ["a", "b"]) == out


def all_run(folder: Path) -> dict[str, Ran]:
    """Run all at once. Returns how they ended, by id."""
    with support.server(folder) as client:
        wait_until(
            lambda: {each.dag_id for each in client.dags()} >= RECORDS.keys(),
            "the file was not loaded",
        )
        asked = wire.TriggerRequest(logical_date=record.DATE.isoformat())
        run_ids = {dag_id: client.trigger(dag_id, asked).run_id for dag_id in RECORDS}
        return {dag_id: ended(client, run_id) for dag_id, run_id in run_ids.items()}


def ended(client: Client, run_id: str) -> Ran:
    state = "running"
    while state in ("queued", "running"):
        state = client.run(run_id, wait_s=5).state
    return Ran(state, {support.named(each): each.state for each in client.instances(run_id)})


def differences(dag_id: str, ran: Ran) -> dict[str, tuple[str | None, str | None]]:
    recorded = RECORDS[dag_id].get("fixed", RECORDS[dag_id])
    theirs = {"the run": recorded["state"], **folded(recorded["tasks"], ran.tasks)}
    ours = {"the run": ran.state, **ran.tasks}
    return {
        name: (ours.get(name), theirs.get(name))
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    }
