"""``headway cancel``: end a run and stop its tasks."""

from headway import config
from headway.cli.options import Data, RunId
from headway.cli.terminal import say


def cancel(run_id: RunId, data: Data = None) -> None:
    """Cancel a run. Its running tasks get SIGTERM, then SIGKILL."""
    from headway.client import client_of

    run = client_of(config.layout(data)).cancel(run_id)
    which = f"run {run.run_id} of {run.dag_id}"
    if run.ended_at is None:
        say(f"{which} is being cancelled")
    elif run.state == "cancelled":
        say(f"{which} is cancelled")
    else:
        say(f"{which} has already ended ({run.state}), so there is nothing to cancel")
