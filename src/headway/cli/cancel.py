"""``headway cancel``: end a run and what it is doing."""

from headway import config
from headway.cli.options import Data, RunId
from headway.cli.terminal import say


def cancel(run_id: RunId, data: Data = None) -> None:
    """Cancel a run: its tasks are ended, first by SIGTERM, then by SIGKILL."""
    from headway.client import client_of

    run = client_of(config.layout(data)).cancel(run_id)
    which = f"run {run.run_id} of {run.dag_id}"
    if run.ended_at is None:
        say(f"{which} is being cancelled")
    elif run.state == "cancelled":
        say(f"{which} is cancelled")
    else:
        say(f"{which} has ended already ({run.state}): nothing was left to cancel")
