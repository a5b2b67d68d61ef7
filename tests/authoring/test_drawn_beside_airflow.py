"""Drawn DAGs end as in Airflow, whose own runs of the same DAGs are recorded (``bench/airflow/record_drawn.py``). The
first are in the suite; ``make drawn`` compares all.

What differs on purpose is a rule of ``ON_PURPOSE``, and is told in ``docs/from-airflow.md``.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from bench.airflow import drawn
from bench.airflow.drawn_records import RECORDED
from bench.airflow.drawn_steps import Step

from headway.authoring.loading import load_file
from headway.spec.errors import BadSpec
from headway.testing import RunResult, run_dag

ROOT: Final = Path(__file__).parents[2]
CHUNK: Final = 100
NEVER_RAN: Final = {"skipped", "upstream_failed"}

States = Mapping[str, str]


def test_every_dag_is_recorded() -> None:
    assert RECORDED.keys() == set(range(drawn.ALL))
    states = {each["state"] for each in RECORDED.values() if "state" in each}
    assert states == {"success", "failed"}


@pytest.mark.parametrize("number", range(drawn.RECORDED))
def test_run_dag_ends_as_airflow(number: int, tmp_path: Path) -> None:
    assert compared(number, tmp_path) == {}


@pytest.mark.stress
@pytest.mark.parametrize("first", range(drawn.RECORDED, drawn.ALL, CHUNK))
def test_run_dag_ends_as_airflow_with_all_words(first: int, tmp_path: Path) -> None:
    numbers = [each for each in range(first, first + CHUNK) if "state" in RECORDED[each]]
    found = {number: compared(number, tmp_path) for number in numbers}
    assert {number: each for number, each in found.items() if each} == {}


def compared(number: int, folder: Path) -> dict[str, tuple[str | None, str | None]]:
    file = folder / f"drawn_{number}.py"
    file.write_text(drawn.text(number, airflow=False))
    (dag,) = load_file(file, folder)
    try:
        result = run_dag(dag)
    except BadSpec:  # a task directly below a setup, which Airflow does not know of
        assert any(is_unseen(step) and step.rule != "all_success" for step in drawn.steps(number))
        return {}
    return differences(number, RECORDED[number], ends(result), str(result.state))


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
    before = -1
    while len(explained) > before:  # a teardown is drawn before what is in its block
        before = len(explained)
        explained |= {step for step in steps if is_explained(step, found, explained)}
    left = {
        name: each
        for name, each in found.items()
        if not any(is_of(step, name) for step in explained)
    }
    # With other arrows in a block, other tasks are the last ones, which decide.
    if state != recorded["state"] and not explained and not any(map(is_unseen, steps)):
        left["the run"] = (state, recorded["state"])
    return left


def is_explained(
    step: Step, found: Mapping[str, tuple[str | None, str | None]], explained: set[Step]
) -> bool:
    mine = [each for name, each in found.items() if is_of(step, name)]
    meant = all(any(rule(step, *each) for rule in ON_PURPOSE.values()) for each in mine)
    return bool(mine and meant) or not explained.isdisjoint(step.upstream)


def is_of(step: Step, name: str) -> bool:
    """Return whether it is an instance of the step, or of a task in the mapped group that the step is."""
    task_id = name.partition("[")[0]
    return task_id == step.task_id or task_id.startswith(f"{step.task_id}.")


def folded(theirs: States, ours: States) -> dict[str, str]:
    """Fold instances of a mapped task that never ran into one, where the other side has one.

    Airflow makes those of a literal list at once, Headway when the task may run; those of a mapped group Headway makes
    together, Airflow task by task.
    """
    found = dict(theirs)
    for one, many, makes in ((ours, theirs, True), (theirs, ours, False)):
        for name, state in one.items():
            same = [other for other in many if "[" not in name and other.startswith(f"{name}[")]
            states = {many[other] for other in same}
            if name in many or len(states) != 1 or not states | {state} <= NEVER_RAN:
                continue
            for other in same if makes else [name]:
                del found[other]
            found |= {name: states.pop()} if makes else dict.fromkeys(same, state)
    return found


def above_all(step: Step) -> set[Step]:
    found: set[Step] = set()
    left = [*step.upstream]
    while left:
        if (each := left.pop()) not in found:
            found.add(each)
            left += each.upstream
    return found


def left_out(step: Step, ours: str | None, theirs: str | None) -> bool:
    """A branch leaves out a task whatever happens before it chooses: in Airflow it may have run, or have failed, by
    then.
    """
    choosing = any(each.kind in ("branch", "gate") for each in above_all(step))
    late = (ours, theirs) == ("skipped", "upstream_failed")
    return choosing and (late or step.rule in EARLY)


def mapped_early(step: Step, ours: str | None, theirs: str | None) -> bool:
    """A task that is mapped over a result waits for it, also with a rule that is met before."""
    early = step.rule.startswith("one_")
    return isinstance(step.over, Step) and early and theirs in ("upstream_failed", None)


def waits_for_what_it_takes(step: Step, ours: str | None, theirs: str | None) -> bool:
    """A task waits for the results that it is handed, also with a rule that is met before."""
    return step.rule in EARLY and bool(step.takes) and (ours, theirs) == ("success", "failed")


def setup_first(step: Step, ours: str | None, theirs: str | None) -> bool:
    """What is below a failed setup fails with it, also if its rule would have skipped it before."""
    setups = any(each.kind == "setup" for each in above_all(step))
    return setups and (ours, theirs) == ("upstream_failed", "skipped")


def receives_item(step: Step, ours: str | None, theirs: str | None) -> bool:
    """In a mapped group only its first tasks wait for the list; in Airflow all that receive the item."""
    mapped = isinstance(step.over, Step) and step.over.kind in ("mapped", "grid")
    return (step.kind == "pair" and mapped) or (step.kind == "trio" and isinstance(step.over, Step))


def skips_all_below(step: Step, ours: str | None, theirs: str | None) -> bool:
    """A short circuit skips all below it; Airflow's forgets mapped tasks that are further down."""
    gates = any(each.kind == "gate" and each.ignores_rules for each in above_all(step))
    mapped = step.kind in ("pair", "trio", "mapped", "grid")
    return mapped and gates and ours in ("skipped", None)


