"""Reports of executors about attempts, in the core's form.

``age_s`` values are clamped by the run's own times.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from headway.core.waits.deferral import Deferral


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"  # ended because it was told to
    DEFERRED = "deferred"  # its attempt goes on in another process, when ``deferral`` is over
    LOST = "lost"  # the infrastructure's fault


class Told(NamedTuple):
    """The words of a task about an event of one of its outlets. ``alias``: through which it adds the asset."""

    asset: str
    extra: str = "{}"  # JSON, opaque here
    partition: str | None = None
    alias: str = ""
    definition: str | None = None  # JSON: what the task says of an asset that it adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    task_id: str
    map_index: int
    number: int
    token: str
    age_s: float
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Tells how the task of a live attempt calls its mapped instance."""

    task_id: str
    map_index: int
    number: int
    token: str
    name: str
    age_s: float = 0.0


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
    exceptions: tuple[str, ...] = ()  # the classes of its exception by name, the most special first
    retry_delay_s: float | None = None  # that a policy in its process asks for
    retry_reason: str = ""  # and why
    xcoms: tuple[object, ...] = ()  # opaque here
    length: int | None = None  # of the result, when that is a list or dict
    item: bool = True  # there is a result; of a mapped task, None is no item of its list
    follow: frozenset[str] | None = None  # a branch's choice among its direct downstream tasks
    deferral: Deferral | None = None
    told: tuple[Told, ...] = ()  # what the task says of its assets' events
    name: str = ""  # of the mapped instance, if the task told one
    session: str = ""  # only while the attempt is bound to it: what somebody else saw of it there


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Tells that what a deferred attempt waited for is there, or will not be.

    ``deferrals``: which of its waits is meant.
    """

    task_id: str
    map_index: int
    number: int
    deferrals: int
    found: str | None = None  # JSON, for the task
    xcom: object | None = None  # the same as a result; opaque here
    length: int | None = None  # of it, when that is a list or dict
    secrets: tuple[str, ...] = ()  # in what was found
    error: str = ""  # why it will not be there: the attempt fails
    exceptions: tuple[str, ...] = ()  # of that, as of an ``Ended``
    age_s: float = 0.0


Report = Started | Named | Ended | Found
