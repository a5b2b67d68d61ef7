"""How long a DAG and its tasks take, and whether that grows."""

from datetime import date

import msgspec


class DagDuration(msgspec.Struct, frozen=True, kw_only=True):
    """Of the runs that went well. ``trend_pct``: the median of the later half of the time, against
    that of the earlier half; None: one of them had no run.
    """

    count: int
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    trend_pct: float | None


class DurationDay(msgspec.Struct, frozen=True, kw_only=True):
    """Of the runs that ended on it, in UTC. ``count``: those that went well."""

    day: date
    count: int
    p50_s: float | None
    p95_s: float | None
    failed: int


class TaskDuration(DagDuration, frozen=True, kw_only=True):
    """``wait_p50_s``: from being ready to being started."""

    task_id: str
    wait_p50_s: float | None


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """``sampled_runs``: the latest runs whose tasks were looked at."""

    days: int
    dag: DagDuration
    by_day: list[DurationDay]
    tasks: list[TaskDuration]  # the longest first
    sampled_runs: int
