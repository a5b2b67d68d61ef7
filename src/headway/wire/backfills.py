"""Backfills."""

from datetime import datetime
from typing import Any

import msgspec

from headway.wire.bounds import Count, Date


class BackfillRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``from`` and ``to`` are dates or times, both inclusive. Dates are in the DAG's time zone."""

    first: Date = msgspec.field(name="from")
    last: Date = msgspec.field(name="to")
    params: dict[str, Any] = {}
    max_active_runs: Count | None = None
    dry_run: bool = False


class BackfillRun(msgspec.Struct, frozen=True, kw_only=True):
    logical_date: datetime
    run_id: str | None  # None in a dry run


class BackfillAnswer(msgspec.Struct, frozen=True, kw_only=True):
    backfill_id: str | None
    runs: list[BackfillRun]
    timezone: str  # of the DAG


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """``counts``: runs by state. ``eta_s``: estimated time until the end, from the ended runs."""

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
