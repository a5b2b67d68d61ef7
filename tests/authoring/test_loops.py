"""Loops, as people write them."""

from pathlib import Path
from typing import Any

import pytest

from headway import (
    DAG,
    Fail,
    Loop,
    LoopDecision,
    Run,
    Skip,
    bash,
    get_current_context,
    task,
    task_group,
)
from headway.authoring.loading import load_file
from headway.spec.model import Dag
from headway.testing import run_dag
from tests.authoring.files import mistake, spec_of

EXAMPLES = Path(__file__).parents[2] / "examples" / "loops"


@task
def count_up(*, loop: Any, by: int = 1) -> int:
    return (0 if loop.index == 0 else loop.previous) + by


@task
def add_up(values: list[int]) -> int:
    return sum(values)


def values(run: Any, task_id: str) -> list[object]:
    return [each.value for each in run[task_id].instances]


def states(run: Any, task_id: str) -> list[str]:
    return [str(each.state) for each in run[task_id].instances]


def test_the_example_runs() -> None:
    (made,) = load_file(EXAMPLES / "paging.py", EXAMPLES)
    run = run_dag(made)
    assert run.state == "success"
    assert run["report"].value == 5
    assert values(run, "page.last_page") == [
        {"stop": False, "reason": "the next page is 2"},
        {"stop": False, "reason": "the next page is 3"},
        {"stop": True, "reason": "the next page is None"},
    ]


def test_without_a_condition_it_runs_as_often_as_it_says() -> None:
    @task_group
    def counting(by: int) -> None:
        count_up(by=by)

    with DAG("d") as made:
        add_up(counting.partial(by=2).loop(max_iterations=3))
    run = run_dag(made)
    assert values(run, "counting.count_up") == [2, 4, 6]
    assert values(run, "counting.__loop_gate") == [{"stop": False}, {"stop": False}, {"stop": True}]
    assert run["add_up"].value == 12


def test_at_the_bound_it_fails_with_the_reason() -> None:
    @task_group
    def counting() -> None:
        count_up()

    def enough(*, loop: Any) -> LoopDecision:
        return LoopDecision(stop=loop.result > 5, reason=f"{loop.result} of 6")

    @task
    def after() -> None: ...

    with DAG("d") as made:
        counting.loop(max_iterations=3, until=enough) >> after()
    run = run_dag(made)
    assert run.state == "failed"
    assert states(run, "counting.enough") == ["success", "success", "failed"]
    assert str(run["counting.enough"].error) == (
        "enough did not hold after 3 iterations (max_iterations): 3 of 6"
    )
    assert run["after"].state == "upstream_failed"


def test_the_condition_may_hold_in_the_last_iteration() -> None:
    @task_group
    def counting() -> None:
        count_up()

    with DAG("d") as made:
        counting.loop(max_iterations=3, until=lambda loop: loop.result == 3)
    run = run_dag(made)
    assert run.state == "success"
    assert states(run, "counting.__loop_gate") == ["success"] * 3


def test_everything_of_an_iteration_knows_it() -> None:
    seen: list[tuple[object, ...]] = []

    @task
    def look(run: Run, loop: Loop, map_index: int) -> int:
        context = get_current_context()
        assert context["loop"] is loop
        assert run.loop is loop
        seen.append((loop.index, map_index, loop.max_iterations, loop.previous, loop.result))
        return loop.index * 10

    @task_group
    def around() -> None:
        shown = bash(task_id="shown", command="echo {{ loop.index }}: {{ loop.previous }}")
        look.override(trigger_rule="all_done")() << shown

    with DAG("d") as made:
        around.loop(max_iterations=2)
    run = run_dag(made)
    assert seen == [(0, 0, 2, None, None), (1, 1, 2, 0, None)]
    assert values(run, "around.shown") == ["0: None", "1: 0"]


def test_a_result_that_is_false_or_none_is_a_result() -> None:
    seen: list[object] = []

    @task
    def give(*, loop: Any) -> object:
        seen.append(loop.previous)
        return [0, None, []][loop.index]

    @task_group
    def giving() -> None:
        give()

    with DAG("d") as made:
        giving.loop(max_iterations=3)
    assert run_dag(made).state == "success"
    assert seen == [None, 0, None]


