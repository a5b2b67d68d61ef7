"""Durations in answers, to the millisecond: about thousands of tasks, further digits would be most of an answer."""

from typing import overload


@overload
def rounded_s(duration_s: float) -> float: ...
@overload
def rounded_s(duration_s: float | None) -> float | None: ...
def rounded_s(duration_s: float | None) -> float | None:
    return None if duration_s is None else round(duration_s, 3)
