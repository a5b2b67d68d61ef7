"""One thing that is waited for."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kind of a wait."""

    RETRY = "retry"  # the delay between an attempt of a task instance and the next
    DEFERRAL = (
        "deferral"  # of a deferred task instance: its time, or the end of the time it may take
    )
    TIMEOUT = "timeout"  # the end of the time that a run may take
    RUN = "run"  # the first of these, as it is stored with its run
    FIRE = "fire"  # the next time at which a schedule fires
    START = "start"  # the logical date of a queued run, in the future
    SET_ASIDE = "set_aside"  # the end of the pause of a run that could not be planned


class Wait(NamedTuple):
    """``until``: when the clock ends it; None: something else does."""

    kind: Kind
    until: datetime | None
    who: str  # the task, run or DAG that waits
