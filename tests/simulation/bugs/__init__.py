"""Bugs to plant in the simulator, each with the symptom by which it must be found."""

from tests.simulation.bugs import (
    answers,
    asset_waits,
    calls,
    due,
    loops,
    outbound,
    partitions,
    pods,
    retries,
    runs,
    strategies,
    teams,
    watched,
)
from tests.simulation.bugs.bug import BUG_SEEDS, Bug

__all__ = ["BUGS", "BUG_SEEDS", "Bug"]

BUGS: list[Bug] = [
    *runs.BUGS,
    *teams.BUGS,
    *calls.BUGS,
    *strategies.BUGS,
    *answers.BUGS,
    *loops.BUGS,
    *partitions.BUGS,
    *due.BUGS,
    *asset_waits.BUGS,
    *outbound.BUGS,
    *retries.BUGS,
    *watched.BUGS,
    *pods.BUGS,
]
