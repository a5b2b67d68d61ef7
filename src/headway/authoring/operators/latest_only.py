"""``latest_only(task_id=…)``: lets tasks behind it go on in the latest run of the schedule, and skips them in others.

As in Airflow, a run is the latest until the next one is due. One that a person, a program or data started is none of
the schedule, and goes on.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from headway import clock
from headway.authoring.operators.base import Call, Operator
from headway.authoring.run import Run
from headway.authoring.task import Follows
from headway.core.triggers import Trigger

if TYPE_CHECKING:
    from headway.authoring.dag import DAG

OF_SCHEDULE = (Trigger.SCHEDULE, Trigger.BACKFILL)


def run(call: Call) -> bool:
    assert call.dag is not None
    due = following(call.dag, call.run)
    if due is None or clock.now() < due:
        return True
    print(f"this run is not the latest: the next one has been due since {due.isoformat()}")
    return False


def following(dag: "DAG", run: Run) -> datetime | None:
    """Return when the run after this one is due; None: there is none, or this one is not of the schedule."""
    if run.trigger not in OF_SCHEDULE:
        return None
    from headway.spec import compile  # few tasks ask for a timetable

    spec = dag.spec(Path(dag.site.file).name)
    return compile.schedule(spec, run.logical_date).next_after(run.logical_date)


OPERATOR = Operator(
    word="latest_only",
    parameters=(),
    required=(),
    run=run,
    follows=lambda _: Follows.IF_TRUE_DIRECT,
)
