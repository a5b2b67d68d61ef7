"""``headway mark``: set the state of a run or a task by hand."""

from enum import StrEnum
from typing import Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output, RunId
from headway.cli.output import show
from headway.cli.terminal import say


class Mark(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"


Task = Annotated[str | None, typer.Argument(metavar="[TASK]")]
Index = Annotated[int, typer.Option("--index", help="Map index of a mapped task.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be marked.")]


def mark(
    run_id: RunId,
    state: Mark,
    task: Task = None,
    index: Index = -1,
    dry_run: DryRun = False,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Mark a run, or one task instance, as success or failed.

    Marking a run marks all its unfinished tasks; `success` also marks the failed ones.
    Running tasks are stopped first.
    """
    from headway.client import client_of

    client = client_of(config.layout(data))
    request = wire.MarkRequest(task_id=task, state=state, map_index=index)
    if not dry_run:
        run = client.mark(run_id, request)
        say(f"{task or 'all'} of run {run.run_id} of {run.dag_id} marked as {state}")
        return
    would = client.would_mark(run_id, request)
    rows = [(key.task_id, key.map_index if key.map_index >= 0 else None) for key in would.marked]
    show(would, output, ("TASK", "INDEX"), rows)
    say(f"{len(rows)} task instances of run {would.run_id} would be marked as {state}")
