"""``headway note``: a note on a run, for the people who look at it later."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, RunId
from headway.cli.terminal import say


def note(
    run_id: RunId,
    text: Annotated[str, typer.Argument(help='The text; "" removes the note.')],
    data: Data = None,
) -> None:
    """Write a note on a run. It replaces the note that the run has."""
    from headway.client import client_of

    run = client_of(config.layout(data)).write_note(run_id, text or None)
    said = "has a note" if run.note else "has no note"
    say(f"run {run.run_id} of {run.dag_id} {said}")
