"""The time that a tick waits for a batch."""

from typing import Final

from headway.executors.base import Backlog

# While more than a few attempts are in flight, ticks wait for a batch: a quarter of them, or for a while that
# grows with their square, up to what agents have at hand beyond their processes.
PACE_ABOVE: Final = 4
PACE_SHARE: Final = 4
PACE_S: Final = 0.00001
PACE_MAX_S: Final = 0.04


def pace(backlog: Backlog) -> float:
    """Seconds between two ticks, so that what ends meanwhile makes one batch."""
    in_flight = backlog.ends + backlog.held
    if in_flight <= PACE_ABOVE or backlog.ends * PACE_SHARE >= in_flight:
        return 0.0
    return min(PACE_S * in_flight**2, PACE_MAX_S)
