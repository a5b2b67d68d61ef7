"""Slots in use over time, as means of equal parts of it. Pure.

What takes slots and gives them back is summed by part before it comes here, so that a week of
attempts is a few hundred rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Slots taken, or given back (below 0), in one part of the time. ``moment``: the sum of each times
    the seconds from the beginning to it.
    """

    part: int
    change: float
    moment: float


def steps(begin_s: float, end_s: float, slots: float, part_s: float) -> list[Step]:
    """Return the load of something that holds ``slots`` between two times; an earlier start counts from the
    beginning.
    """
    begin_s = max(0.0, begin_s)
    if end_s <= begin_s:
        return []
    return [
        Step(int(begin_s // part_s), slots, slots * begin_s),
        Step(int(end_s // part_s), -slots, -slots * end_s),
    ]


def levels(taken: Iterable[Step], parts: int, part_s: float) -> list[float]:
    """The mean of each part; what changes after the last part is left out."""
    changes = [0.0] * parts
    moments = [0.0] * parts
    for step in taken:
        if step.part < parts:
            changes[step.part] += step.change
            moments[step.part] += step.moment
    found: list[float] = []
    before = 0.0
    for part in range(parts):
        area = before * part_s + changes[part] * (part + 1) * part_s - moments[part]
        found.append(max(0.0, area / part_s))
        before += changes[part]
    return found
