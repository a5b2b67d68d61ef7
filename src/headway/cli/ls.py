"""``headway ls``: list DAGs, runs and import errors."""

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import located, seconds, show
from headway.cli.terminal import paint, say
from headway.core.aliases import said
from headway.core.triggers import Trigger
from headway.core.words import counted, listed
from headway.errors import NotAllowed

if TYPE_CHECKING:
    from headway import wire
    from headway.client import Client


class What(StrEnum):
    DAGS = "dags"
    RUNS = "runs"
    AIRFLOW_RUNS = "airflow-runs"
    BACKFILLS = "backfills"
    ERRORS = "errors"


def ls(
    what: Annotated[What, typer.Argument(help="What to list.")] = What.DAGS,
    dag: Annotated[
        str | None, typer.Option(help="Show only runs or backfills of this DAG.")
    ] = None,
    state: Annotated[str | None, typer.Option(help="Show only runs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of runs.")] = 20,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """List DAGs, runs, backfills or files that failed to load.

    Of DAGs that moved here, also the runs that were imported from Airflow.
    """
    from headway.client import client_of

    client = client_of(config.layout(data))
    if what is What.DAGS:
        list_dags(client, output)
    elif what is What.RUNS:
        list_runs(client, dag, state, limit, output)
    elif what is What.AIRFLOW_RUNS:
        list_airflow_runs(client, dag, limit, output)
    elif what is What.BACKFILLS:
        list_backfills(client, dag, output)
    else:
        list_errors(client, output)


def list_errors(client: "Client", output: Output) -> None:
    """Print warnings for people. In JSON output they are part of each DAG."""
    errors = client.import_errors()
    rows = [(located(e.file, e.line), e.message) for e in errors]
    show(errors, output, ("WHERE", "ERROR"), rows)
    warned = dict.fromkeys((dag.file, text) for dag in client.dags() for text in dag.warnings)
    for file, text in warned:
        say(f"{paint('!', 'yellow')} {file}: {text}")


def list_dags(client: "Client", output: Output) -> None:
    dags = client.dags()
    rows = [
        (d.dag_id, d.schedule_words, "paused" if d.paused_at else d.last_run_state,
         d.last_run_at, d.next_run_at, ",".join(d.tags))
        for d in dags
    ]  # fmt: skip
    show(dags, output, ("DAG", "SCHEDULE", "LAST RUN", "AT", "NEXT", "TAGS"), rows)
    if broken := len(client.import_errors()):
        say(f"{counted(broken, 'file')} failed to load; run: headway ls errors")
    elif not dags:
        say_where_dags_are(client)


def say_where_dags_are(client: "Client") -> None:
    """Name the other teams that have DAGs, to those who may see them."""
    with suppress(NotAllowed):
        if others := [team.name for team in client.teams() if team.dags]:
            say(f"this team has no DAGs; {listed(others)} {'has' if len(others) == 1 else 'have'}")
            say(f"to list them: headway ls --team {others[0]}")


def list_runs(
    client: "Client", dag: str | None, state: str | None, limit: int, output: Output
) -> None:
    runs = client.runs(limit, dag_id=dag, state=state)
    if not runs and dag is not None:
        client.dag(dag)  # NotFound, with what was probably meant
    rows = [
        (r.run_id, r.dag_id, r.state, r.trigger, about(r), r.logical_date, seconds(r.started_at, r.ended_at))
        for r in runs
    ]  # fmt: skip
    show(runs, output, ("RUN", "DAG", "STATE", "TRIGGER", "FOR", "LOGICAL DATE", "TOOK"), rows)


def list_airflow_runs(client: "Client", dag: str | None, limit: int, output: Output) -> None:
    """Print the runs of a DAG; without one, the DAGs of which there are some."""
    if dag is None:
        dags = client.airflow_dags()
        of_dags = [(d.dag_id, d.runs, d.done_until, d.imported_at) for d in dags]
        show(dags, output, ("DAG", "RUNS IN AIRFLOW", "GOES ON AFTER", "IMPORTED"), of_dags)
        return
    runs = client.airflow_runs(dag, min(limit, 2_000))
    rows = [
        (r.run_id, r.state, r.run_type, r.logical_date, r.started_at, seconds(r.started_at, r.ended_at), r.tasks)
        for r in runs
    ]  # fmt: skip
    columns = ("RUN IN AIRFLOW", "STATE", "TYPE", "LOGICAL DATE", "STARTED", "TOOK", "TASKS")
    show(runs, output, columns, rows)


def about(run: "wire.Run") -> str | None:
    """Return the partition of a run, the assets that started it, or what a callback is called for."""
    if run.trigger == Trigger.CALLBACK and run.note:
        return run.note
    names = [said(asset) for asset in run.assets]
    parts = [
        run.partition or "",
        f"of {listed(names)}" if run.partition and names else listed(names),
    ]
    return " ".join(part for part in parts if part) or None


def list_backfills(client: "Client", dag: str | None, output: Output) -> None:
    backfills = client.backfills(dag_id=dag)
    rows = [
        (b.backfill_id, b.dag_id, b.first, b.last, f"{b.done}/{b.total}",
         " ".join(f"{state} {n}" for state, n in sorted(b.counts.items())), b.cancelled_by)
        for b in backfills
    ]  # fmt: skip
    columns = ("BACKFILL", "DAG", "FIRST", "LAST", "DONE", "RUNS", "CANCELLED BY")
    show(backfills, output, columns, rows)
