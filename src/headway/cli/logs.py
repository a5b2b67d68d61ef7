"""``headway logs``: what a task wrote."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from headway import clock, config
from headway.cli.options import Data
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
        typer.Argument(metavar="[RUN]", help="A run's id, a unique prefix, @latest or @failed."),
    ] = None,
    task_id: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="Default: the first that failed.")
    ] = None,
    index: Annotated[int | None, typer.Option("--index", help="Of a mapped task.")] = None,
    attempt: Annotated[int | None, typer.Option(help="Default: the latest.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it ends.")] = False,
    grep: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Only lines that match an expression.")
    ] = None,
    dag: Annotated[str | None, typer.Option(help="With --grep: of this DAG's runs.")] = None,
    data: Data = None,
) -> None:
    """Print the log of a task, from the beginning; -f goes on with it. With --grep: the lines that match,
    of a task, of a run, or without one of all runs, the newest first.
    """
    from headway.cli.trouble import first_with_log
    from headway.client import client_of

    client = client_of(config.layout(data))
    if grep is not None:
        print_matches(client, grep, dag, run_id, task_id)
        return
    if run_id is None:
        raise UsageError("the log of which run?", hint="headway logs @latest, or give --grep")
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
            return
        if not text:
            clock.sleep(FOLLOW_S)


def print_matches(
    client: "Client", pattern: str, dag: str | None, run_id: str | None, task_id: str | None
) -> None:
    """As grep does: where, and the line."""
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
