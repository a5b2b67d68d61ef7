"""A drawn DAG is the same from Airflow's file as from Headway's (``bench/airflow/drawn``): so it ends the same."""

from pathlib import Path
from typing import Any, Final

import pytest
from bench.airflow import drawn
from bench.airflow.drawn_records import RECORDED

from headway.loader.check import check
from headway.spec.model import Dag
from tests.authoring.test_drawn_beside_airflow import is_unseen

DAGS: Final = 40
# Has an arrow from a group of nothing but a setup and a teardown: Airflow draws it from the group around that.
FROM_SETUPS: Final = {800}
FIELDS: Final = (
    *("trigger_rule", "retries", "branch", "skips_all_below", "decides_outcome", "setup"),
    *("teardown", "group"),
)


def tasks(dag: Dag) -> dict[str, Any]:
    return {
        task.task_id: [upstream_of(dag, task.task_id), *(getattr(task, word) for word in FIELDS)]
        for task in dag.tasks
    }


def upstream_of(dag: Dag, task_id: str) -> set[str]:
    """Return its upstream tasks. In Airflow, those of a mapped group are upstream of what receives the item, too."""
    task = next(each for each in dag.tasks if each.task_id == task_id)
    group = task.mapping.group if task.mapping else ""
    inside = {each for each in task.upstream if group and each.startswith(f"{group}.")}
    return inside or set(task.upstream)


@pytest.mark.long
@pytest.mark.parametrize(
    "numbers",
    [
        range(DAGS),
        pytest.param(range(drawn.RECORDED, drawn.ALL), marks=pytest.mark.stress),
    ],
    ids=["first", "all"],
)
def test_both_files_give_the_same_tasks(numbers: range, tmp_path: Path) -> None:
    found = {}
    wanted = [number for number in numbers if is_alike(number)]
    for airflow in (True, False):
        folder = tmp_path / str(airflow)
        folder.mkdir()
        for number in wanted:
            (folder / f"drawn_{number}.py").write_text(drawn.text(number, airflow=airflow))
        found[airflow] = {each.file: each.dags for each in check(folder)}
    assert len(found[True]) == len(wanted)
    assert 2 * len(wanted) > len(numbers)
    for file, (theirs,) in found[True].items():
        (ours,) = found[False][file]
        assert tasks(theirs) == tasks(ours), file


def is_alike(number: int) -> bool:
    """Return whether Airflow draws the arrows that Headway draws: some of a ``with`` block it does not."""
    unseen = any(map(is_unseen, drawn.steps(number)))
    return "state" in RECORDED[number] and not unseen and number not in FROM_SETUPS
