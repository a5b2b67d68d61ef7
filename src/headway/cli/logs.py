"""``headway logs``: what a task wrote."""

import sys
from typing import Annotated

import typer

from headway import clock, config
from headway.cli.options import Data, RunId
from headway.cli.terminal import say

FOLLOW_S = 0.3


def logs(
    run_id: RunId,
    task_id: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="Default: the first that failed.")
    ] = None,
    index: Annotated[int | None, typer.Option("--index", help="Of a mapped task.")] = None,
    attempt: Annotated[int | None, typer.Option(help="Default: the latest.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it ends.")] = False,
    data: Data = None,
) -> None:
    """Print the log of a task, from the beginning; -f goes on with it."""
    from headway.cli.trouble import first_trouble
    from headway.client import client_of

    client = client_of(config.layout(data))
    if task_id is None:
        task_id, index = first_trouble(client, run_id)
        place = task_id if index < 0 else f"{task_id}[{index}]"
        say(f"log of {place}:")
    offset = 0
    while True:
        text, offset, complete = client.log(run_id, task_id, index, attempt, offset)
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        if complete or (not text and not follow):
            return
        if not text:
            clock.sleep(FOLLOW_S)
