"""``headway cancel``: end a run, or a backfill, and stop its tasks."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data
from headway.cli.terminal import say
from headway.core.words import counted
from headway.errors import UsageError

RunId = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="Run id or unique prefix, @latest or DAG@latest."),
]
Backfill = Annotated[
    str | None,
    typer.Option("--backfill", help="Cancel this backfill instead (headway ls backfills)."),
]


def cancel(run_id: RunId = None, backfill: Backfill = None, data: Data = None) -> None:
    """Cancel a run, or a backfill with its runs. Running tasks get SIGTERM, then SIGKILL."""
    from headway.client import client_of

    if (run_id is None) == (backfill is None):
        raise UsageError(
            "name a run or a backfill",
            hint="headway cancel RUN, or headway cancel --backfill ID; to list: headway ls backfills",
        )
    client = client_of(config.layout(data))
    if backfill is not None:
        done = client.cancel_backfill(backfill)
        left = done.total - done.done
        rest = f"{counted(left, 'run')} being cancelled" if left else "all its runs have ended"
        say(f"backfill {done.backfill_id} of {done.dag_id} is cancelled; {rest}")
        return
    assert run_id is not None
    run = client.cancel(run_id)
    which = f"run {run.run_id} of {run.dag_id}"
    if run.ended_at is None:
        say(f"{which} is being cancelled")
    elif run.state == "cancelled":
        say(f"{which} is cancelled")
    else:
        say(f"{which} has already ended ({run.state}), so there is nothing to cancel")
