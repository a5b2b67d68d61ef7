"""``headway diff``: how two runs of a DAG differ."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer

from headway import config
from headway.cli.options import Data, Format, Output, RunId
from headway.cli.output import cell, show
from headway.cli.terminal import say
from headway.core.words import duration

Other = Annotated[str, typer.Argument(metavar="OTHER", help="The run to compare with.")]


def diff(run_id: RunId, other: Other, data: Data = None, output: Format = Output.TABLE) -> None:
    """Show how two runs of a DAG differ. Compares version, parameters, state, times and tasks."""
    from headway.client import client_of

    found = client_of(config.layout(data)).compare(run_id, other)
    rows = [
        *((None, each.what, each.before, each.after) for each in found.differences),
        *((each.task_id, each.what, each.before, each.after) for each in found.tasks),
    ]
    columns = ("TASK", "WHAT", found.before.run_id, found.after.run_id)
    if not rows and output is Output.TABLE:
        say(f"runs {found.before.run_id} and {found.after.run_id} are identical")
        return
    shown = [(task, what, word(what, one), word(what, two)) for task, what, one, two in rows]
    show(found, output, columns, shown)


def word(what: str, value: Any) -> str:
    """Format a value for a person. The states of a task become counts."""
    if what == "duration" and isinstance(value, int | float):
        return duration(value)
    if what == "task":
        return "there" if value else "missing"
    if what == "states":
        return ", ".join(f"{state} {count}" for state, count in sorted(value.items())) or "none"
    if what == "logical date":
        return cell(datetime.fromisoformat(value))
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
