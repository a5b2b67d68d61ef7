"""Groups that are mapped as a whole, as people write them."""

from pathlib import Path
from typing import Any

import pytest

from headway import DAG, Run, Skip, setup, task, task_group, teardown
from headway.authoring.loading import load_file
from headway.testing import run_dag
from tests.authoring.files import mistake, spec_of

EXAMPLES = Path(__file__).parents[2] / "examples" / "groups"


@task
def letters() -> list[str]:
    return ["a", "b", "c"]


@task
def twice(text: str) -> str:
    return text * 2


@task
def joined(first: str, second: str) -> str:
    return f"{first}-{second}"


def values(run: Any, task_id: str) -> list[object]:
    return [each.value for each in run[task_id].instances]


def test_the_example_runs() -> None:
    (made,) = load_file(EXAMPLES / "monthly.py", EXAMPLES)
    run = run_dag(made)
    assert run.state == "success"
    assert values(run, "totals.add_up") == [30, 50, 70]
    assert run["report"].value == 150


def test_each_index_gets_its_own_item_and_results() -> None:
    @task_group
    def both(text: str, other: str) -> object:
        return joined(twice(text), other)

    with DAG("d") as made:
        joined.override(task_id="all")(both.expand(text=letters(), other=["x", "y"]), "end")
    run = run_dag(made)
    assert values(run, "both.twice") == ["aa", "aa", "bb", "bb", "cc", "cc"]
    assert values(run, "both.joined") == ["aa-x", "aa-y", "bb-x", "bb-y", "cc-x", "cc-y"]
    assert run["all"].value == f"{['aa-x', 'aa-y', 'bb-x', 'bb-y', 'cc-x', 'cc-y']}-end"


def test_dicts_of_arguments_with_a_default() -> None:
    @task_group
    def pair(first: str, second: str = "z") -> object:
        return joined(first, second)

    with DAG("d") as made:
        pair.expand_kwargs([{"first": "a"}, {"first": "b", "second": "c"}])
    assert values(run_dag(made), "pair.joined") == ["a-z", "b-c"]


def test_an_item_without_an_argument_fails_with_its_name() -> None:
    @task_group
    def pair(first: str, second: str) -> object:
        return joined(first, second)

    with DAG("d") as made:
        pair.expand_kwargs([{"first": "a"}])
    (instance,) = run_dag(made)["pair.joined"].instances
    assert "needs dicts with 'second'" in str(instance.error)


def test_items_in_lists_dicts_and_results_inside_of_literals() -> None:
    @task
    def shown(given: object) -> object:
        return given

    @task_group
    def one(item: object) -> object:
        return shown({"items": [item, "fixed"]})

    with DAG("d") as made:
        one.expand(item=["plain", twice("x")])
    assert values(run_dag(made), "one.shown") == [
        {"items": ["plain", "fixed"]},
        {"items": ["xx", "fixed"]},
    ]


def test_a_failure_and_a_skip_concern_their_own_index() -> None:
    @task
    def picky(text: str) -> str:
        if text == "a":
            raise Skip("no a")
        if text == "b":
            raise ValueError("no b")
        return text

    @task(trigger_rule="all_done")
    def after(texts: list[str]) -> list[str]:
        return texts

    @task_group
    def group(text: str) -> object:
        return twice(picky(text))

    with DAG("d") as made:
        after(group.expand(text=letters()))
    run = run_dag(made)
    assert [str(each.state) for each in run["group.twice"].instances] == [
        "skipped",
        "upstream_failed",
        "success",
    ]
    assert run["after"].value == ["cc"]


def test_a_nested_group_is_mapped_with_the_one_around_it() -> None:
    @task_group
    def inner(text: str) -> object:
        return twice(text)

    @task_group
    def outer(text: str) -> object:
        return joined(inner(text), text)

    with DAG("d") as made:
        outer.expand(text=["a", "b"])
    run = run_dag(made)
    assert values(run, "outer.joined") == ["aa-a", "bb-b"]
    spec = made.spec("d.py")
    assert {each.mapping.group for each in spec.tasks if each.mapping} == {"outer"}


def test_branches_setups_and_the_index_of_the_run() -> None:
    seen: list[str] = []

    @setup
    def make(number: int) -> int:
        return number

    @teardown
    def remove(number: int) -> None:
        seen.append(f"removed {number}")

    @task.branch
    def choose(number: int) -> str:
        return "group.odd" if number % 2 else "group.even"

    @task
    def odd(run: Run) -> str:
        return f"odd {run.map_index}"

    @task
    def even(run: Run) -> str:
        return f"even {run.map_index}"

    @task_group
    def group(number: int) -> None:
        made = make(number)
        with remove(made):
            choose(number) >> [odd(), even()]

    with DAG("d") as dag_made:
        group.expand(number=[1, 2])
    run = run_dag(dag_made)
    assert values(run, "group.odd") == ["odd 0", None]
    assert values(run, "group.even") == [None, "even 1"]
    assert sorted(seen) == ["removed 1", "removed 2"]


def test_over_nothing_all_of_it_is_skipped() -> None:
    @task
    def nothing() -> list[str]:
        return []

    @task_group
    def group(text: str) -> object:
        return twice.override(trigger_rule="all_done", task_id="last")(twice(text))

    with DAG("d") as made:
        group.expand(text=nothing())
    assert {str(run.state) for run in run_dag(made).tasks.values()} == {"success", "skipped"}


def test_the_first_tasks_wait_for_the_list_and_the_next_ones_for_them(tmp_path: Path) -> None:
    spec = spec_of(
        tmp_path,
        """
from headway import DAG, task, task_group
@task
def items(): return [1]
@task
def work(x, y=None): return x
@task_group
def g(x):
    return work(x, work(x))
with DAG("d"):
    g.expand(x=items())
""",
    )
    assert {each.task_id: each.upstream for each in spec.tasks} == {
        "items": (),
        "g.work": ("items",),
        "g.work__1": ("g.work",),
    }


HEAD = """from headway import DAG, task, task_group
@task
def work(x): return x
@task_group
def g(x, y=1):
    return {inside}
with DAG("d"):
    {outside}
"""


@pytest.mark.parametrize(
    ("inside", "outside", "line", "told"),
    [
        ("work.expand(x=[1])", "g.expand(x=[1])", 6, "mapped inside of the mapped group g"),
        ("h.expand(x=[1])", "g.expand(x=[1])", 6, "mapped groups cannot be nested"),
        ("x", "work(g.expand(x=[1]))", 2, "work receives x of the mapped group g"),
        ("work(f'{x}')", "g.expand(x=[1])", 6, "x of the mapped group g is not known while"),
        ("work(x)", "g.expand()", 10, "needs the argument to map over"),
        ("work(x)", "g.expand(x=1)", 10, "list, tuple, dict or the result"),
        ("work(x)", "g.expand(z=[1])", 10, 'has no argument "z"'),
        ("work(x)", "g.partial(y=2).expand(y=[1])", 10, "from both partial() and expand()"),
        ("work(x)", "g.expand(y=[1])", 10, "needs x"),
    ],
)
def test_mistakes(tmp_path: Path, inside: str, outside: str, line: int, told: str) -> None:
    text = HEAD.format(inside=inside, outside=outside)
    text = text.replace("with DAG", "@task_group\ndef h(x): return work(x)\nwith DAG")
    found = mistake(tmp_path, text)
    assert told in found
    assert f"flow.py:{line}" in found
