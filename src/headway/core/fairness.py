"""The order in which ready task instances take the slots of a pool: one number, set once.

It is a time: when the instance became ready, moved forward or back. So the instance that waits longest goes
first, and since every move is bounded, so is the wait behind later arrivals: 60 s for each
priority point between the two, 60 s for each instance of the same run that stands in front, and
six hours if one is a backfill.
"""

from datetime import datetime
from typing import Final

WEIGHT_MAX: Final = 1000  # from -1000 to 1000: higher priorities would end the bound

# The head start of one priority point.
AGE_S: Final = 60.0
# What each instance of the same run in front of it costs an instance: one priority point. Thus a
# run of 10,000 instances takes what nobody else wants, and at least one slot a minute.
SPREAD_S: Final = 60.0
# A backfill gives way to the work of the day, but not for longer than this.
BACKFILL_S: Final = 6 * 3600.0


def rank(ready_at: datetime, weight: int, ordinal: int, backfill: bool) -> float:
    """Epoch seconds; the smaller goes first.

    ``ordinal`` is the number of instances of the same run that were ready in the same pool when
    this one became ready. A weight beyond the bounds counts as the bound.
    """
    assert ordinal >= 0
    assert ready_at.utcoffset() is not None, "a time without a zone"
    bounded = max(-WEIGHT_MAX, min(WEIGHT_MAX, weight))
    late = BACKFILL_S if backfill else 0.0
    return ready_at.timestamp() - bounded * AGE_S + ordinal * SPREAD_S + late
