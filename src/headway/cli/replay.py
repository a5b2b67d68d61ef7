"""``headway replay``: repeat a run with its original code and parameters."""

from typing import Annotated

import msgspec
import typer

from headway import config
from headway.cli.options import Data, Format, Output, RunId
from headway.cli.output import line, show
from headway.cli.terminal import say

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would run, and what would differ.")
]


def replay(
    run_id: RunId, dry_run: DryRun = False, data: Data = None, output: Format = Output.TABLE
) -> None:
    """Repeat a run as it was, and print the new run id. The DAG version, files, parameters and dates are the same."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    if not dry_run:
        run = client.replay(run_id)
        say(
            f"run {run.run_id} of {run.dag_id} is a {run.note}; to follow it: headway show {run.run_id}"
        )
        line(run.run_id)
        return
    would = client.would_replay(run_id)
    rows = [
        ("run", f"{would.run_id} of {would.dag_id}"),
        ("version", would.version),
        ("bundle", would.bundle_version),
        ("params", msgspec.json.encode(would.params).decode()),
        ("logical date", would.logical_date),
        ("would wait", would.would_wait),
        *(("differs", sentence) for sentence in would.not_reproduced),
    ]
    show(would, output, ("WHAT", "IS"), rows)
