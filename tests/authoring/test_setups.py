"""How setups and teardowns are written, and mistakes with them. What they do is in ``tests/core/test_setups.py``."""

from pathlib import Path
from typing import Final

import pytest

from headway import DAG, bash, context_wrapper, setup, task, task_group, teardown
from headway.authoring.loading import load_file
from headway.spec.errors import BadSpec
from headway.testing import run_dag

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "setups"


@task
def work() -> None: ...


@setup
def create() -> str:
    return "cluster"


@teardown
def delete(cluster: str) -> str:
    return f"deleted {cluster}"


def fails(folder: str, rows: int) -> str:
    raise OSError(f"{folder} is full after {rows} rows")


def edges(dag: DAG) -> dict[str, list[str]]:
    return {each.task_id: sorted(each.upstream) for each in dag.spec("x.py").tasks}


def test_operators_and_other_kinds_of_tasks_can_be_marked() -> None:
    with DAG("x") as dag:

        @setup
        @task.bash(retries=2)
        def make() -> str:
            return "mkdir out"

        drop = bash(task_id="drop", command="rmdir out").as_teardown(setups=make())
        work() >> drop
    found = {each.task_id: each for each in dag.spec("x.py").tasks}
    assert (found["make"].setup, found["make"].kind, found["make"].retries) == (True, "bash", 2)
    assert (found["drop"].teardown, found["drop"].trigger_rule) == (True, "all_done_setup_success")
    assert found["drop"].upstream == ("make", "work")


def test_an_override_and_a_mapped_one_stay_what_they_are() -> None:
    with DAG("x") as dag:
        create.override(task_id="other")()
        delete.override(task_id="each").expand(cluster=["a", "b"])
        work()
    found = {each.task_id: (each.setup, each.teardown) for each in dag.spec("x.py").tasks}
    assert found == {"other": (True, False), "each": (False, True), "work": (False, False)}


def test_marking_twice_keeps_what_was_said() -> None:
    with DAG("x") as dag:

        @teardown(on_failure_fail_dagrun=True)
        def check() -> None: ...

        made = check()
        made.as_teardown(setups=create())
        made.as_teardown()
    assert {each.task_id: each.decides_outcome for each in dag.spec("x.py").tasks} == {
        "create": True,
        "check": True,
    }


def test_a_block_without_teardowns_is_in_the_scope_of_the_one_around_it() -> None:
    with DAG("x") as dag, delete(create()):
        inner = work.override(task_id="inner")().as_setup()
        with inner:
            work.override(task_id="first")() >> work.override(task_id="last")()
    assert edges(dag) == {
        "create": [],
        "delete": ["create", "last"],
        "inner": ["create"],
        "first": ["inner"],
        "last": ["first"],
    }


def test_a_block_in_which_all_tasks_are_connected_hangs_on_the_first_and_the_last() -> None:
    with DAG("x") as dag:
        before = work.override(task_id="before")()
        after = work.override(task_id="after")()
        with context_wrapper([delete(create())]):
            before >> work.override(task_id="a")() >> after
    assert edges(dag) == {
        "create": [],
        "before": [],
        "a": ["before", "create"],
        "after": ["a"],
        "delete": ["a", "create"],
    }


def test_of_a_group_of_setups_and_teardowns_alone_the_setups_are_waited_for() -> None:
    @task_group
    def part() -> None:
        delete(create())

    with DAG("x") as dag:
        part() >> work()
    assert edges(dag)["work"] == ["part.create"]


def test_values_reach_a_teardown() -> None:
    with DAG("x") as dag:
        cluster = create()
        with delete(cluster):
            work()
    assert run_dag(dag)["delete"].value == "deleted cluster"


def test_the_example_cleans_up_whatever_happens() -> None:
    (made,) = load_file(EXAMPLES / "workspace.py", EXAMPLES)
    good = run_dag(made, params={"rows": 5})
    assert good["count"].value == 5
    assert not Path(good["make_folder"].value).exists()
    made.tasks["export"].function = fails
    bad = run_dag(made)
    assert (bad.state, bad["count"].state) == ("failed", "upstream_failed")
    assert not Path(bad["make_folder"].value).exists()


def test_mistakes() -> None:
    with DAG("x"):
        plain, made = work(), create()
        with pytest.raises(BadSpec, match="only setup and teardown tasks can begin"), plain:
            pass
        with pytest.raises(BadSpec, match="only setup and teardown"), context_wrapper([]):
            pass
        with pytest.raises(BadSpec, match="create is a setup, so it cannot be a teardown"):
            made.as_teardown()
        gone = delete(made)
        with pytest.raises(BadSpec, match="delete is a teardown, so it cannot be a setup"):
            gone.as_setup()
        with pytest.raises(BadSpec, match="@teardown: rule cannot have trigger_rule"):

            @teardown
            @task(trigger_rule="always")
            def rule() -> None: ...

        with pytest.raises(BadSpec, match="@setup decorates a function, not 3"):
            setup(3)  # type: ignore[arg-type]
        with pytest.raises(BadSpec, match="group is a task group, which cannot be a setup"):

            @setup
            @task_group
            def group() -> None: ...


def test_the_rule_of_a_task_below_a_setup() -> None:
    with DAG("x") as dag:
        create() >> work.override(trigger_rule="all_done")()
    with pytest.raises(BadSpec, match='must be "all_success"') as caught:
        dag.spec("x.py")
    assert caught.value.line


@pytest.mark.parametrize("ignores", [True, False])
def test_a_short_circuit_does_not_skip_a_teardown(ignores: bool) -> None:
    with DAG("x") as dag:

        @task.short_circuit(ignore_downstream_trigger_rules=ignores)
        def is_needed() -> bool:
            return False

        with delete(create()):
            is_needed() >> work()
    result = run_dag(dag)
    ends = {name: str(each.state) for name, each in result.tasks.items()}
    assert ends == {
        "create": "success",
        "is_needed": "success",
        "work": "skipped",
        "delete": "success",
    }


@pytest.mark.parametrize("ignores", [True, False])
def test_a_short_circuit_directly_above_a_teardown(ignores: bool) -> None:
    with DAG("x") as dag:

        @task.short_circuit(ignore_downstream_trigger_rules=ignores)
        def is_needed() -> bool:
            return False

        made = create()
        is_needed() >> delete(made).as_teardown(setups=made)
    ends = {name: str(each.state) for name, each in run_dag(dag).tasks.items()}
    assert ends == dict.fromkeys(("create", "is_needed", "delete"), "success")
