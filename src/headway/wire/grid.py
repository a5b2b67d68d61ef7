"""Tasks × runs: one letter per cell."""

from datetime import datetime

import msgspec

from headway.wire.states import RunState


class GridTask(msgspec.Struct, frozen=True, kw_only=True):
    """A row. ``upstream``: indexes of rows. ``removed``: only older versions have the task."""

    task_id: str
    label: str
    group: str
    depth: int
    kind: str
    mapped: bool
    upstream: list[int]
    removed: bool


class GridGroup(msgspec.Struct, frozen=True, kw_only=True):
    group_id: str
    label: str
    parent: str
    tooltip: str
    mapped: bool  # as a whole: once for each item


class GridRun(msgspec.Struct, frozen=True, kw_only=True):
    """A column. ``cells``: a letter per row; ``mapped``: counts by state for mapped tasks.

    ``.`` no instance, ``w`` waiting, ``r`` ready, ``q`` queued, ``R`` running, ``y`` up_for_retry,
    ``d`` deferred, ``e`` up_for_reschedule, ``s`` success, ``f`` failed, ``k`` skipped,
    ``u`` upstream_failed, ``c`` cancelled.
    """

    run_id: str
    state: RunState
    trigger: str
    logical_date: datetime
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int
    backfill_id: str | None
    note: str | None
    cells: str
    mapped: dict[str, dict[str, int]]


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    tasks: list[GridTask]
    groups: list[GridGroup]
    runs: list[GridRun]  # the newest last
    next_cursor: str | None  # leads to older ones