def failure_not_hidden(step: Step, ours: str | None, theirs: str | None) -> bool:
    """all_success waits for all upstream tasks, so that an earlier skip hides no failure."""
    rule = "all_success" if step.kind != "work" else step.rule
    return rule == "all_success" and (ours, theirs) == ("upstream_failed", "skipped")


def in_block(step: Step, ours: str | None, theirs: str | None) -> bool:
    """A block has all tasks in it. Airflow's knows nothing of mapped ones, and ends where a block inside ends."""
    arrows = step.upstream if step.kind == "teardown" else ()
    return is_unseen(step) or any(is_unseen(each) for each in arrows)


def is_unseen(step: Step) -> bool:
    return step.after_block or (step.block and step.kind in ("mapped", "grid"))


def none_is_mapped(step: Step, ours: str | None, theirs: str | None) -> bool:
    """Who maps over a result that is no list fails, and not who returned it."""
    return step.none and (ours, theirs) == ("success", "failed")


EARLY: Final = {"always", "one_success", "one_failed", "one_done"}
ON_PURPOSE: Final[Mapping[str, Callable[[Step, str | None, str | None], bool]]] = {
    "waits for all upstream tasks before it skips": failure_not_hidden,
    "A branch leaves out a task with `always`, too": left_out,
    "A task that is mapped over a result waits for it": mapped_early,
    "Mapped tasks in a `with` block": in_block,
    "Where a result that is not a list is mapped over": none_is_mapped,
    "it waits for the results that it is handed": waits_for_what_it_takes,
    "A task below a failed setup fails with it": setup_first,
    "In a mapped group only its first tasks": receives_item,
    "A short circuit skips all tasks below it": skips_all_below,
}


def test_what_differs_on_purpose_is_told() -> None:
    page = (ROOT / "docs" / "from-airflow.md").read_text()
    assert [words for words in ON_PURPOSE if words not in page] == []
