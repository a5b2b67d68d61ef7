"""One attempt of a task, in its own process: arguments, call, result."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from headway.authoring.operators.base import Call
from headway.authoring.params import given_to
from headway.authoring.references import RESULT_KEY, ParamRef, XComArg, resolve
from headway.authoring.run import Fail, Run
from headway.authoring.task import Follows, Task
from headway.authoring.values import item_at
from headway.spec.errors import did_you_mean, listing

if TYPE_CHECKING:
    from headway.authoring.dag import DAG


class Inputs(NamedTuple):
    """The results of upstream tasks. ``whole``: by task and key; for a mapped task the list of all results.

    Axis k of a mapped task takes the literal of the DAG file at ``positions[k]``, or ``items[k]`` if the
    axis is a result. Missing results, for instance of skipped tasks, are not in ``whole``.
    """

    whole: Mapping[tuple[str, str], object] = {}
    positions: Sequence[int] = ()
    items: Sequence[object] = ()


class Result(NamedTuple):
    """``xcoms`` are the values to store, by key.

    ``follow``: of a branch, the direct downstream tasks that go on.
    """

    value: object
    xcoms: dict[str, object]
    follow: list[str] | None


def execute(dag: "DAG", task_id: str, run: Run, inputs: Inputs) -> Result:
    """Raises Skip, Fail, or whatever the task raises."""
    task = dag.tasks.get(task_id)
    if task is None:
        raise Fail(f"{dag.dag_id} has no task {task_id!r} in this version of its file")
    run = run.with_params(given_to(dag.params, run.params))
    args, kwargs = arguments_of(dag, task, run, inputs)
    call = Call(task.function, args, kwargs, run)
    work = task.operator.run_function if task.function else task.operator.run
    assert work is not None, f"{task.operator.word} cannot be used as a decorator"
    value = work(call)
    return Result(value, stored(dag, task, value), followed(task, value))


def arguments_of(
    dag: "DAG", task: Task, run: Run, inputs: Inputs
) -> tuple[tuple[object, ...], dict[str, object]]:
    def look_up(reference: XComArg | ParamRef) -> object:
        if isinstance(reference, ParamRef):
            return run.params[reference.name]
        nothing: list[object] | None = [] if reference.task.mapped else None
        return inputs.whole.get((reference.task_id, reference.key), nothing)

    args = tuple(resolve(value, look_up) for value in task.arguments.args)
    kwargs = {name: resolve(value, look_up) for name, value in task.arguments.kwargs.items()}
    for k, (argument, axis) in enumerate(task.arguments.axes.items()):
        literal = isinstance(axis, (list, tuple, dict))
        item = resolve(item_at(axis, inputs.positions[k]), look_up) if literal else inputs.items[k]
        if argument:
            kwargs[argument] = item
        elif isinstance(item, dict):
            kwargs |= item
        else:
            raise Fail(
                f"expand_kwargs needs dicts of arguments, but item {run.map_index} is {item!r}"
            )
    return args, kwargs


def stored(dag: "DAG", task: Task, value: object) -> dict[str, object]:
    """The result, and the items of it that other tasks refer to.

    None is stored only if somebody reads it, and never of a mapped task: its instance leaves the list
    that the tasks behind it get, as in Airflow.
    """
    if value is None and task.mapped:
        return {}
    keys = dag.referenced_keys().get(task.task_id, set())
    xcoms = {RESULT_KEY: value} if value is not None or RESULT_KEY in keys else {}
    for key in sorted(keys - {RESULT_KEY}):
        if not isinstance(value, dict):
            kind = type(value).__name__
            raise Fail(
                f'another task reads result["{key}"] of {task.task_id}, but the result is a {kind}'
            )
        if key not in value:
            raise Fail(
                f'another task reads result["{key}"] of {task.task_id}, '
                f"but the result has only {listing(map(repr, value))}"
            )
        xcoms[key] = value[key]
    return xcoms


def followed(task: Task, value: object) -> list[str] | None:
    if task.follows is Follows.ALL:
        return None
    if task.follows is Follows.IF_TRUE:
        return sorted(task.downstream) if value else []
    names = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, (list, tuple, set, frozenset)):
        raise Fail(f"a branch must return a task id, a list of task ids or None, not {value!r}")
    for name in names:
        if name not in task.downstream:
            known = list(task.downstream)
            hint = (
                did_you_mean(str(name), known)
                or f"direct downstream tasks: {listing(known) or 'none'}"
            )
            raise Fail(
                f"{task.task_id} branches to {name!r}, which is not a direct downstream task; {hint}"
            )
    return sorted(set(names))
