"""Backfills: a run for each date between two."""

from datetime import datetime

import msgspec

from headway.wire.bounds import Count


class BackfillRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first: datetime = msgspec.field(name="from")
    last: datetime = msgspec.field(name="to")
    max_active_runs: Count | None = None
    dry_run: bool = False


class BackfillRun(msgspec.Struct, frozen=True, kw_only=True):
    logical_date: datetime
    run_id: str | None  # None in a dry run


class BackfillAnswer(msgspec.Struct, frozen=True, kw_only=True):
    backfill_id: str | None
    runs: list[BackfillRun]


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """``counts``: its runs by state. ``eta_s``: how long the rest may take, as its ended runs did."""

    backfill_id: str
    dag_id: str
    first: datetime
    last: datetime
    created_by: str
    created_at: datetime
    max_active_runs: int
    cancelled_by: str | None
    counts: dict[str, int]
    done: int
    total: int
    eta_s: float | None