def test_a_failure_or_a_skip_ends_it() -> None:
    for error, state, after in (
        (Fail, "upstream_failed", "upstream_failed"),
        (Skip, "skipped", "skipped"),
    ):

        @task
        def work(*, loop: Any, error: Any = error) -> None:
            if loop.index == 1:
                raise error("enough")

        @task_group
        def working(work: Any = work) -> None:
            work()

        @task
        def end() -> None: ...

        with DAG("d") as made:
            working.loop(max_iterations=5) >> end()
        run = run_dag(made)
        assert states(run, "working.__loop_gate") == ["success", state]
        assert run["end"].state == after


def test_the_last_task_may_forgive_a_failure() -> None:
    @task
    def risky(*, loop: Any) -> int:
        if loop.index == 0:
            raise ValueError("not yet")
        return 7

    @task(trigger_rule="all_done")
    def judge(value: int | None) -> bool:
        return value == 7

    @task_group
    def trying() -> None:
        judge(risky())

    with DAG("d") as made:
        trying.loop(max_iterations=5, until=lambda loop: loop.result)
    run = run_dag(made)
    assert (run.state, states(run, "trying.risky")) == ("success", ["failed", "success"])


def test_a_task_of_the_loop_that_is_used_outside_gives_one_result_for_each_iteration() -> None:
    inner: list[Any] = []

    @task_group
    def counting() -> None:
        inner.append(count_up())

    with DAG("d") as made:
        counting.loop(max_iterations=2)
        add_up(inner[0])
    run = run_dag(made)
    assert run["add_up"].value == 3
    (spec_task,) = [each for each in made.spec("d.py").tasks if each.task_id == "add_up"]
    assert spec_task.upstream == ("counting.__loop_gate",)


def test_several_loops_of_one_group() -> None:
    @task_group
    def counting(by: int) -> None:
        count_up(by=by)

    with DAG("d") as made:
        first = counting.partial(by=1).loop(max_iterations=2)
        second = counting.override(group_id="again").partial(by=5).loop(max_iterations=2)
        third = counting.partial(by=9).loop(max_iterations=1)
        first >> second >> third
    run = run_dag(made)
    assert values(run, "counting.count_up") == [1, 2]
    assert values(run, "again.count_up") == [5, 10]
    assert values(run, "counting__1.count_up") == [9]


def test_only_some_tasks_bring_their_whole_loop() -> None:
    @task_group
    def counting() -> None:
        count_up()

    with DAG("d") as made:
        counting.loop(max_iterations=2)
        add_up.override(task_id="other")([1])
    run = run_dag(made, tasks=["counting.count_up"])
    assert set(run.tasks) == {"counting.count_up", "counting.__loop_gate"}
    assert set(run_dag(made, tasks=["other"]).tasks) == {"other"}


def test_a_spec_of_a_loop(tmp_path: Path) -> None:
    spec: Dag = spec_of(tmp_path, GOOD)
    (loop,) = spec.loops
    assert (loop.path, loop.gate, loop.result) == ("again", "again.done", "again.work")
    assert (loop.max_iterations, loop.until) == (4, "done")
    assert {task.task_id: task.loop for task in spec.tasks} == {
        "again.work": "again",
        "again.done": "again",
        "after": "",
    }
    gate = next(task for task in spec.tasks if task.task_id == loop.gate)
    assert (gate.kind, gate.line, gate.branch) == ("loop_gate", 19, False)


GOOD = """
from headway import dag, task, task_group

@task
def work(*, loop):
    return loop.index

@task
def after(): ...

@task_group
def again():
    work()

def done(*, loop):
    return loop.result == 2

@dag
def flow():
    again.loop(max_iterations=4, until=done) >> after()
"""


