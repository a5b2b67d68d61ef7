"""Loops: ``group.loop(max_iterations=10, until=good_enough)`` runs the tasks of a group again and again.

After each iteration a task of Headway's own, the gate, calls ``until`` and decides whether another one follows. It is
named after ``until``.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from headway.authoring.calls import add_task, refuse_missing, wrong
from headway.authoring.context import current_group
from headway.authoring.groups import GroupFunction, Repetition, TaskGroup
from headway.authoring.operators.loop_gate import GATE
from headway.authoring.references import Callee, XComArg
from headway.authoring.signatures import signature_of
from headway.authoring.task import Arguments, Follows, Task
from headway.spec.errors import did_you_mean, listing
from headway.spec.loops import ITERATIONS_MAX

if TYPE_CHECKING:
    from headway.authoring.dag import DAG

WORDS: Final = ("max_iterations", "until")
FIXED: Final = "__loop_gate"  # the id of a gate that has no named condition, as in Airflow
CO_COROUTINE: Final = 0x80
Until = Callable[..., Any]


def next_of(gate: Task, decision: object) -> list[str]:
    """Return the tasks that go on: the first ones of the loop, or none."""
    assert gate.loop is not None
    assert isinstance(decision, dict)
    return [] if decision["stop"] else sorted(task.task_id for task in gate.loop.group.roots())


def repeat(
    made_of: GroupFunction, kwargs: Mapping[str, object], given: dict[str, Any]
) -> TaskGroup:
    """Make the group and its gate. Raises BadSpec."""
    word = f"{made_of.name}.loop()"
    max_iterations, until = read(word, given)
    refuse_around(word)
    refuse_missing(word, signature_of(made_of.function), set(kwargs))
    group = made_of.new()
    name = name_of(until)
    group.loop = Repetition(group, max_iterations, "" if until is None else name)
    with group:
        made_of.function(**kwargs)
        result = last_task(word, group)
        gate = add_task(
            GATE,
            free_name(result.dag, group, FIXED if until is None else name),
            Arguments(kwargs={"until": until, "result": XComArg(result)}),
            {"trigger_rule": "all_success"},
            word,
            follows=Follows.AGAIN,
        )
    group.loop.result, group.loop.gate = result, gate
    return group


def read(word: str, given: dict[str, Any]) -> tuple[int, Until | None]:
    """Return the bound and the condition of a loop. Raises BadSpec."""
    for name in given:
        if name not in WORDS:
            hint = did_you_mean(name, WORDS) or f"it has {listing(WORDS)}"
            raise wrong(f'{word} has no argument "{name}"', hint=hint)
    bound, until = given.get("max_iterations"), given.get("until")
    if "max_iterations" not in given:
        raise wrong(
            f"{word} has no bound",
            hint="say after how many iterations it must end, for instance max_iterations=10",
        )
    if isinstance(bound, bool) or not isinstance(bound, int) or not 1 <= bound <= ITERATIONS_MAX:
        raise wrong(
            f"{word}: max_iterations must be a number between 1 and {ITERATIONS_MAX:,}, not {bound!r}"
        )
    if isinstance(until, Callee):
        raise wrong(
            f"{word}: until is the task function {until.name}",
            hint="give it a plain function, without @task: the loop makes a task of it",
        )
    if until is not None and not callable(until):
        raise wrong(f"{word}: until must be a function, not {until!r}")
    code = getattr(until, "__code__", None)
    if code is not None and code.co_flags & CO_COROUTINE:
        raise wrong(f"{word}: until must be a plain function, not an async one")
    return bound, until


def refuse_around(word: str) -> None:
    outer = current_group()
    if outer is None:
        return
    if (around := outer.looped()) is not None:
        raise wrong(
            f"{word} is inside of the loop {around.path}, and loops cannot be nested",
            hint="repeat the work of the inner loop in one task, or start a DAG with it from a task",
        )
    if (expansion := outer.mapped()) is not None:
        raise wrong(
            f"{word} is inside of the mapped group {expansion.path}, which cannot have a loop",
            hint="repeat the work in one task, or start a DAG with the loop for each item",
        )


def last_task(word: str, group: TaskGroup) -> Task:
    """Return the task whose result is that of an iteration. Raises BadSpec."""
    last = group.leaves() if group.tasks else []
    if len(last) == 1:
        return last[0]
    if not last:
        raise wrong(f"{word}: the group {group.path} has no task", hint="call its tasks in it")
    names = listing(task.task_id for task in last)
    raise wrong(
        f"{word}: {names} come last in the group {group.path}, but a loop needs one last task, "
        "whose result is that of the iteration",
        hint="let one more task wait for them, for instance combine(left, right)",
    )


def name_of(until: Until | None) -> str:
    name = getattr(until, "__name__", FIXED)
    return name if name.isidentifier() and name.isascii() else FIXED


def free_name(dag: "DAG", group: TaskGroup, name: str) -> str:
    full = f"{group.prefix}{name}"
    return name if full not in dag.tasks else dag.numbered(full, dag.tasks)[len(group.prefix) :]
