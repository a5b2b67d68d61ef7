"""The triggers of runs."""

from enum import StrEnum
from typing import Final


class Trigger(StrEnum):
    """Kept with each run, and given to its tasks as ``run.trigger``."""

    SCHEDULE = "schedule"  # a fire of its DAG's timetable
    MANUAL = "manual"  # a person or a program asked for it
    ASSET = "asset"  # events of the assets that its DAG waits for
    BACKFILL = "backfill"  # a person asked for a range of fires
    CALLBACK = "callback"  # an event of another run, whose callback it calls


MANUAL_KEY: Final = (
    "manual:"  # of the key of a run that was asked for, before the id that its caller gave or ours
)
