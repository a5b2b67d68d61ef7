"""Durations of a DAG and its tasks, with trends."""

from datetime import date

import msgspec


class DagDuration(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of successful runs. ``trend_pct``: change of the median from the first to the second
    half of the period; None if one half has no run.
    """

    count: int
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    trend_pct: float | None


class DurationDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day in the zone of the answer, by when runs ended. ``count``: successful runs."""

    day: date
    count: int
    p50_s: float | None
    p95_s: float | None
    failed: int


class TaskDuration(DagDuration, frozen=True, kw_only=True):
    """``wait_p50_s``: median time from ready to started."""

    task_id: str
    wait_p50_s: float | None


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """``sampled_runs``: the number of latest runs whose tasks were measured."""

    days: int
    timezone: str  # whose days ``by_day`` counts
    dag: DagDuration
    by_day: list[DurationDay]
    tasks: list[TaskDuration]  # the longest first
    sampled_runs: int
