"""``headway xcom``: the stored results of a run."""

from typing import Annotated, Any

import msgspec
import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output, RunId
from headway.cli.output import line, show
from headway.cli.terminal import say

VALUE_CHARS = 100
Index = Annotated[int | None, typer.Option("--index", help="Only this map index.")]
Key = Annotated[str | None, typer.Option("--key", help="Only this key, such as return_value.")]


def xcom(
    run_id: RunId,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]")] = None,
    index: Index = None,
    key: Key = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show what the tasks of a run returned. With a task, and if it has one result: the whole value as JSON."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    found = [
        each
        for each in client.xcoms(run_id, task_id=task, map_index=index)
        if key is None or each.key == key
    ]
    if output is Output.TABLE and task is not None and len(found) == 1 and found[0].file is None:
        line(msgspec.json.encode(found[0].value).decode())
        return
    rows = [
        (each.task_id, each.map_index if each.map_index >= 0 else None, each.key, shown(each))
        for each in found
    ]
    show(found, output, ("TASK", "INDEX", "KEY", "VALUE"), rows)
    if not found:
        say(f"no result is stored for {task or 'this run'}; a task that returns nothing has none")


def shown(found: wire.XCom) -> str:
    if found.file is not None:
        return f"in a file of {found.size:,} bytes: {found.file}"
    text = compact(found.value)
    return text if len(text) <= VALUE_CHARS else f"{text[: VALUE_CHARS - 1]}…"


def compact(value: Any) -> str:
    return msgspec.json.encode(value).decode()
