"""``sleep_until(task_id=…, at=…)``: waits for a moment, without a process or a slot.

``at``: a datetime, an ISO text (a template), a timedelta after the logical date's interval ends, or a function of the
run that returns one of them. ``delta=…`` instead waits so long from the start of the task on.
"""

from datetime import datetime, timedelta

from headway.authoring.operators.base import Call, Operator
from headway.authoring.run import Deferred, Fail, Run
from headway.authoring.waits import DateTime, TimeDelta


def run(call: Call) -> None:
    at, delta = call.kwargs.get("at"), call.kwargs.get("delta")
    if (at is None) == (delta is None):
        raise Fail("sleep_until needs either at or delta")
    wait: DateTime | TimeDelta
    if isinstance(delta, timedelta | int | float):
        wait = TimeDelta(delta if isinstance(delta, timedelta) else timedelta(seconds=delta))
    elif at is None:
        raise Fail(f"delta must be a timedelta or a number of seconds, not {delta!r}")
    else:
        wait = DateTime(moment("at", at, call.run))
    raise Deferred(wait.deferral(call.run)._replace(finishes=True))


def moment(name: str, given: object, run: Run) -> datetime:
    """Return the moment that an argument means: a datetime, its text, an offset, or a function of the run."""
    value = given(run) if callable(given) else given
    if isinstance(value, timedelta):
        return run.data_interval_end + value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Fail(f"{name} must be a date in ISO format, not {value!r}") from None
    if not isinstance(value, datetime):
        raise Fail(f"{name} must be a datetime, not {value!r}")
    return value


OPERATOR = Operator(
    word="sleep_until",
    parameters=("at", "delta"),
    required=(),
    run=run,
    templated=("at",),
)
