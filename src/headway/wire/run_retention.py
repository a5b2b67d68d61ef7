"""The time for which a team keeps its runs."""

from typing import Annotated

import msgspec

from headway.core.run_retention import DAYS_MAX, DAYS_MIN
from headway.wire.bounds import said

RunDays = Annotated[int, said(minimum=DAYS_MIN, maximum=DAYS_MAX)]


class RunRetention(msgspec.Struct, frozen=True, kw_only=True):
    """Days for which runs, with their history, results and logs, are kept after they end.

    ``removes``: the runs that are old enough to be removed, counted up to 10,000.
    """

    days: int | None  # as the team says; None: the default
    default_days: float  # as the installation says
    effective_days: float  # what holds
    removes: int


class RunRetentionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to change for how long runs are kept. None or omitted means the default."""

    days: RunDays | None = None
    dry_run: bool = False  # tell what would be removed, and change nothing
