"""``headway resume``: resume a paused DAG or backfill."""

from headway import config
from headway.cli.options import Data
from headway.cli.pause import Backfill, DagId, check_one
from headway.cli.terminal import say


def resume(dag_id: DagId = None, backfill: Backfill = None, data: Data = None) -> None:
    """Resume a paused DAG or backfill."""
    from headway.client import client_of

    check_one(dag_id, backfill, "resume")
    client = client_of(config.layout(data))
    if backfill is not None:
        done = client.resume_backfill(backfill)
        say(f"backfill {done.backfill_id} of {done.dag_id} is resumed")
        return
    assert dag_id is not None
    client.resume(dag_id)
    say(f"{dag_id} is resumed")
