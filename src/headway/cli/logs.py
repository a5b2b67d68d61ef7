"""``headway logs``: print and search the logs of tasks."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from headway import clock, config
from headway.cli.options import Data, MapIndex
from headway.cli.output import line
from headway.cli.terminal import say
from headway.errors import UsageError

if TYPE_CHECKING:
    from headway import wire
    from headway.client import Client

FOLLOW_S = 0.3


def logs(
    run_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help="Run id or unique prefix, @latest, @failed or DAG@latest."
        ),
    ] = None,
    task_id: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="Default: the first task that failed.")
    ] = None,
    index: MapIndex = None,
    attempt: Annotated[int | None, typer.Option(help="Default: the latest attempt.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow the log until the attempt ends.")
    ] = False,
    grep: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Search for lines that match a regular expression."),
    ] = None,
    dag: Annotated[
        str | None, typer.Option(help="With --grep: search only runs of this DAG.")
    ] = None,
    data: Data = None,
) -> None:
    """Print the log of a task. With --grep, search the logs of a task, a run or all runs."""
    from headway.cli.trouble import first_with_log
    from headway.client import client_of

    client = client_of(config.layout(data))
    if grep is not None:
        print_matches(client, grep, dag, run_id, task_id)
        return
    if run_id is None:
        raise UsageError(
            "no run given",
            hint="name a run, for instance headway logs @latest, or search all logs with --grep",
        )
    if task_id is None:
        task_id, index = first_with_log(client, run_id)
        place = task_id if index < 0 else f"{task_id}[{index}]"
        say(f"log of {place}:")
    offset = 0
    while True:
        text, offset, complete = client.log(run_id, task_id, index, attempt, offset)
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        if complete or (not text and not follow):
            if offset == 0:
                say(silence(client, run_id, task_id, index, complete))
            return
        if not text:
            clock.sleep(FOLLOW_S)


def silence(client: "Client", run_id: str, task_id: str, index: int | None, complete: bool) -> str:
    """Return why there is nothing to print: the task has not started, or it has printed nothing."""
    if client.instance(run_id, task_id, index).attempts == 0:
        return f"{task_id} has not started; to see why: headway why {run_id} {task_id}"
    return f"{task_id} printed nothing" if complete else f"{task_id} has printed nothing yet"


def print_matches(
    client: "Client", pattern: str, dag: str | None, run_id: str | None, task_id: str | None
) -> None:
    """Format a match as grep does: the place, then the line."""
    found: Iterable[wire.RunLogMatch]
    if run_id is None:
        found = client.search_logs(pattern, regex=True, ignore_case=False, dag_id=dag)
    else:
        run_id = client.run(run_id).run_id
        found = client.search_run(run_id, pattern, regex=True, ignore_case=False)
    for match in found:
        if task_id not in (None, match.task_id):
            continue
        of_run = run_id or getattr(match, "run_id", "")
        index = f"[{match.map_index}]" if match.map_index >= 0 else ""
        line(f"{of_run} {match.task_id}{index} #{match.attempt}:{match.line}: {match.text}")
