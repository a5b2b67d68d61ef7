"""Reasons of partitions in words, for ``wording``."""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter

from headway.core.aliases import quoted
from headway.core.limits import WORDS
from headway.core.partition_reasons import AwaitsPartitions, OverduePartition
from headway.core.words import counted, listed


def overdue(reason: OverduePartition, moment: Callable[[str], str]) -> str:
    arrived = "parts of it are missing" if reason.arrived else "nothing of it has arrived"
    return f"the partition {reason.partition} was due at {moment(reason.due)}, and {arrived}"


def awaited(reason: AwaitsPartitions, moment: Callable[[str], str]) -> str:
    closed = listed([f"`{asset}`" for asset in reason.closed])
    shut = f"; no grant lets it use {closed}" if reason.closed else ""
    refused = f"; {reason.refused}" if reason.refused else ""
    if not reason.partition:
        return f"it waits for partitions of its assets{shut}{refused}"
    left = reason.pending - 1
    waits = "waits" if left == 1 else "wait"
    others = f"; {counted(left, 'other partition')} {waits}" if left > 0 else ""
    if reason.limit:
        return (
            f"the partition {reason.partition} is complete, but the team has reached its limit of "
            f"{WORDS.get(reason.limit, reason.limit)} ({reason.limit}): its run is created when that allows it{others}"
        )
    named = [
        keys_of(asset, [key for _, key in found if key])
        for asset, found in groupby(reason.missing, key=itemgetter(0))
    ]
    keys = ", ".join([*named, *([f"{reason.more:,} more"] if reason.more else [])])
    total = len(reason.missing) + reason.more
    enough = f" ({reason.needed:,} of them are enough)" if 0 < reason.needed < total else ""
    again = ", which has a run, to arrive again" if reason.late else ""
    if reason.due:
        again = f", which was due at {moment(reason.due)}"
    wanted = f": {keys}{enough}" if keys else ""
    return f"it waits for the partition {reason.partition}{again}{wanted}{others}{shut}{refused}"


def keys_of(asset: str, keys: Sequence[str]) -> str:
    return f"{', '.join(f'`{key}`' for key in keys)} of {quoted(asset)}" if keys else quoted(asset)