def told(folder: Path, text: str) -> str:
    """Return what is wrong and the hint in one line."""
    return mistake(folder, text).replace("\n  ", "; ")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "max_iterations=4, ",
            "",
            "flow.py:19: again.loop() has no bound; say after how many iterations it must end, "
            "for instance max_iterations=10",
        ),
        (
            "max_iterations=4",
            "max_iterations=0",
            "flow.py:19: again.loop(): max_iterations must be a number between 1 and 10,000, not 0",
        ),
        (
            "max_iterations=4",
            "max_iterations='4'",
            "flow.py:19: again.loop(): max_iterations must be a number between 1 and 10,000, not '4'",
        ),
        (
            "max_iterations=4",
            "max_iteration=4",
            'flow.py:19: again.loop() has no argument "max_iteration"; did you mean "max_iterations"?',
        ),
        (
            "until=done",
            "until=work",
            "flow.py:19: again.loop(): until is the task function work; "
            "give it a plain function, without @task: the loop makes a task of it",
        ),
        ("until=done", "until=3", "flow.py:19: again.loop(): until must be a function, not 3"),
        (
            "def done",
            "async def done",
            "flow.py:19: again.loop(): until must be a plain function, not an async one",
        ),
        (
            "    work()\n",
            "    pass\n",
            "flow.py:19: again.loop(): the group again has no task; call its tasks in it",
        ),
        (
            "    work()\n",
            "    work(); work()\n",
            "flow.py:19: again.loop(): again.work, again.work__1 come last in the group again, but a loop needs one "
            "last task, whose result is that of the iteration; "
            "let one more task wait for them, for instance combine(left, right)",
        ),
        (
            "    work()\n",
            "    work.expand(loop=[1])\n",
            "flow.py:12: work() is mapped inside of the loop again; work through the list in one task, "
            "or start a DAG for each item from a task of the loop",
        ),
        (
            "def again():",
            "def again(x):",
            "flow.py:19: again.loop() needs x; give it in the call, or a default in the function",
        ),
        (
            "    again.loop(",
            "    work(); again.loop(",
            "flow.py:3: work takes loop, which tells a task of a loop its iteration, and is in no loop; "
            "call it in a group that is repeated with .loop(), or give it the argument",
        ),
        (
            "def flow():\n",
            "def flow():\n    work.expand(loop=after())\n",
            None,
        ),
    ],
)
def test_a_wrong_loop_is_refused_at_its_line(
    tmp_path: Path, before: str, after: str, expected: str | None
) -> None:
    text = GOOD.replace(before, after)
    assert text != GOOD
    if expected is None:
        spec_of(tmp_path, text)
    else:
        assert told(tmp_path, text) == expected


def test_loops_are_in_no_other_loop_and_in_no_mapped_group(tmp_path: Path) -> None:
    nested = GOOD.replace("    work()\n", "    inner.loop(max_iterations=2)\n").replace(
        "@task_group\ndef again", "@task_group\ndef inner():\n    work()\n\n@task_group\ndef again"
    )
    assert told(tmp_path, nested) == (
        "flow.py:16: inner.loop() is inside of the loop again, and loops cannot be nested; "
        "repeat the work of the inner loop in one task, or start a DAG with it from a task"
    )
    mapped = nested.replace("again.loop(max_iterations=4, until=done)", "again.expand(n=[1, 2])")
    mapped = mapped.replace("def again():", "def again(n):")
    assert told(tmp_path, mapped) == (
        "flow.py:16: inner.loop() is inside of the mapped group again, which cannot have a loop; "
        "repeat the work in one task, or start a DAG with the loop for each item"
    )


def test_nothing_is_mapped_over_the_results_of_a_loop(tmp_path: Path) -> None:
    text = GOOD.replace(
        "    again.loop(max_iterations=4, until=done) >> after()",
        "    after.expand(x=again.loop(max_iterations=4, until=done))",
    ).replace("def after(): ...", "def after(x): ...")
    assert told(tmp_path, text) == (
        'flow.py:7: after: it is mapped over "again.work", which has a result for each iteration of its loop; '
        "let a task behind the loop make the list"
    )


def test_a_condition_that_decides_nothing_fails() -> None:
    for answer, told in (
        (None, "must return True, False or a LoopDecision, not None"),
        (1, "must return True, False or a LoopDecision, not 1"),
        (LoopDecision(True, 3), "the reason of a LoopDecision must be a text, not 3"),  # type: ignore[arg-type]
    ):

        @task_group
        def counting() -> None:
            count_up()

        def until(answer: object = answer) -> object:
            return answer

        with DAG("d") as made:
            counting.loop(max_iterations=3, until=until)
        run = run_dag(made)
        assert states(run, "counting.until") == ["failed"]
        assert told in str(run["counting.until"].error)
