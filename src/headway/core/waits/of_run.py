"""The waits of a run."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from headway.core.run import Run
from headway.core.states import RunState, State
from headway.core.waits.wait import Kind, Wait


def of_run(run: Run) -> Iterator[Wait]:
    """Yield the waits of its task instances, and its own."""
    if run.state is not RunState.RUNNING:
        return
    for instance in run.asleep.values():
        kind = Kind.RETRY if instance.state is State.UP_FOR_RETRY else Kind.DEFERRAL
        yield Wait(kind, instance.wake_at, instance.node.task_id)
    if (ends_at := timeout(run)) is not None:
        yield Wait(Kind.TIMEOUT, ends_at, run.run_id)


def timeout(run: Run) -> datetime | None:
    """Return when its ``dagrun_timeout`` is over; None: it has none, has not started, or ends already."""
    limit_s = run.graph.timeout_s
    if limit_s is None or run.started_at is None or run.cancelled_by is not None:
        return None
    return run.started_at + timedelta(seconds=limit_s)
