"""``.map``, ``.zip`` and ``.concat``, from the DAG file to the arguments of each instance."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from headway import DAG, Skip, task
from headway.testing import run_dag
from tests.authoring.files import mistake, spec_of


@contextmanager
def lists() -> Iterator[tuple[DAG, Any]]:
    """A DAG with tasks that return lists, and one that returns what it got."""

    @task
    def letters() -> list[str]:
        return ["a", "b", "c"]

    @task
    def numbers() -> list[int]:
        return [1, 2]

    @task
    def prices() -> dict[str, int]:
        return {"tea": 3}

    @task
    def nothing() -> list[int]:
        return []

    @task
    def same(x: object) -> object:
        return x

    with DAG("d") as dag:
        yield dag, {made.name: made for made in (letters, numbers, prices, nothing, same)}


def told(expression: str) -> list[Any]:
    """What the instances of a task get that is mapped over it."""
    with lists() as (dag, names):
        given = eval(expression, dict(names))
        names["same"].override(task_id="got").expand(x=given)
    result = run_dag(dag)["got"]
    assert result.error is None, result.error
    return result.values


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("letters().map(str.upper)", ["A", "B", "C"]),
        ("letters().map(str.upper).map(ord)", [65, 66, 67]),
        ("letters().zip(numbers())", [("a", 1), ("b", 2)]),
        (
            "letters().zip(numbers(), fillvalue=0)",
            [("a", 1), ("b", 2), ("c", 0)],
        ),
        (
            "letters().zip(numbers(), fillvalue=None)",
            [("a", 1), ("b", 2), ("c", None)],
        ),
        ("letters().zip(numbers()).map(len)", [2, 2]),
        ("letters().concat(numbers())", ["a", "b", "c", 1, 2]),
        ("nothing().concat(numbers(), nothing(), letters())", [1, 2, "a", "b", "c"]),
        ("prices().concat(numbers())", [("tea", 3), 1, 2]),
        ("prices().map(lambda pair: pair[1])", [3]),
        (
            "letters().concat(numbers()).zip(numbers().map(str), fillvalue='-')",
            [("a", "1"), ("b", "2"), ("c", "-"), (1, "-"), (2, "-")],
        ),
        (
            "numbers().zip(letters().zip(numbers(), fillvalue=9)).concat(numbers())",
            [(1, ("a", 1)), (2, ("b", 2)), 1, 2],
        ),
        ("same.expand(x=letters()).map(str.upper)", ["A", "B", "C"]),
        ("same.expand(x=letters()).zip(letters())", [("a", "a"), ("b", "b"), ("c", "c")]),
        ("nothing().zip(letters(), fillvalue=0)", [(0, "a"), (0, "b"), (0, "c")]),
    ],
)
def test_each_instance_gets_its_item(expression: str, expected: list[object]) -> None:
    assert told(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("letters().map(str.upper)", ["A", "B", "C"]),
        ("letters().zip(numbers(), fillvalue=0)", [("a", 1), ("b", 2), ("c", 0)]),
        ("prices().concat(numbers())", [("tea", 3), 1, 2]),
        ("[numbers().map(str), {'n': letters().zip(numbers())}]", [["1", "2"], {"n": [("a", 1), ("b", 2)]}]),
    ],
)  # fmt: skip
def test_an_argument_gets_the_whole_list(expression: str, expected: object) -> None:
    with lists() as (dag, names):
        names["same"].override(task_id="got")(eval(expression, dict(names)))
    assert run_dag(dag)["got"].value == expected


def test_expand_kwargs_and_the_cross_product_take_them() -> None:
    with lists() as (dag, names):

        @task
        def pair(a: object, b: object) -> object:
            return a, b

        as_dicts = names["letters"]().zip(names["numbers"]()).map(
            lambda two: {"a": two[0], "b": two[1]}
        )  # fmt: skip
        pair.override(task_id="kwargs").expand_kwargs(as_dicts)
        pair.override(task_id="product").expand(a=["x", "y"], b=names["numbers"]().map(str))
    result = run_dag(dag)
    assert result["kwargs"].values == [("a", 1), ("b", 2)]
    assert result["product"].values == [("x", "1"), ("x", "2"), ("y", "1"), ("y", "2")]


def test_skip_in_a_map_skips_that_instance_and_an_error_fails_it() -> None:
    def even(number: int) -> int:
        if number == 1:
            raise Skip("odd")
        return 1 // (number - 2)

    with lists() as (dag, names):
        names["same"].override(task_id="got").expand(x=names["numbers"]().map(even))
    result = run_dag(dag)["got"]
    assert [one.state for one in result.instances] == ["skipped", "failed"]
    assert isinstance(result.error, ZeroDivisionError)


def test_it_waits_for_all_of_them(tmp_path: Path) -> None:
    dag = spec_of(
        tmp_path,
        """
        from headway import dag, task
        @dag
        def combined():
            @task
            def f(x=None): ...
            a, b, c, d = f(), f(), f(), f()
            d >> f.override(task_id="all").expand(x=a.zip(b.map(str)).concat(c))
        """,
    )
    found = next(task for task in dag.tasks if task.task_id == "all")
    assert found.upstream == ("f", "f__1", "f__2", "f__3")
    assert found.inputs == ()
    assert found.arguments == {"x": {"__headway__": "absent", "why": "object"}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.map(f)", ".map() needs a plain function, not f\n  use .expand() to run a task for each item"),
        ("a.map(3)", ".map() needs a plain function, not 3"),
        ("a.zip([1, 2])", ".zip() needs results of tasks, not [1, 2]\n  let a task return the list"),
        ("a.concat(a['k'])", ".concat() needs a whole result, not <result of f['k']>"),
        ("list(a.map(str))", "the result of f with .map() is not known while the file is read"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, line: str, message: str) -> None:
    text = f"""
        from headway import dag, task
        @dag
        def wrong():
            @task
            def f(x=None): ...
            a = f()
            {line}
    """
    said = mistake(tmp_path, text)
    assert message in said
    assert "flow.py:7" in said
