"""Backfills: a run for each date between two."""

from datetime import datetime

import msgspec


class BackfillRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first: datetime = msgspec.field(name="from")
    last: datetime = msgspec.field(name="to")
    max_active_runs: int | None = None
    dry_run: bool = False


class BackfillRun(msgspec.Struct, frozen=True, kw_only=True):
    logical_date: datetime
    run_id: str | None  # None in a dry run


class BackfillAnswer(msgspec.Struct, frozen=True, kw_only=True):
    backfill_id: str | None
    runs: list[BackfillRun]
