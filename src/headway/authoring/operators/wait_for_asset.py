"""``wait_for_asset(task_id=…, asset=…)``: waits for an event of an asset, or of one of its partitions.

No process and no slot is in use meanwhile. The asset is an inlet of the task, so that lineage and the page of
dependencies know of it. The result is the event: ``{"asset": …, "partition": …, "at": …, "extra": …}``.
"""

from datetime import datetime

from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.sleep_until import moment
from headway.authoring.run import Deferred
from headway.authoring.waits import AssetUpdated, seconds


def run(call: Call) -> None:
    given = call.kwargs
    since, timeout = given.get("since"), given.get("timeout")
    at: datetime | None = None if since is None else moment("since", since, call.run)
    wait = AssetUpdated(
        given["asset"],  # type: ignore[arg-type]
        partition=given.get("partition"),  # type: ignore[arg-type]
        since=at,
    )
    raise Deferred(
        wait.deferral(call.run)._replace(
            timeout_s=None if timeout is None else seconds("timeout", timeout),
            overdue="skip" if given.get("soft_fail") else "fail",
            finishes=True,
        )
    )


OPERATOR = Operator(
    word="wait_for_asset",
    parameters=("asset", "partition", "since", "timeout", "soft_fail"),
    required=("asset",),
    run=run,
    templated=("partition", "since"),
    reads="asset",
)
