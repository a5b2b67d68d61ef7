"""Logs of attempts: lines and search results."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.core.log_retention import DAYS_MAX
from headway.wire.bounds import said

Days = Annotated[int, said(minimum=1, maximum=DAYS_MAX)]


class LogRetention(msgspec.Struct, frozen=True, kw_only=True):
    """Days for which logs, and runs themselves, are kept after a run ends."""

    days: int | None  # as the team says; None: the default
    default_days: int | None  # as the installation says; None: as long as the run
    effective_days: int | None  # what holds; None: as long as the run
    run_days: float  # a run takes its logs with it
    # On this machine, once a log store has them, which then answers for them; None: as long as anywhere.
    local_days: int | None = None
    default_local_days: int | None = None
    effective_local_days: int | None = None


class LogRetentionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to change for how long logs are kept. None or omitted means the default."""

    days: Days | None = None
    local_days: Days | None = None


class RenderedField(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: str  # as Python would write it, shortened; of a command its text


class RenderedFields(msgspec.Struct, frozen=True, kw_only=True):
    """Rendered fields of an attempt: arguments, command, and names of environment variables."""

    attempt: int  # 0: there has been none yet
    fields: list[RenderedField]


class LogLines(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a log. Invalid UTF-8 is replaced; lines longer than 16 kB are cut and marked."""

    attempt: int  # 0: there has been none yet
    first: int = msgspec.field(name="from")  # the number of the first line; a log begins with 1
    lines: list[str]
    total_lines: int
    size: int  # bytes
    complete: bool  # nothing will be added


class LogMatch(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    text: str  # of the whole line
    start: int  # where in it the match begins, in characters
    end: int


class LogMatches(msgspec.Struct, frozen=True, kw_only=True):
    """Matches found within one second. ``next_from``: the line to continue from."""

    attempt: int
    matches: list[LogMatch]
    next_from: int | None


class RunLogMatch(LogMatch, frozen=True, kw_only=True):
    task_id: str
    map_index: int
    attempt: int


class FoundLogMatch(RunLogMatch, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    logical_date: datetime


class FoundLogMatches(msgspec.Struct, frozen=True, kw_only=True):
    """Matches found within one second. May be empty although another page follows."""

    matches: list[FoundLogMatch]
    next_cursor: str | None


class RunLogMatches(msgspec.Struct, frozen=True, kw_only=True):
    """``next_cursor`` is None if everything was searched."""

    matches: list[RunLogMatch]
    next_cursor: str | None
