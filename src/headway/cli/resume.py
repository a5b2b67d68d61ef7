"""``headway resume``: resume a paused DAG."""

from headway import config
from headway.cli.options import DagId, Data
from headway.cli.terminal import say


def resume(dag_id: DagId, data: Data = None) -> None:
    """Resume a paused DAG."""
    from headway.client import client_of

    client_of(config.layout(data)).resume(dag_id)
    say(f"{dag_id} is resumed")
