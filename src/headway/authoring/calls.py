"""The step from a call in a DAG file to a task of the DAG: check names, bind arguments, make the id."""

from collections.abc import Callable, Iterable, Mapping

from headway.authoring import context
from headway.authoring.context import current_dag, current_group
from headway.authoring.frames import Site, call_site, line_of, origin
from headway.authoring.graph import Node
from headway.authoring.operators.base import Operator
from headway.authoring.options import TASK_OPTIONS, read_options
from headway.authoring.references import RESULT_KEY, ParamRef, XComArg
from headway.authoring.signatures import Signature
from headway.authoring.task import Arguments, Follows, Task
from headway.spec.carried import shown
from headway.spec.errors import BadSpec, did_you_mean, listing


def add_task(
    operator: Operator,
    task_id: object,
    arguments: Arguments,
    given: Mapping[str, object],
    word: str,
    function: Callable[..., object] | None = None,
    follows: Follows = Follows.ALL,
) -> Task:
    dag = current_dag(word)
    site = origin(context.file_read)
    at = Site(site.file, line_of(function, site) if function else site.line, site.module)
    if not isinstance(task_id, str):
        raise wrong(f"{word}: task_id must be a string, not {task_id!r}", at)
    more = ("task_id", *(() if function else operator.parameters))
    group = current_group()
    if arguments.axes and group is not None and (around := group.mapped()) is not None:
        raise wrong(
            f"{word} is mapped inside of the mapped group {around.group.group_id}",
            hint="map the group over all items, made by a task before it, or take the task out of the group",
        )
    if arguments.axes:
        refuse_in_loop(word)
    defaults = dag.default_args if group is None else group.default_args
    options = read_options({**operator.usual, **defaults, **given}, TASK_OPTIONS, at, word, more)
    if function and "doc" not in options and function.__doc__:
        options["doc"] = shown(function.__doc__.strip())
    return Task(
        dag=dag,
        task_id=dag.free_task_id(task_id, function, at),
        operator=operator,
        arguments=arguments,
        options=options,
        line=at.line,
        function=function,
        follows=follows,
    )


def refuse_in_loop(word: str) -> None:
    """Refuse what is mapped inside of a loop."""
    group = current_group()
    if group is not None and (around := group.looped()) is not None:
        raise wrong(
            f"{word} is mapped inside of the loop {around.path}",
            hint="work through the list in one task, or start a DAG for each item from a task of the loop",
        )


def wrong(message: str, site: Site | None = None, hint: str | None = None) -> BadSpec:
    site = site or call_site()
    return BadSpec(message, file=site.file, line=site.line, hint=hint)


def refuse_unknown(
    word: str, signature: Signature, args: tuple[object, ...], names: Iterable[str]
) -> set[str]:
    """Refuse arguments that the function does not take; else the names of those given."""
    positional = [p.name for p in signature.parameters.values() if p.positional]
    if len(args) > len(positional) and not signature.varargs:
        raise wrong(
            f"{word} takes {len(positional)} positional arguments but {len(args)} were given"
        )
    by_place, by_name = set(positional[: len(args)]), set(names)
    for name in sorted(by_place & by_name):
        raise wrong(f'{word} got "{name}" twice')
    for name in signature.unknown(by_name):
        known = list(signature.parameters)
        hint = did_you_mean(name, known) or f"it has {listing(known) or 'none'}"
        raise wrong(f'{word} has no argument "{name}"', hint=hint)
    return by_place | by_name


def refuse_missing(word: str, signature: Signature, given: set[str]) -> None:
    if missing := signature.missing(given):
        raise wrong(
            f"{word} needs {' and '.join(missing)}",
            hint="give it in the call, or a default in the function",
        )


def check_axes(name: str, kwargs: Mapping[str, object], axes: Mapping[str, object]) -> None:
    """Check that mapped arguments have items and are given once."""
    if not axes:
        raise wrong(
            f"{name}.expand() needs the argument to map over",
            hint=f"for instance {name}.expand(item=[1, 2, 3])",
        )
    for argument, value in axes.items():
        if argument in kwargs:
            raise wrong(f'{name} got the argument "{argument}" from both partial() and expand()')
        if isinstance(value, XComArg) and value.key != RESULT_KEY:
            raise wrong(
                f"{name} can be mapped over a whole result, not over {value!r}",
                hint="let the upstream task return only that list",
            )
        if isinstance(value, (list, tuple, dict, Node)):
            continue
        given = f"{argument}={value!r}" if argument else repr(value)
        kind = "a parameter" if isinstance(value, ParamRef) else type(value).__name__
        raise wrong(
            f"{name} can be mapped over a list, tuple, dict or the result of a task, "
            f"but {given} is {kind}",
            hint=f"put it in a list: {argument}=[{value!r}]"
            if isinstance(value, (str, int, float))
            else "let a task return the list",
        )


def check_items(name: str, items: object) -> None:
    """Check the argument of ``expand_kwargs``: dicts of arguments, or a task's result."""
    check_axes(name, {}, {"": items})
    if isinstance(items, dict):
        raise wrong(f"{name}.expand_kwargs() needs a list of dicts, not one dict")
    for place, item in enumerate(items if isinstance(items, (list, tuple)) else ()):
        if not isinstance(item, (dict, Node)):
            raise wrong(
                f"{name}.expand_kwargs() needs dicts of arguments, but item {place} is {item!r}"
            )


def split_options(
    kwargs: dict[str, object], parameters: Iterable[str]
) -> tuple[dict[str, object], dict[str, object]]:
    """The operator's own arguments, and the options of every task."""
    own = {name: value for name, value in kwargs.items() if name in parameters}
    return own, {name: value for name, value in kwargs.items() if name not in own}
