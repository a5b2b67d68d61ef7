"""``headway show``: one DAG, or one run with its tasks."""

from typing import Annotated

import typer

from headway import config
from headway.cli import trouble
from headway.cli.options import Data, Format, Output
from headway.cli.output import seconds
from headway.cli.output import show as show_data
from headway.cli.terminal import say
from headway.client import Client, client_of
from headway.errors import NotFound


def show(
    target: Annotated[
        str,
        typer.Argument(
            metavar="DAG|RUN", help="DAG id, run id or unique prefix, @latest or @failed."
        ),
    ],
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show a DAG, or a run with the states of its tasks."""
    client = client_of(config.layout(data))
    if not target.startswith("@"):
        try:
            show_dag(client, target, output)
            return
        except NotFound as no_dag:
            try:
                client.run(target)
            except NotFound:
                raise no_dag from None
    show_run(client, target, output)


def show_dag(client: Client, dag_id: str, output: Output) -> None:
    dag = client.dag(dag_id)
    rows = [
        (task.task_id, ", ".join(task.upstream) or None, task.pool, task.queue, task.retries,
         f"{dag.file}:{task.line or 1}")
        for task in dag.spec.tasks
    ]  # fmt: skip
    state = "paused" if dag.paused_at else "active"
    say(f"{dag.dag_id}, version {dag.version}, {dag.schedule_words}, {state}")
    show_data(dag, output, ("TASK", "AFTER", "POOL", "QUEUE", "RETRIES", "WHERE"), rows)


def show_run(client: Client, run_id: str, output: Output) -> None:
    run = client.run(run_id)
    tasks = client.tasks(run.run_id)
    took = f", took {seconds(run.started_at, run.ended_at)}" if run.ended_at else ""
    say(f"run {run.run_id} of {run.dag_id}: {run.state}{took}")
    if run.set_aside is not None:
        say(trouble.standing(run))
    rows = [
        (task.task_id, " ".join(f"{state} {n}" for state, n in sorted(task.counts.items())),
         seconds(task.started_at, task.ended_at), task.blocked_reason or task.reason)
        for task in tasks
    ]  # fmt: skip
    data = {"run": run, "tasks": tasks}
    show_data(data, output, ("TASK", "STATE", "TOOK", "WHY"), rows)
