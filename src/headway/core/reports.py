"""Reports of executors about attempts, in the core's form.

``age_s`` values are clamped by the run's own times.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"  # ended because it was told to
    LOST = "lost"  # the infrastructure's fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    task_id: str
    map_index: int
    number: int
    token: str
    age_s: float
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    task_id: str
    map_index: int
    number: int
    token: str
    outcome: Outcome
    cause: str = ""
    detail: str = ""
    line: int | None = None
    exit_code: int | None = None
    run_s: float = 0.0
    age_s: float = 0.0
    started: bool = True  # the user's process existed
    retry: bool = True
    xcoms: tuple[object, ...] = ()  # opaque here
    length: int | None = None  # of the result, when that is a list or dict
    item: bool = True  # there is a result; of a mapped task, None is no item of its list
    follow: frozenset[str] | None = None  # a branch's choice among its direct downstream tasks


Report = Started | Ended
