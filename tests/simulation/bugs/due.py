"""Bugs in how partitions that are overdue are told of."""

from typing import Any

from headway.store import partitions_due
from tests.simulation.bugs.bug import Bug
from tests.simulation.due import STEPS, Due

TELL: Any = partitions_due.TELL  # replaced as text, and no longer a literal
AGAIN = TELL.replace("pending_partition.due_at IS NULL AND", "true AND")
RUN_OR_NOT = TELL.replace("AND run.partition = new.partition", "AND false")


def at_once(*given: Any) -> None:
    """A look that begins anew each time, with the partition of now: what is over meanwhile is left out."""
    conn, dag, at, _ = given
    looked(conn, dag, at, None)


def stays(*given: Any) -> None:
    """Where a look ended is not kept: the next one begins where this one did."""
    conn, dag, at, since = given
    looked(conn, dag, at, dag.since or since)


looked = partitions_due.looked

BUGS = [
    Bug(name, symptom, seeds, places, STEPS, Due)
    for name, symptom, seeds, places in (
        (
            "an overdue partition is told of again and again",
            "I69",
            (0, 1, 2),
            ((partitions_due, "TELL", AGAIN), (partitions_due, "looked", stays)),
        ),
        (
            "a partition that has run is told of",
            "I70",
            (0, 1, 2),
            ((partitions_due, "TELL", RUN_OR_NOT),),
        ),
        (
            "a partition is forgotten when its time is over",
            "I71",
            (0, 1, 2),
            ((partitions_due, "looked", at_once),),
        ),
    )
]
