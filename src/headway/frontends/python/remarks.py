"""Finds what loads but is probably not meant: tasks nobody calls, DAGs without tasks or that trigger
themselves, defaults that calls share.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from headway.core.schedules.on_assets import OnAssets, frozen, is_met
from headway.frontends.python.module_state import Warned

if TYPE_CHECKING:
    from headway.authoring.dag import DAG

CALL = "call the task function in the body of the DAG"


def remarks(dags: "list[DAG]") -> list[Warned]:
    """Return the warnings about the DAGs of a file, by line."""
    found = [warned for dag in dags for warned in (*uncalled(dag), *defaults(dag), *loops(dag))]
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
    condition = OnAssets.keep(dag.options.get("schedule"))
    ours = {asset.name for task in dag.tasks.values() for asset in task.options.get("outlets", ())}
    if condition is not None and is_met(frozen(condition), ours):
        yield Warned(
            f"DAG {dag.dag_id} updates the assets that it waits for, so each run triggers the next one",
            dag.site.line,
            "remove the outlet, or wait for another asset",
        )


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
