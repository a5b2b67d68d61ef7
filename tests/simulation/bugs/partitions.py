"""Bugs in how keys of partitions arrive and bring runs."""

from headway.engine import partitions as engine
from headway.store import assets, partitions
from tests.simulation.bugs.bug import Bug
from tests.simulation.partitions import STEPS, Partitions

LOST_IN_A_PAUSE = assets.QUEUE.replace(
    "(paused_at IS NULL OR consumer.partitioned)", "paused_at IS NULL"
)
KEPT = partitions.CONSUME.replace(
    "pending.partition = made.partition", "pending.partition = made.partition AND false"
)
NO_NEWS = partitions.ARRIVE.replace("DO UPDATE SET news = true,", "DO UPDATE SET")
FIRST_ONLY = partitions.ARRIVE.replace(
    "position = greatest(arrived_partition.position, excluded.position)",
    "position = arrived_partition.position",
)
FORGOTTEN = partitions.CONSUME.replace(
    "FROM made CROSS JOIN LATERAL", "FROM made JOIN LATERAL"
).replace("OFFSET 0\n        ) AS arrived", "LIMIT 1\n        ) AS arrived ON true")


def of_partitions(
    name: str, symptom: str, seeds: tuple[int, ...], *places: tuple[object, str, object]
) -> Bug:
    return Bug(name, symptom, seeds, places, STEPS, Partitions)


BUGS: list[Bug] = [
    of_partitions(
        "keys are lost in a pause", "I63", (0, 1, 2, 3), (assets, "QUEUE", LOST_IN_A_PAUSE)
    ),
    of_partitions(
        "a partition runs again and again", "I62", (0, 1, 2), (partitions, "CONSUME", KEPT)
    ),
    of_partitions(
        "a partition is not judged again", "I65", (0, 1, 2, 3), (partitions, "ARRIVE", NO_NEWS)
    ),
    of_partitions(
        "a key that is put again does not count",
        "I60",
        (0, 1, 2, 3),
        (partitions, "ARRIVE", FIRST_ONLY),
    ),
    of_partitions(
        "any key completes a partition", "I64", (0, 1, 2), (engine, "is_due", lambda *_: True)
    ),
    of_partitions(
        "a run takes one key along", "I60|I64", (0, 1, 2), (partitions, "CONSUME", FORGOTTEN)
    ),
]
