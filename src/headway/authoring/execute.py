"""One attempt of a task, in its own process: arguments, call, result."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Final, NamedTuple

from headway.authoring.callbacks import before
from headway.authoring.conditions import check
from headway.authoring.lists import item_of
from headway.authoring.map_index import Naming
from headway.authoring.operators.base import Call
from headway.authoring.operators.templates import render_all, search
from headway.authoring.options import ON_EXECUTE
from headway.authoring.params import given_to
from headway.authoring.references import (
    RESULT_KEY,
    GroupItem,
    Listed,
    ParamRef,
    XComArg,
    resolve,
)
from headway.authoring.run import ANSWER, ASSET, Deferral, Deferred, Fail, Resumption, Run, entered
from headway.authoring.setups import is_teardown
from headway.authoring.signatures import NO_DEFAULT, signature_of
from headway.authoring.task import Follows, Task
from headway.authoring.values import item_at
from headway.core.foreign import foreign
from headway.spec.errors import did_you_mean, listing

if TYPE_CHECKING:
    from headway.authoring.asset_events import Told
    from headway.authoring.dag import DAG
    from headway.authoring.groups import TaskGroup
    from headway.authoring.iterations import Loop

OUTPUTS_MAX: Final = 100  # each is a row
OUTPUT: Final = re.compile(r"\w{1,100}")


class Inputs(NamedTuple):
    """The results of upstream tasks. ``whole``: by task and key; for a mapped task the list of all results.

    Of a mapped task, list k of its axes is the literal of the DAG file at ``positions[k]``, or ``items[k]`` if it is a
    result; it has none of it where the position is -1. Missing results, for instance of skipped tasks, are not in
    ``whole``.
    """

    whole: Mapping[tuple[str, str], object] = {}
    positions: Sequence[int] = ()
    items: Sequence[object] = ()
    previous: Callable[[], object] | None = None  # of a loop: the result of the iteration before


class Result(NamedTuple):
    """``xcoms`` are the values to store, by key.

    ``follow``: of a branch, the direct downstream tasks that go on.
    """

    value: object
    xcoms: dict[str, object]
    follow: list[str] | None
    told: "list[Told] | None" = None  # of the events of its outlets


def execute(dag: "DAG", task_id: str, run: Run, inputs: Inputs) -> Result:
    """Raises Skip, Fail, or whatever the task raises."""
    task = dag.tasks.get(task_id)
    if task is None:
        raise Fail(f"{dag.dag_id} has no task {task_id!r} in this version of its file")
    run = run.with_params(given_to(dag.params, run.params))
    if task.loop is not None:
        run = run.but("loop", loop_of(task, run, inputs))
    search(dag.folders)
    args, kwargs = arguments_of(dag, task, run, inputs)
    call = Call(task.function, args, kwargs, run, dag)
    work = task.operator.run_function if task.function else task.operator.run
    assert work is not None, f"{task.operator.word} cannot be used as a decorator"
    with entered(run), Naming(task.options.get("map_index_template", ""), call):
        resumed = run.resumed
        if resumed is None and task.conditions:
            check(task.conditions, run)
        if resumed is None and (first := task.options.get(ON_EXECUTE)):
            before(first, run)
        try:
            value = go_on(task, call, resumed) if resumed and resumed.method else work(call)
        except Deferred as deferred:
            if deferred.deferral.kind == ASSET:
                check_inlet(dag, task, deferred.deferral.facts["asset"])
            if deferred.deferral.kind != ANSWER:
                raise
            raise Deferred(asked(dag, task, deferred.deferral)) from None
    told = None if run.events is None else run.events.outlets.told(task.options.get("outlets", ()))
    return Result(value, stored(dag, task, value), followed(dag, task, value), told)


def check_inlet(dag: "DAG", task: Task, name: str) -> None:
    """Raise Fail for an asset of another team that the DAG does not name: its events would never come."""
    if foreign(name) is None:
        return
    from headway.authoring.assets import assets_in  # few tasks wait for one

    given = [
        dag.options.get("schedule"),
        *(each.options.get("inlets") for each in dag.tasks.values()),
    ]
    if name not in {asset.name for each in given for asset in assets_in(each)}:
        raise Fail(
            f"events of {name} come only to DAGs that name it, and {dag.dag_id} does not; "
            f"add it to the inlets of {task.task_id}: inlets=[Asset({name!r})]"
        )


def asked(dag: "DAG", task: Task, deferral: Deferral) -> Deferral:
    """Return the wait for an answer with what follows from each option, and which results it leaves."""
    outcomes, example = deferral.facts.pop("outcomes"), deferral.facts.pop("example")
    follows = {option: followed(dag, task, value) for option, value in outcomes.items()}
    if task.follows is Follows.ALL and any(value is not None for value in outcomes.values()):
        raise Fail("options_mapping cannot be mapped over; give it to partial()")
    told = {"follows": follows} if task.follows is not Follows.ALL else {}
    keys = sorted(stored(dag, task, example))
    return deferral._replace(facts={**deferral.facts, **told, "keys": keys})


def loop_of(task: Task, run: Run, inputs: Inputs) -> "Loop":
    """Return the iteration as its tasks see it."""
    from headway.authoring.iterations import Loop  # few tasks are in one

    assert task.loop is not None
    result = task.loop.result
    own = inputs.whole.get((result.task_id, RESULT_KEY)) if task.loop.gate is task else None
    return Loop(run.map_index, task.loop.max_iterations, inputs.previous, own)


def go_on(task: Task, call: Call, resumed: Resumption) -> object:
    """Call the function with which a deferred task goes on: of the DAG file, of the operator's own module, or of its
    class.
    """
    from headway.authoring.operators.python import invoke

    assert resumed.method is not None
    if task.function is None and task.operator.method is not None:
        function = task.operator.method(call, resumed.method)
    else:
        home = getattr(task.function or task.operator.run, "__globals__", {})
        function = home.get(resumed.method)
        function = getattr(function, "function", function)
    if not callable(function):
        raise Fail(
            f"{task.task_id} goes on with {resumed.method!r}, but its file has no function with that name"
        )
    return invoke(function, (resumed.found,), dict(resumed.kwargs), call.run)


def arguments_of(
    dag: "DAG", task: Task, run: Run, inputs: Inputs
) -> tuple[tuple[object, ...], dict[str, object]]:
    def look_up(reference: XComArg | ParamRef | GroupItem) -> object:
        if isinstance(reference, ParamRef):
            return run.params[reference.name]
        if isinstance(reference, GroupItem):
            return item_of_group(reference, of_group)
        many = reference.task.has_many and not task.is_beside(reference.task)
        nothing: list[object] | None = [] if many else None
        return inputs.whole.get((reference.task_id, reference.key), nothing)

    def value_of(name: str, written: object) -> object:
        """Render the texts of the file before results take their places, which are data."""
        return resolve(render_all(written, run) if name in templated else written, look_up)

    of_group: Mapping[str, object] = {}
    if task.expansion is not None:
        found = items_of_axes(task.axes, inputs)
        of_group = {name: resolve(item, look_up) for name, item, _ in found}
    templated = task.templated if task.function is not None else task.operator.templated
    args = tuple(
        value_of(name, value)
        for name, value in zip(names_of_positional(task), task.arguments.args, strict=False)
    )
    kwargs = {name: value_of(name, value) for name, value in task.arguments.kwargs.items()}
    for argument, item, literal in items_of_axes(task.arguments.axes, inputs):
        value = item
        if literal and not argument and isinstance(item, dict):
            value = {name: value_of(name, each) for name, each in item.items()}
        elif literal:
            value = value_of(argument, item)
        if argument:
            kwargs[argument] = value
        elif isinstance(value, dict):
            kwargs |= value
        else:
            raise Fail(
                f"expand_kwargs needs dicts of arguments, but item {run.map_index} is {item!r}"
            )
    return args, kwargs


def names_of_positional(task: Task) -> Iterator[str]:
    """Yield the names of the parameters that positional arguments fill, then none forever."""
    if task.function is not None and task.templated:
        for parameter in signature_of(task.function).parameters.values():
            if parameter.positional:
                yield parameter.name
    yield from repeat("")


def items_of_axes(axes: Mapping[str, object], inputs: Inputs) -> Iterator[tuple[str, object, bool]]:
    """Yield the argument of each axis, its item in this instance, and whether it stands in the file."""
    places = zip(inputs.positions, inputs.items, strict=False)
    for argument, axis in axes.items():
        if isinstance(axis, (list, tuple, dict)):
            yield argument, item_at(axis, next(places)[0]), True
        elif isinstance(axis, Listed):
            yield argument, item_of(axis, places), False
        else:
            yield argument, next(places)[1], False


def item_of_group(reference: GroupItem, items: Mapping[str, object]) -> object:
    """Return the value of an argument of the mapped group. Raises Fail."""
    if reference.name in items:
        return items[reference.name]
    given = items.get("")
    if isinstance(given, dict) and reference.name in given:
        return given[reference.name]
    default = reference.group.default_of(reference.name)
    if default is not NO_DEFAULT and isinstance(given, dict):
        return default
    raise Fail(
        f"expand_kwargs of the group {reference.group.group_id} needs dicts with "
        f"{reference.name!r}, but an item is {given!r:.200}"
    )


def stored(dag: "DAG", task: Task, value: object) -> dict[str, object]:
    """The result, and the items of it that other tasks refer to.

    None is stored only if somebody reads it, and never of a mapped task: its instance leaves the list
    that the tasks behind it get, as in Airflow.
    """
    if not task.options.get("do_xcom_push", True) or (value is None and task.mapped):
        return {}
    keys = dag.referenced_keys().get(task.task_id, set())
    xcoms = {RESULT_KEY: value} if value is not None or RESULT_KEY in keys else {}
    if task.options.get("multiple_outputs"):
        keys = keys | outputs(task, value)
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


def outputs(task: Task, value: object) -> set[str]:
    """Return the keys of a result that consists of several. Raises Fail if it does not."""
    wrong = (
        f"{task.task_id} has multiple_outputs=True, so it must return a dict with strings as keys"
    )
    if not isinstance(value, dict):
        raise Fail(f"{wrong}, not {type(value).__name__}")
    if len(value) > OUTPUTS_MAX:
        raise Fail(f"{wrong}, at most {OUTPUTS_MAX} of them, not {len(value):,}")
    for key in value:
        if not isinstance(key, str) or OUTPUT.fullmatch(key) is None or key == RESULT_KEY:
            raise Fail(f"{wrong}, of letters, digits and _, not {key!r:.80}")
    return set(value)


def followed(dag: "DAG", task: Task, value: object) -> list[str] | None:
    if task.follows is Follows.ALL:
        return None
    if task.follows is Follows.AGAIN:
        from headway.authoring.loops import next_of

        return next_of(task, value)
    if task.follows in (Follows.IF_TRUE, Follows.IF_TRUE_DIRECT):
        return sorted(task.downstream) if value else teardowns_below(task)
    names = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, (list, tuple, set, frozenset)):
        raise Fail(f"a branch must return a task id, a list of task ids or None, not {value!r}")
    return sorted({task_id for name in names for task_id in chosen(dag, task, name)})


def teardowns_below(gate: Task) -> list[str]:
    """Return what a short circuit never skips: what was set up is cleaned up."""
    return sorted(name for name, each in gate.downstream.items() if is_teardown(each))


def chosen(dag: "DAG", branch: Task, name: object) -> list[str]:
    """Return the tasks that a branch means: one that is downstream of it, or the first ones of a group."""
    if name in branch.downstream:
        return [str(name)]
    below = all_below(branch)
    if name in below:
        return [str(name)]
    groups = [group for group in dag.all_groups if below.issuperset(first_of(group))]
    for group in groups:
        if name in (group.path, group.group_id, group.prefix.removesuffix(".")):
            return first_of(group)
    known = [*branch.downstream, *(group.path for group in groups)]
    hint = did_you_mean(str(name), known) or f"it chooses among {listing(known) or 'none'}"
    raise Fail(
        f"{branch.task_id} branches to {name!r}, which is not a task or group downstream of it; {hint}"
    )


def first_of(group: "TaskGroup") -> list[str]:
    return [task.task_id for task in group.roots()]


def all_below(task: Task) -> set[str]:
    found: set[str] = set()
    stack = [task]
    while stack:
        for name, below in stack.pop().downstream.items():
            if name not in found:
                found.add(name)
                stack.append(below)
    return found
