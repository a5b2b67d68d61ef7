"""What becomes of tasks mapped over others that brought nothing, and of mapped branches, from the DAG
file to the end of its run.
"""

from headway import Skip, dag, task
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
