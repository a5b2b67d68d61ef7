"""Drawn DAGs end as in Airflow, whose own runs of the same DAGs are recorded (``bench/airflow/record_drawn.py``).

What differs on purpose is a rule of ``ON_PURPOSE``, and is told in ``docs/from-airflow.md``.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from bench.airflow import drawn
from bench.airflow.drawn import Step

from headway.authoring.loading import load_file
from headway.testing import RunResult, run_dag

ROOT: Final = Path(__file__).parents[2]
RECORDS: Final = Path(os.environ.get("DRAWN", ROOT / "bench" / "airflow" / "drawn.json"))
RECORDED: Final[dict[str, Any]] = json.loads(RECORDS.read_text())["dags"]

States = Mapping[str, str]


def test_every_dag_is_recorded() -> None:
    assert RECORDED.keys() >= {str(number) for number in range(drawn.RECORDED)}
    states = {each["state"] for each in RECORDED.values() if "state" in each}
    assert states == {"success", "failed"}


@pytest.mark.parametrize("number", [int(number) for number in RECORDED])
def test_run_dag_ends_as_airflow(number: int, tmp_path: Path) -> None:
    recorded = RECORDED[str(number)]
    file = tmp_path / f"drawn_{number}.py"
    file.write_text(drawn.text(number, airflow=False))
    (dag,) = load_file(file, tmp_path)
    result = run_dag(dag)
    assert differences(number, recorded, ends(result), str(result.state)) == {}


def ends(result: RunResult) -> dict[str, str]:
    return {
        name_of(task.task_id, each.map_index): str(each.state)
        for task in result.tasks.values()
        for each in task.instances
    }


def name_of(task_id: str, index: int) -> str:
    return task_id if index < 0 else f"{task_id}[{index}]"


def differences(
    number: int, recorded: Mapping[str, Any], ours: States, state: str
) -> dict[str, tuple[str | None, str | None]]:
    """Return what differs without a purpose: by task instance, our state and Airflow's.

    Below a task that differs on purpose, tasks and the run differ for that reason.
    """
    theirs = folded(recorded["tasks"], ours)
    found = {
        name: (ours.get(name), theirs.get(name))
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    }
    steps = drawn.steps(number)
    explained: set[Step] = set()
    for step in steps:
        mine = {name: each for name, each in found.items() if is_of(step, name)}
        meant = all(
            any(rule(step, *each) for rule in ON_PURPOSE.values()) for each in mine.values()
        )
        if (mine and (meant or explained.intersection(step.upstream))) or explained.intersection(
            step.upstream
        ):
            explained.add(step)
    left = {
        name: each
        for name, each in found.items()
        if not any(is_of(step, name) for step in explained)
    }
    if state != recorded["state"] and not explained:
        left["the run"] = (state, recorded["state"])
    return left


def is_of(step: Step, name: str) -> bool:
    return name.partition("[")[0] in (
        step.task_id,
        f"{step.task_id}.first",
        f"{step.task_id}.second",
    )


def folded(theirs: States, ours: States) -> dict[str, str]:
    """Fold instances of a mapped task that never ran into one, where the other side has one.

    Airflow makes those of a literal list at once, Headway when the task may run; those of a mapped group Headway makes
    together, Airflow task by task.
    """
    found = dict(theirs)
    for one, many, makes in ((ours, theirs, True), (theirs, ours, False)):
        for name, state in one.items():
            same = [other for other in many if "[" not in name and other.startswith(f"{name}[")]
            if name in many or not same or {many[other] for other in same} != {state}:
                continue
            for other in same if makes else [name]:
                del found[other]
            found |= {name: state} if makes else dict.fromkeys(same, state)
    return found


def above_all(step: Step) -> set[Step]:
    return {each for above in step.upstream for each in (above, *above_all(above))}


def left_out(step: Step, ours: str | None, theirs: str | None) -> bool:
    """A branch leaves out a task also if its rule needs nobody; in Airflow that one may have run before."""
    choosing = any(each.kind in ("branch", "gate") for each in above_all(step))
    return step.rule == "always" and choosing


def mapped_early(step: Step, ours: str | None, theirs: str | None) -> bool:
    """A task that is mapped over a result waits for it, also with a rule that is met before."""
    early = step.rule.startswith("one_")
    return isinstance(step.over, Step) and early and theirs == "upstream_failed"


def failure_not_hidden(step: Step, ours: str | None, theirs: str | None) -> bool:
    """all_success waits for all upstream tasks, so that an earlier skip hides no failure."""
    rule = "all_success" if step.kind != "work" else step.rule
    return rule == "all_success" and (ours, theirs) == ("upstream_failed", "skipped")


ON_PURPOSE: Final[Mapping[str, Callable[[Step, str | None, str | None], bool]]] = {
    "waits for all upstream tasks before it skips": failure_not_hidden,
    "A branch leaves out a task with `always`, too": left_out,
    "A task that is mapped over a result waits for it": mapped_early,
}


def test_what_differs_on_purpose_is_told() -> None:
    page = (ROOT / "docs" / "from-airflow.md").read_text()
    assert [words for words in ON_PURPOSE if words not in page] == []
