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
    return is_latest(call.dag, call.run, clock.now())


def is_latest(dag: "DAG", run: Run, now: datetime) -> bool:
    """Return whether the next run of the schedule is not due yet."""
    if run.trigger not in OF_SCHEDULE:
        return True
    from headway.spec import compile  # few tasks ask for a timetable

    spec = dag.spec(Path(dag.site.file).name)
    following = compile.schedule(spec, run.logical_date).next_after(run.logical_date)
    return following is None or now < following


OPERATOR = Operator(
    word="latest_only",
    parameters=(),
    required=(),
    run=run,
    follows=lambda _: Follows.IF_TRUE_DIRECT,
)
