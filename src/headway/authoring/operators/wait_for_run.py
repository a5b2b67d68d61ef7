"""``wait_for_run(task_id=…, dag_id=…)``: waits for a run of another DAG, or for a task of it.

No process and no slot is in use meanwhile. ``@team/dag`` is a DAG of another team, which must have granted it.

The run is that with the logical date of this one, or ``offset`` (a timedelta) before it, or with ``logical_date``: a
datetime, an ISO text (a template) or a function of the run. The result says which run it was, and its state.
"""

from datetime import datetime, timedelta

from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.sleep_until import moment
from headway.authoring.run import Deferred, Fail, Run
from headway.authoring.waits import SUCCESS, RunEnd, seconds


def run(call: Call) -> None:
    given = call.kwargs
    wait = RunEnd(
        given["dag_id"],  # type: ignore[arg-type]
        task=given.get("external_task_id"),  # type: ignore[arg-type]
        logical_date=date_of(call.run, given.get("logical_date"), given.get("offset")),
        states=given.get("states") or SUCCESS,  # type: ignore[arg-type]
        failed_states=given.get("failed_states") or (),  # type: ignore[arg-type]
    )
    timeout = given.get("timeout")
    raise Deferred(
        wait.deferral(call.run)._replace(
            timeout_s=None if timeout is None else seconds("timeout", timeout),
            overdue="skip" if given.get("soft_fail") else "fail",
            finishes=True,
        )
    )


def date_of(run: Run, date: object, offset: object) -> datetime:
    if date is not None and offset is not None:
        raise Fail("wait_for_run takes either logical_date or offset")
    if date is not None:
        return moment("logical_date", date, run)
    if not isinstance(offset, timedelta | None):
        raise Fail(f"offset must be a timedelta, not {offset!r}")
    return run.logical_date - (offset or timedelta())


OPERATOR = Operator(
    word="wait_for_run",
    parameters=(
        *("dag_id", "external_task_id", "logical_date", "offset", "states", "failed_states"),
        *("timeout", "soft_fail"),
    ),
    required=("dag_id",),
    run=run,
    templated=("dag_id", "external_task_id", "logical_date"),
)
