"""``headway pause``: stop starting runs of a DAG or a backfill until it is resumed."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data
from headway.cli.terminal import say
from headway.errors import UsageError

DagId = Annotated[str | None, typer.Argument(metavar="[DAG]", help="DAG id.")]
Backfill = Annotated[
    str | None,
    typer.Option("--backfill", help="This backfill instead of a DAG (headway ls backfills)."),
]


def pause(dag_id: DagId = None, backfill: Backfill = None, data: Data = None) -> None:
    """Pause a DAG or a backfill. No more of its runs start until `headway resume`."""
    from headway.client import client_of

    check_one(dag_id, backfill, "pause")
    client = client_of(config.layout(data))
    if backfill is not None:
        done = client.pause_backfill(backfill)
        say(
            f"backfill {done.backfill_id} of {done.dag_id} is paused; "
            f"to resume it: headway resume --backfill {done.backfill_id}"
        )
        return
    assert dag_id is not None
    client.pause(dag_id)
    say(f"{dag_id} is paused; to resume it: headway resume {dag_id}")


def check_one(dag_id: str | None, backfill: str | None, command: str) -> None:
    if (dag_id is None) == (backfill is None):
        raise UsageError(
            "name a DAG or a backfill",
            hint=f"headway {command} DAG, or headway {command} --backfill ID; to list: headway ls backfills",
        )
