"""``headway check``: would these DAG files load?"""

from pathlib import Path
from typing import Annotated

import typer

from headway import config
from headway.cli.options import Format, Output
from headway.cli.output import show
from headway.cli.terminal import paint, say


def check(
    path: Annotated[Path | None, typer.Argument(help="A DAG file or a folder of them.")] = None,
    output: Format = Output.TABLE,
) -> None:
    """Load DAG files as the server would, and say what is wrong where."""
    from headway.services.check import check as load

    folder = path or config.default_dags()
    found = load(folder)
    root = folder if folder.is_dir() else folder.parent
    rows = [
        (dag.dag_id, len(dag.tasks), f"{root / each.file}:{dag.line or 1}")
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
        place = f"{warned['file']}:{warned['line']}" if warned["line"] else str(warned["file"])
        hint = f"; {warned['hint']}" if warned["hint"] else ""
        say(f"{paint('!', 'yellow')} {place}: {warned['message']}{hint}")
    for error in errors:
        place = f"{error['file']}:{error['line']}" if error["line"] else str(error["file"])
        say(f"{paint('✗', 'red')} {place}: {error['message']}")
        if error["hint"]:
            say(f"  {error['hint']}")
    if errors:
        raise typer.Exit(2)
    if not found:
        say(f"no DAG file in {folder}: a DAG file is a .py file that imports headway")
