"""The limits of a team: what each bounds, and what is said when it is reached. Pure.

A limit that is not set bounds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LIMIT_MAX: Final = 2**31 - 1
# What each bounds, as people read it after the number.
WORDS: Final[Mapping[str, str]] = {
    "requests_per_s": "API requests a second",
    "runs_per_minute": "runs created in a minute",
    "open_runs": "runs that have not ended",
    "running_tasks": "tasks that run at the same time",
    "kept_slots": "slots of the team that are never lent",
    "run_tasks": "task instances of one run",
    "dag_file_bytes": "bytes of one file in the DAG folder",
    "log_bytes_per_minute": "bytes of task logs in a minute",
}


# A limit of 0 stops all of it for a while; of the others there is always one.
MAY_BE_NONE: Final = frozenset({"runs_per_minute", "open_runs", "running_tasks", "kept_slots"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: no limit. Timetables create runs, and callbacks are called, whatever ``runs_per_minute`` and ``open_runs``
    say; calls do not count.
    """

    requests_per_s: int | None = None
    runs_per_minute: int | None = None
    open_runs: int | None = None
    running_tasks: int | None = None
    kept_slots: int | None = None
    run_tasks: int | None = None
    dag_file_bytes: int | None = None
    log_bytes_per_minute: int | None = None

    @property
    def bound_runs(self) -> bool:
        return self.runs_per_minute is not None or self.open_runs is not None


NONE: Final = Limits()


def trouble(name: str, value: int) -> str | None:
    """Return why a limit cannot have the value, or None."""
    least = 0 if name in MAY_BE_NONE else 1
    if least <= value <= LIMIT_MAX:
        return None
    return f"the limit {name} must be {least} to {LIMIT_MAX:,}, not {value:,}"


def exceeded(name: str, limit: int, used: int, wanted: int) -> str:
    """Say which limit refuses, how much is used and how much was asked for."""
    return (
        f"the limit of this team is {limit:,} {WORDS[name]} ({name}): "
        f"{used:,} are in use, and {wanted:,} more were asked for"
    )
