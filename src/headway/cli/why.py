"""``headway why``: explain why a run or task waits or failed."""

from typing import Annotated

import typer

from headway import config
from headway.cli.hints import placed
from headway.cli.options import Data, MapIndex
from headway.cli.output import line
from headway.errors import NotFound


def why(
    run_id: Annotated[
        str,
        typer.Argument(
            metavar="RUN|DAG", help="Run id or unique prefix, @latest, @failed, or a DAG."
        ),
    ],
    task_id: Annotated[str | None, typer.Argument(metavar="[TASK]")] = None,
    index: MapIndex = None,
    data: Data = None,
) -> None:
    """Explain why a run or task waits or failed. For a DAG: what its next run waits for."""
    from headway.cli import asset, trouble
    from headway.client import client_of

    client = client_of(config.layout(data))
    try:
        run = client.run(run_id)
    except NotFound as error:
        if task_id is not None:
            raise
        asset.explain(run_id, error, data)
        return
    if task_id is not None:
        instance = client.instance(run.run_id, task_id, index)
        line(placed(f"{trouble.place(instance)} {trouble.stands(client, instance)}"))
        if instance.wait is not None:
            line(placed(trouble.waiting(instance, instance.wait)))
        if instance.state in ("failed", "up_for_retry"):
            for text in trouble.describe(client, run.run_id, task_id, instance.map_index):
                line(text)
        return
    tasks = client.tasks(run.run_id)
    waits = (*trouble.unstarted(client, run), *trouble.blocked(tasks), *trouble.retrying(tasks))
    for text in (trouble.standing(run), *waits):
        line(placed(text))
    for state in ("deferred", "up_for_reschedule"):
        if run.counts.get(state):
            for each in client.instances(run.run_id, state=state):
                line(placed(f"{trouble.place(each)} is {state}: {each.reason}"))
    for text in trouble.calls(client, run):
        line(placed(text))
    if run.counts.get("failed"):
        for text in trouble.failures(client.diagnosis(run.run_id)):
            line(text)
    if run.counts.get("failed") or run.counts.get("up_for_retry"):
        for text in trouble.describe(
            client, run.run_id, *trouble.first_trouble(client, run.run_id)
        ):
            line(text)
