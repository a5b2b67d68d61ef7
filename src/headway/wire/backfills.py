"""Backfills."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from headway.wire.bounds import Count, Date, said

AGAIN: Final = ("missing", "failed", "all")


class BackfillRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``from`` and ``to`` are dates or times, both inclusive. Dates are in the DAG's time zone.

    ``again``: of the dates that have a run, run none again (``missing``), those whose run failed or was
    cancelled (``failed``), or all whose run has ended (``all``), with the latest code. ``newest_first``: in which order
    the dates run.
    """

    first: Date = msgspec.field(name="from")
    last: Date = msgspec.field(name="to")
    params: dict[str, Any] = {}
    max_active_runs: Count | None = None
    again: Annotated[str, said(enum=AGAIN)] = "missing"
    newest_first: bool = False
    dry_run: bool = False


class BackfillRun(msgspec.Struct, frozen=True, kw_only=True):
    """A date. ``action``: a run is created, its run runs again, or its run is left as it is; ``state``: of the run
    that the date had before.
    """

    logical_date: datetime
    run_id: str | None  # None for a run that a dry run would create
    action: Annotated[str, said(enum=("create", "again", "leave"))] = "create"
    state: str | None = None


class BackfillAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``notes``: what may surprise, such as dates before the start date of the DAG."""

    backfill_id: str | None
    runs: list[BackfillRun]
    timezone: str  # of the DAG
    notes: list[str] = []


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """``counts``: runs by state. ``left_out``: dates that had a run, by its state. ``eta_s``: estimated time until
    the end, from the ended runs; None while it is paused. ``ended_at``: of its last run, when none is left.
    """

    backfill_id: str
    dag_id: str
    first: datetime
    last: datetime
    created_by: str
    created_at: datetime
    max_active_runs: int
    cancelled_by: str | None
    left_out: dict[str, int]
    counts: dict[str, int]
    done: int
    total: int
    eta_s: float | None
    ended_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    newest_first: bool = False
