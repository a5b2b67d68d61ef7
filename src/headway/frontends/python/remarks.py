"""Finds what loads but is probably not meant: tasks nobody calls, DAGs without tasks or that trigger
themselves, defaults that calls share, branches to what is not downstream, mapping over results that are not lists,
files on the disk of a pod.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from headway.core import schedules
from headway.core.schedules import OR_ASSETS
from headway.core.schedules.on_assets import OnAssets, frozen, is_met
from headway.frontends.python.module_state import Warned
from headway.spec.container_tasks import EXECUTOR as PODS

if TYPE_CHECKING:
    from headway.authoring.dag import DAG

CALL = "call the task function in the body of the DAG"


def remarks(dags: "list[DAG]") -> list[Warned]:
    """Return the warnings about the DAGs of a file, by line."""
    looks = (uncalled, defaults, loops, strays, numbers, retry_rules, local_paths)
    found = [warned for dag in dags for look in looks for warned in look(dag)]
    return sorted(dict.fromkeys(found), key=lambda warning: warning.line or 0)


def uncalled(dag: "DAG") -> Iterator[Warned]:
    idle = [function for function in dag.functions if not function.called]
    for function in idle:
        said = f"task {function.name} of DAG {dag.dag_id} is never called, so no run has it"
        yield Warned(said, line_of(function.function), f"call it in the DAG: {function.name}()")
    if not dag.tasks and not idle:
        yield Warned(f"DAG {dag.dag_id} has no tasks", dag.site.line, CALL)


def defaults(dag: "DAG") -> Iterator[Warned]:
    """A default is made once, so what one call changes is there in the next one of the same process."""
    for task in dag.tasks.values():
        for name, value in mutable_defaults(task.function):
            yield Warned(
                f"the default of {name} in {task.function.__name__}() is a {type(value).__name__}, "  # type: ignore[union-attr]
                "which calls in the same process share",
                line_of(task.function),
                f"use {name}=None, and create the {type(value).__name__} inside the function",
            )


def loops(dag: "DAG") -> Iterator[Warned]:
    """A DAG that waits only for what its own tasks update never comes to rest once it has run."""
    kept = schedules.keep(dag.options.get("schedule"), "UTC") or {}
    condition = kept.get(OnAssets.word) or kept.get(OR_ASSETS)
    ours = {asset.name for task in dag.tasks.values() for asset in task.options.get("outlets", ())}
    if condition is not None and is_met(frozen(condition), ours):
        yield Warned(
            f"DAG {dag.dag_id} updates the assets that it waits for, so each run triggers the next one",
            dag.site.line,
            "remove the outlet, or wait for another asset",
        )


def strays(dag: "DAG") -> Iterator[Warned]:
    """A branch fails when it names what is not below it, which is known where the name stands in its function."""
    from headway.authoring.execute import chosen
    from headway.authoring.run import Fail
    from headway.authoring.task import Follows

    for task in dag.tasks.values():
        if task.follows is not Follows.NAMED or task.function is None:
            continue
        for name, line in names_returned(task.function):
            try:
                chosen(dag, task, name)
            except Fail as error:
                said, _, hint = str(error).partition("; ")
                yield Warned(said, line, hint)


def names_returned(function: Callable[..., Any]) -> Iterator[tuple[str, int]]:
    """Yield the texts that a function returns as they are written, alone or in a list, with their lines."""
    import ast
    import inspect
    import textwrap

    try:
        lines, first = inspect.getsourcelines(function)
        (node,) = ast.parse(textwrap.dedent("".join(lines))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return
    for one in returns(node):
        value = one.value
        for each in value.elts if isinstance(value, ast.List | ast.Tuple) else [value]:
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield each.value, first + each.lineno - 1


def returns(node: Any) -> Iterator[Any]:
    """Yield the return statements of a function, without those of functions in it."""
    import ast

    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
        ):
            yield from returns(child)


def numbers(dag: "DAG") -> Iterator[Warned]:
    """A task cannot be mapped over the result of a function that says it returns one number or text."""
    from headway.authoring.references import RESULT_KEY, XComArg

    for task in dag.tasks.values():
        for argument, value in task.axes.items():
            source = value.task if isinstance(value, XComArg) and value.key == RESULT_KEY else None
            note = getattr(source.function if source else None, "__annotations__", {}).get("return")
            kind = note if isinstance(note, str) else getattr(note, "__name__", "")
            if (
                source is not None
                and not source.has_many
                and kind in ("bool", "float", "int", "str")
            ):
                yield Warned(
                    f"{task.task_id} is mapped over {argument}={source.task_id}(), which returns {kind}",
                    task.line,
                    "let it return a list, or pass the result without expand()",
                )


def retry_rules(dag: "DAG") -> Iterator[Warned]:
    """A retry rule that never decides."""
    for task in dag.tasks.values():
        if not (policy := task.options.get("retry_policy")):
            continue
        from headway.authoring.retry_rules import useless  # few tasks have any

        timeout = task.options.get("execution_timeout_s") is not None
        for rule, number, why, hint in useless(policy, timeout):
            line = rule.site.line if rule.site.file == dag.site.file else task.line
            yield Warned(f"{task.task_id}: retry rule {number} never decides: {why}", line, hint)


def local_paths(dag: "DAG") -> Iterator[Warned]:
    """A task in a pod that writes to the pod's own disk."""
    for task in dag.tasks.values():
        if task.options.get("executor") != PODS or task.function is None:
            continue
        from headway.authoring.pods import folded
        from headway.frontends.local_paths import found  # most files have no such task

        pod = folded(task.options).get("pod") or {}
        for told in found(task.task_id, task.function, pod, dag.site.file):
            yield Warned(*told)


def mutable_defaults(function: Callable[..., Any] | None) -> Iterator[tuple[str, object]]:
    code = getattr(function, "__code__", None)
    if code is None:
        return
    positional = getattr(function, "__defaults__", None) or ()
    names = code.co_varnames[: code.co_argcount][code.co_argcount - len(positional) :]
    given = {
        **dict(zip(names, positional, strict=True)),
        **(getattr(function, "__kwdefaults__", None) or {}),
    }
    for name, value in given.items():
        if type(value) in (list, dict, set):
            yield name, value


def line_of(function: Callable[..., Any] | None) -> int | None:
    code = getattr(function, "__code__", None)
    return None if code is None else int(code.co_firstlineno)
