"""``headway why``: explain why a run or task waits or failed."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, RunId
from headway.cli.output import line


def why(
    run_id: RunId,
    task_id: Annotated[str | None, typer.Argument(metavar="[TASK]")] = None,
    index: Annotated[
        int | None, typer.Option("--index", help="Map index of a mapped task.")
    ] = None,
    data: Data = None,
) -> None:
    """Explain why a run or task waits or failed."""
    from headway.cli import trouble
    from headway.client import client_of

    client = client_of(config.layout(data))
    run = client.run(run_id)
    if task_id is not None:
        instance = client.instance(run.run_id, task_id, index)
        line(f"{task_id} is {instance.state}: {instance.blocked_reason or instance.reason or '-'}")
        if instance.state in ("failed", "up_for_retry"):
            for text in trouble.describe(client, run.run_id, task_id, instance.map_index):
                line(text)
        return
    line(trouble.standing(run))
    for text in trouble.blocked(client.tasks(run.run_id)):
        line(text)
    if run.counts.get("failed") or run.counts.get("up_for_retry"):
        for text in trouble.describe(
            client, run.run_id, *trouble.first_trouble(client, run.run_id)
        ):
            line(text)
