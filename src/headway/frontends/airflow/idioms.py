"""The words of an earlier Airflow in a file, and providers that it lacks: told before a task fails of them."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from headway.frontends.base import Trouble

PROVIDER: Final = re.compile(r"No module named 'airflow\.providers\.([a-z0-9_]+(?:\.[a-z0-9_]+)?)")
# Of ``airflow.providers.x.y``: the packages whose name has two parts.
FAMILIES: Final = ("apache", "cncf", "common", "dbt", "microsoft")
EARLIER: Final = re.compile(
    r"No module named 'airflow\.|cannot import name .* from 'airflow|module 'airflow|SubDag|sla_miss|"
    r"unexpected keyword argument|[Ii]nvalid arguments were passed|missing keyword argument",
)
REWRITE: Final = (
    "if the file was written for an earlier Airflow, this rewrites most of it: "
    "ruff check --preview --select AIR --fix --unsafe-fixes FILE"
)
SUBDAGS: Final = "Airflow 3 has no SubDAGs, write a TaskGroup instead; "
# Names of the context that Airflow 3 does not have, and what stands for them.
GONE: Final = {
    "execution_date": "logical_date",
    "next_execution_date": "data_interval_end",
    "next_ds": "data_interval_end | ds",
    "next_ds_nodash": "data_interval_end | ds_nodash",
    "prev_execution_date_success": "prev_data_interval_start_success",
    "prev_execution_date": "prev_data_interval_start_success",
    "prev_ds": "prev_data_interval_start_success | ds",
    "prev_ds_nodash": "prev_data_interval_start_success | ds_nodash",
    "tomorrow_ds": "macros.ds_add(ds, 1)",
    "tomorrow_ds_nodash": "macros.ds_add(ds, 1)",
    "yesterday_ds": "macros.ds_add(ds, -1)",
    "yesterday_ds_nodash": "macros.ds_add(ds, -1)",
}
IN_TEMPLATE: Final = re.compile(r"\{[{%][^{}]*?(?<![\w.])(" + "|".join(GONE) + r")\b")
NO_SLAS: Final = "sla is ignored, because Airflow 3 has no SLAs"
TIME_OUTS: Final = "remove it; execution_timeout and dagrun_timeout limit how long something takes"


def hint(message: str, text: bytes = b"") -> str | None:
    """Return what helps against an error of the import, as far as its message and the text of the file tell."""
    if (found := PROVIDER.search(message)) is not None:
        parts = found[1].split(".")
        name = "-".join(parts[: 2 if parts[0] in FAMILIES else 1]).replace("_", "-")
        return f"install the provider: pip install apache-airflow-providers-{name}"
    if EARLIER.search(message) is None:
        return None
    return SUBDAGS + REWRITE if b"SubDagOperator" in text else REWRITE


def remarks(text: bytes) -> Iterator[Trouble]:
    """Return what the file asks of the context of tasks that is no longer there: once for each name."""
    tree = ast.parse(text)
    run = called(tree)
    told: set[str] = set()
    found = ((line, name) for node in ast.walk(tree) for line, name in gone(node, run))
    for line, name in sorted(found):
        if name in told:
            continue
        told.add(name)
        if name == "sla":
            yield Trouble(NO_SLAS, line, TIME_OUTS)
        else:
            message = f"{name} is not there for tasks: Airflow 3 has removed it"
            yield Trouble(message, line, f"write {GONE[name]}")


def called(tree: ast.AST) -> set[str]:
    """Return the functions that operators call."""
    given = (node for node in ast.walk(tree) if isinstance(node, ast.keyword))
    return {
        node.value.id
        for node in given
        if node.arg == "python_callable" and isinstance(node.value, ast.Name)
    }


def gone(node: ast.AST, run: set[str]) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Constant(value=str(text), lineno=line):
            yield from ((line, name) for name in IN_TEMPLATE.findall(text))
        case ast.Subscript(slice=ast.Constant(value=str(name)), lineno=line) if name in GONE:
            yield line, name
        case ast.Call(
            func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value=str(name)), *_]
        ) if name in GONE:
            yield node.lineno, name
        case ast.FunctionDef() if node.name in run or any(map(is_task, node.decorator_list)):
            yield from ((each.lineno, each.arg) for each in node.args.args if each.arg in GONE)
        case ast.keyword(arg="sla"):
            yield node.value.lineno, "sla"
        case ast.Dict(keys=keys):
            yield from (
                (key.lineno, "sla")
                for key in keys
                if isinstance(key, ast.Constant) and key.value == "sla"
            )


def is_task(decorator: ast.expr) -> bool:
    """Return whether it is ``@task``, or one of its kinds."""
    while isinstance(decorator, ast.Call | ast.Attribute):
        decorator = decorator.func if isinstance(decorator, ast.Call) else decorator.value
    return isinstance(decorator, ast.Name) and decorator.id == "task"
