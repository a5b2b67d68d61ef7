"""``headway retry``: run failed tasks again, with their downstream tasks."""

from typing import Annotated

import typer

from headway import config, wire
from headway.cli.clear import DryRun, Latest, ask, code_of
from headway.cli.options import Data, Format, Output, RunId


def retry(
    run_id: RunId,
    failed: Annotated[bool, typer.Option("--failed/--all", help="Retry only failed tasks.")] = True,
    latest: Latest = None,
    dry_run: DryRun = False,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Run the failed tasks of a run again. Their downstream tasks run again, too."""
    from headway.client import client_of

    request = wire.ClearRequest(failed_only=failed, dry_run=dry_run, code=code_of(latest))
    ask(client_of(config.layout(data)), run_id, request, output, chosen=latest is not None)
