"""``headway question``: what tasks ask people."""

from typing import Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show

app = typer.Typer(no_args_is_help=True, help="Questions of tasks that wait for a person.")


@app.command("ls")
def list_questions(
    dag: Annotated[str | None, typer.Option("--dag", help="Only of this DAG.")] = None,
    run: Annotated[str | None, typer.Option("--run", help="Only of this run.")] = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """List open questions, the latest first. To answer one: headway answer."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    found = client.questions(dag, None if run is None else client.run(run).run_id)
    rows = [
        (
            *(each.dag_id, each.run_id, place(each)),
            *(each.subject, " | ".join(each.options), each.asked_at, each.ends_at),
        )
        for each in found
    ]
    show(found, output, ("DAG", "RUN", "TASK", "SUBJECT", "OPTIONS", "ASKED", "UNTIL"), rows)


def place(asked: wire.Question) -> str:
    return asked.task_id if asked.map_index < 0 else f"{asked.task_id}[{asked.map_index}]"
