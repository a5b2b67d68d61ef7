"""``headway clear``: run tasks of a run again, with their downstream tasks."""

from typing import TYPE_CHECKING, Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output, RunId
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.words import counted

if TYPE_CHECKING:
    from headway.client import Client

Index = Annotated[
    list[int] | None, typer.Option("--index", help="Clear only this map index. Can be repeated.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show which task instances would run again.")
]


def clear(
    run_id: RunId,
    tasks: Annotated[list[str] | None, typer.Argument(metavar="[TASK]…")] = None,
    index: Index = None,
    downstream: Annotated[bool, typer.Option(help="Also clear downstream tasks.")] = True,
    upstream: Annotated[bool, typer.Option(help="Also clear upstream tasks.")] = False,
    dry_run: DryRun = False,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Clear tasks of a run so that they run again. Without task names: all tasks."""
    from headway.client import client_of

    request = wire.ClearRequest(
        tasks=tasks or [],
        map_indexes=index or [],
        downstream=downstream,
        upstream=upstream,
        dry_run=dry_run,
    )
    ask(client_of(config.layout(data)), run_id, request, output)


def ask(client: "Client", run_id: str, request: wire.ClearRequest, output: Output) -> None:
    answer = client.clear(run_id, request)
    rows = [(key.task_id, key.map_index if key.map_index >= 0 else None) for key in answer.cleared]
    show(answer, output, ("TASK", "INDEX"), rows)
    verb = "would run" if request.dry_run else "runs" if len(rows) == 1 else "run"
    say(f"{counted(len(rows), 'task instance')} of run {answer.run_id} {verb} again")
