"""What becomes of tasks mapped over others that brought nothing, and of mapped branches, from the DAG
file to the end of its run.
"""

from datetime import UTC, datetime

import pytest

from headway import Skip, dag, empty, task, task_group
from headway.testing import run_dag


@dag
def map_over_skipped() -> None:
    @task.branch
    def which() -> str:
        return "no"

    @task
    def yes() -> list[int]:
        return [1, 2, 3]

    @task
    def no() -> None: ...

    @task(trigger_rule="none_failed")
    def each(i: int) -> None: ...

    items = yes()
    which() >> [items, no()]
    each.expand(i=items)


def test_over_a_skipped_task_nothing_is_done_and_nothing_fails() -> None:
    result = run_dag(map_over_skipped)
    assert (result["each"].state, result.state) == ("skipped", "success")


@dag
def map_over_failed() -> None:
    @task
    def find() -> list[int]:
        raise OSError("the disk is away")

    @task(trigger_rule="all_done")
    def each(i: int) -> None: ...

    @task(trigger_rule="all_done")
    def again(i: None) -> None: ...

    again.expand(i=each.expand(i=find()))


def test_over_a_failed_task_the_failure_is_seen() -> None:
    result = run_dag(map_over_failed)
    assert [result[name].state for name in ("each", "again")] == ["upstream_failed"] * 2
    assert result.state == "failed"


@dag
def filtered() -> None:
    @task
    def names() -> list[str]:
        return ["a.csv", "b.txt", "c.csv"]

    @task
    def tables(name: str) -> dict[str, str] | None:
        return {"table": name[0]} if name.endswith(".csv") else None

    @task
    def load(table: str) -> str:
        return table.upper()

    @task
    def total(loaded: list[str], found: list[dict[str, str]]) -> tuple[list[str], int]:
        return loaded, len(found)

    found = tables.expand(name=names())
    total(load.expand_kwargs(found), found)


def test_what_returns_none_is_in_nobodys_list() -> None:
    result = run_dag(filtered)
    assert [one.state for one in result["tables"].instances] == ["success"] * 3
    assert result["tables"].values == [{"table": "a"}, {"table": "c"}]
    assert result["total"].value == (["A", "C"], 2)


@dag
def nothing_found() -> None:
    @task
    def check(x: int) -> None: ...

    @task
    def each(x: None) -> None: ...

    @task
    def total(xs: list[None]) -> int:
        return len(xs)

    checked = check.expand(x=[1, 2])
    each.expand(x=checked)
    total(checked)


def test_where_all_return_none_the_list_is_empty() -> None:
    result = run_dag(nothing_found)
    assert (result["each"].state, result["total"].value) == ("skipped", 0)


@dag
def mapped_branch() -> None:
    @task.branch
    def which(x: int) -> str:
        return "even" if x % 2 == 0 else "odd"

    @task
    def even() -> None: ...

    @task
    def odd() -> None: ...

    @task
    def other() -> None: ...

    which.expand(x=[1, 2]) >> [even(), odd(), other()]


def test_what_any_instance_of_a_mapped_branch_chose_runs() -> None:
    result = run_dag(mapped_branch)
    states = [result[name].state for name in ("even", "odd", "other")]
    assert states == ["success", "success", "skipped"]


def gate_over(*items: int) -> str:
    @dag
    def mapped_gate() -> None:
        @task.short_circuit
        def gate(x: int) -> bool:
            if x == 9:
                raise Skip
            return x == 2

        @task(trigger_rule="none_failed")
        def behind() -> None: ...

        gate.expand(x=list(items)) >> behind()

    return run_dag(mapped_gate)["behind"].state


def test_a_mapped_short_circuit_goes_on_if_any_of_them_does() -> None:
    assert [gate_over(1, 2, 3), gate_over(1, 3), gate_over(1, 9)] == [
        "success",
        "skipped",
        "skipped",
    ]


def test_a_short_circuit_of_which_all_skip_themselves_stops_nothing() -> None:
    assert gate_over(9, 9) == "success"


def branch_to(target: object) -> list[str]:
    """The states of tasks in groups, and behind them, when a branch chooses a target."""

    @dag
    def grouped() -> None:
        @task.branch
        def which() -> object:
            return target

        with task_group("load"):
            with task_group("deep"):
                one = empty("one")
            two = empty("two")
        with task_group("plain", prefix_group_id=False):
            three = empty("three", trigger_rule="none_failed")
        chosen = which()
        chosen >> [one, two]
        two >> three

    result = run_dag(grouped)
    if error := result["which"].error:
        return [str(error)]
    return [str(result[name].state) for name in ("load.deep.one", "load.two", "three")]


@pytest.mark.parametrize(
    ("target", "states"),
    [
        ("load", ["success", "success", "success"]),
        ("load.deep", ["success", "skipped", "success"]),
        ("deep", ["success", "skipped", "success"]),
        (["load.deep", "load.two"], ["success", "success", "success"]),
        ("three", ["skipped", "skipped", "success"]),
        ("plain", ["skipped", "skipped", "success"]),
        (
            "dep",
            ["which branches to 'dep', which is not a task or group downstream of it; "
             'it chooses among load.deep.one, load.two, load, load.deep, plain'],
        ),
    ],
)  # fmt: skip
def test_a_branch_to_a_group_or_further_down(target: object, states: list[str]) -> None:
    assert branch_to(target) == states


@dag
def conditions() -> None:
    @task.run_if(lambda run: run.params["full"])
    @task
    def full() -> str:
        return "f"

    @task.skip_if(lambda context: context["params"]["full"], skip_message="all of it comes")
    @task.bash(retries=3)
    def part() -> str:
        return "echo part"

    @task.run_if(lambda: (False, "never today"))
    @task.skip_if(lambda anything: anything["ds"] == "2026-01-01")
    @task(trigger_rule="all_done")
    def never() -> None: ...

    @task.skip_if(lambda: 1 // 0)
    @task
    def broken() -> None: ...

    full(), part.override(task_id="part2")(), never(), broken()


@pytest.mark.parametrize("full", [True, False])
def test_conditions_are_looked_at_before_the_task_runs(full: bool) -> None:
    flow = conditions.override(params={"full": full})
    result = run_dag(flow, logical_date=datetime(2026, 1, 2, tzinfo=UTC))
    states = [result[name].state for name in ("full", "part2", "never", "broken")]
    chosen = ["success", "skipped"] if full else ["skipped", "success"]
    assert states == [*chosen, "skipped", "failed"]
    assert isinstance(result["broken"].error, ZeroDivisionError)
