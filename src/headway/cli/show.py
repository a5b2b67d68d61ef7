"""``headway show``: one DAG, or one run with its tasks."""

from typing import Annotated, Final

import typer

from headway import config, wire
from headway.cli import trouble
from headway.cli.hints import placed
from headway.cli.options import Data, Format, Output
from headway.cli.output import cell, seconds
from headway.cli.output import show as show_data
from headway.cli.terminal import say
from headway.client import Client, client_of
from headway.core.words import counted
from headway.errors import NotFound
from headway.spec.model import Task
from headway.spec.outline import group_of

TASKS_MAX: Final = 40
WHY_MAX: Final = 160


def show(
    target: Annotated[
        str,
        typer.Argument(
            metavar="DAG|RUN",
            help="DAG id, run id or unique prefix, @latest, @failed or DAG@latest.",
        ),
    ],
    task_id: Annotated[
        str | None,
        typer.Argument(metavar="[TASK]", help="A task of the run: show each of its instances."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show all tasks or instances, not only the first ones.")
    ] = False,
    airflow_run: Annotated[
        str | None, typer.Option(help="A run of the DAG that was imported from Airflow.")
    ] = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show a DAG, a run with its tasks, or a task's instances."""
    client = client_of(config.layout(data))
    if airflow_run is not None:
        show_airflow_run(client, target, airflow_run, output, every=every)
        return
    if task_id is not None:
        show_task(client, target, task_id, output, every=every)
        return
    if "@" not in target:
        try:
            show_dag(client, target, output, every=every)
            return
        except NotFound as no_dag:
            try:
                client.run(target)
            except NotFound:
                raise no_dag from None
    show_run(client, target, output, every=every)


def show_airflow_run(
    client: Client, dag_id: str, run_id: str, output: Output, *, every: bool
) -> None:
    run = client.airflow_run(dag_id, run_id)
    shown = run.instances if every else run.instances[:TASKS_MAX]
    rows = [
        (i.task_id if i.map_index < 0 else f"{i.task_id}[{i.map_index}]", i.state, i.tries, i.started_at,
         seconds(i.started_at, i.ended_at), i.operator or None)
        for i in shown
    ]  # fmt: skip
    show_data(run, output, ("TASK", "STATE", "TRIES", "STARTED", "TOOK", "OPERATOR"), rows)
    if output is Output.TABLE:
        took = seconds(run.started_at, run.ended_at)
        say(f"{run.state} in Airflow after {took}, for {cell(run.logical_date)}")
        if len(rows) < run.tasks:
            say(f"{len(rows):,} of {run.tasks:,} task instances")


def show_dag(client: Client, dag_id: str, output: Output, *, every: bool) -> None:
    """Its tasks in the order of the file; in a table at most ``TASKS_MAX``, unless ``every`` one is asked for."""
    dag = client.dag(dag_id)
    tasks = dag.spec.tasks
    shown = tasks if every else tasks[:TASKS_MAX]
    grouped = any(task.group is not None for task in tasks)  # else their ids say it
    rows = [
        (task.task_id, *([group_of(task) or None] if grouped else ()),
         trouble.named(list(task.upstream)) or None, task.pool, task.queue, retries_of(task),
         f"{dag.file}:{task.line or 1}")
        for task in shown
    ]  # fmt: skip
    columns = (
        "TASK",
        *(["GROUP"] if grouped else ()),
        "AFTER",
        "POOL",
        "QUEUE",
        "RETRIES",
        "WHERE",
    )
    say(f"{dag.dag_id}, version {dag.version}, {dag.schedule_words}, {standing(dag)}")
    if dag.missing_since is not None:
        say(
            f"{dag.file} is no longer in the DAG folder, or no longer defines {dag.dag_id}, since "
            f"{cell(dag.missing_since)}: nothing will start. To have runs again, put it back; "
            f"to see the runs so far: headway ls runs --dag {dag.dag_id}"
        )
    show_data(dag, output, columns, rows)
    if output is Output.TABLE and (left := len(tasks) - len(shown)):
        say(f"and {counted(left, 'other task')}; to list all: headway show {dag.dag_id} --all")


def standing(dag: wire.DagSummary) -> str:
    if dag.missing_since is not None:
        return "its file is gone"
    return "paused" if dag.paused_at else "active"


def retries_of(task: Task) -> int | str:
    """Return how many retries a task has, and how many rules decide before that number does."""
    rules = len(task.retry_policy)
    return f"{task.retries}, {counted(rules, 'rule')}" if rules else task.retries


def show_run(client: Client, run_id: str, output: Output, *, every: bool) -> None:
    """The worst tasks first; in a table at most ``TASKS_MAX``, unless ``every`` one is asked for."""
    from headway.cli.tree import LOUDEST, state_of  # brings rich

    run = client.run(run_id)
    tasks = client.tasks(run.run_id)
    took = f", took {seconds(run.started_at, run.ended_at)}" if run.ended_at else ""
    say(f"run {run.run_id} of {run.dag_id}: {run.state}{took}")
    for image, digests in run.images.items():
        say(f"image {image}: {', '.join(digests)}")
    if run.set_aside is not None:
        say(trouble.standing(run))
    worst = sorted(tasks, key=lambda task: LOUDEST.index(state_of(task)))
    shown = worst if every else worst[:TASKS_MAX]
    rows = [
        (task.task_id, " ".join(f"{state} {n}" for state, n in sorted(task.counts.items())),
         seconds(task.started_at, task.ended_at), reason_of(task))
        for task in shown
    ]  # fmt: skip
    data = {"run": run, "tasks": tasks}
    show_data(data, output, ("TASK", "STATE", "TOOK", "WHY"), rows)
    if output is Output.TABLE and (left := len(tasks) - len(shown)):
        say(f"and {counted(left, 'other task')}; to list all: headway show {run.run_id[:6]} --all")


def show_task(client: Client, run_id: str, task_id: str, output: Output, *, every: bool) -> None:
    """The instances of a task, the worst first; those of a mapped one with their names."""
    from headway.cli.tree import LOUDEST  # brings rich

    run = client.run(run_id)
    found = client.instances(run.run_id, task_id=task_id)
    if not found:
        client.instance(run.run_id, task_id)  # says what is wrong
    worst = sorted(found, key=lambda each: LOUDEST.index(each.state))
    shown = worst if every else worst[:TASKS_MAX]
    rows = [
        (index_of(each), each.rendered_map_index, each.state, each.attempts,
         seconds(each.started_at, each.ended_at), cut(each.blocked_reason or each.reason))
        for each in shown
    ]  # fmt: skip
    say(f"{task_id} of run {run.run_id}: {counted(len(found), 'instance')}")
    show_data(found, output, ("INDEX", "NAME", "STATE", "ATTEMPTS", "TOOK", "WHY"), rows)
    if output is Output.TABLE and (left := len(found) - len(shown)):
        more = f"headway show {run.run_id[:6]} {task_id} --all"
        say(f"and {counted(left, 'other instance')}; to list all: {more}")


def index_of(instance: wire.TaskInstance) -> int | None:
    return instance.map_index if instance.map_index >= 0 else None


def reason_of(task: wire.RunTask) -> str | None:
    """Return why the task waits or ended as it did, cut where a line of a table would be."""
    if when := trouble.retrying([task]):
        retries = when[0].partition(": ")[2]
        if not task.counts.get("failed"):
            return retries
        others = counted(task.counts["up_for_retry"], "other instance")
        return f"{cut(task.reason)}; {others} to be retried, {cell(task.retry_at)}"
    return cut(task.blocked_reason or task.reason)


def cut(why: str | None) -> str | None:
    """Return the first line of a reason, no longer than a line of a table may be."""
    if why is None:
        return None
    first = placed(why.partition("\n")[0])
    return first if len(first) <= WHY_MAX else f"{first[: WHY_MAX - 1]}…"
