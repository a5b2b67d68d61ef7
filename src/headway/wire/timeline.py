"""Past and upcoming runs of all DAGs, and used slots."""

from datetime import datetime

import msgspec

from headway.wire.states import RunState


class TimelineRun(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    state: RunState
    logical_date: datetime
    started_at: datetime
    ended_at: datetime | None


class PredictedRun(msgspec.Struct, frozen=True, kw_only=True):
    """``expected_s``: how long it usually runs; None if not known yet."""

    dag_id: str
    at: datetime
    expected_s: float | None


class LoadPart(msgspec.Struct, frozen=True, kw_only=True):
    """``used``: mean number of used slots. ``predicted``: the period ends in the future."""

    at: datetime
    used: float
    predicted: bool


class PoolLoad(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    slots: int
    parts: list[LoadPart]


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """``part_s``: length of each part of ``load``. ``truncated``: there are more runs than shown.
    ``load_truncated``: there were more runs than ``load`` counts, so that more slots were used than it says.
    """

    now: datetime
    first: datetime = msgspec.field(name="from")
    last: datetime = msgspec.field(name="to")
    runs: list[TimelineRun]
    predicted: list[PredictedRun]
    part_s: float
    load: list[PoolLoad]
    truncated: bool
    load_truncated: bool = False
