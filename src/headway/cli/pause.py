"""``headway pause``: stop starting runs of a DAG until it is resumed."""

from headway import config
from headway.cli.options import DagId, Data
from headway.cli.terminal import say


def pause(dag_id: DagId, data: Data = None) -> None:
    """Pause a DAG: no scheduled runs start until `headway resume`."""
    from headway.client import client_of

    client_of(config.layout(data)).pause(dag_id)
    say(f"{dag_id} is paused; to resume it: headway resume {dag_id}")
