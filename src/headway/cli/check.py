"""``headway check``: check that DAG files load."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway import config, frontends
from headway.cli.options import Format, Output
from headway.cli.output import located, show
from headway.cli.terminal import paint, say

if TYPE_CHECKING:
    from headway.spec.model import Dag


def check(
    path: Annotated[Path | None, typer.Argument(help="A DAG file or a DAG folder.")] = None,
    output: Format = Output.TABLE,
) -> None:
    """Check that DAG files load. Reports each error with its file and line."""
    from headway.cli.place import DAG_HINT, WITHOUT_DAG, refuse_unclaimed
    from headway.loader.check import check as load

    folder = path or config.default_dags()
    if folder.is_file():
        refuse_unclaimed(folder)
    found = load(folder)
    root = folder if folder.is_dir() else folder.parent
    rows = [
        (dag.dag_id, len(dag.tasks), located(root / each.file, dag.line))
        for each in found
        for dag in each.dags
    ]
    errors = [
        {
            "file": str(root / each.file),
            "line": each.error.line,
            "message": each.error.message,
            "hint": each.error.hint,
        }
        for each in found
        if each.error is not None
    ]
    warnings = [
        {
            "file": str(root / each.file),
            "line": warned.line,
            "message": warned.message,
            "hint": warned.hint,
        }
        for each in found
        for warned in each.warnings
    ]
    dags = [{"dag_id": name, "tasks": tasks, "where": where} for name, tasks, where in rows]
    show(
        {"dags": dags, "errors": errors, "warnings": warnings},
        output,
        ("DAG", "TASKS", "WHERE"),
        rows,
    )
    for warned in warnings:
        say(f"{paint('!', 'yellow')} {told(warned)}")
    if (note := without_pods(dag for each in found for dag in each.dags)) is not None:
        say(f"{paint('!', 'yellow')} {note}")
    for error in errors:
        say(f"{paint('✗', 'red')} {told(error)}")
    if errors:
        raise typer.Exit(2)
    if folder.is_file() and not dags:
        say(f"{paint('!', 'yellow')} {folder}: {WITHOUT_DAG}; {DAG_HINT}")
    if not found:
        say(f"no DAG files in {folder}; a DAG file is {frontends.described()}")


def without_pods(dags: "Iterable[Dag]") -> str | None:
    """Return what containers need that a server on this machine does not have by itself."""
    from headway.spec.container_tasks import KIND

    if os.environ.get("HEADWAY_KUBERNETES"):
        return None
    names = [
        f"{dag.dag_id}.{task.task_id}" for dag in dags for task in dag.tasks if task.kind == KIND
    ]
    if not names:
        return None
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return (
        f"{names[0]}{more}: a container runs in a pod, so the server needs Kubernetes: "
        "headway up --kubernetes FILE"
    )


def told(found: dict[str, Any]) -> str:
    hint = f"; {found['hint']}" if found["hint"] else ""
    return f"{located(found['file'], found['line'])}: {found['message']}{hint}"
