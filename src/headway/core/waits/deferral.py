"""The waits of deferred attempts, and how these go on.

The kinds are closed, because each has somebody who ends it. ``facts`` are the kind's own, as JSON. What is a
text of JSON here is read by nobody but the task: ``kwargs`` and ``found``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

AGE_S_MAX: Final = 10 * 365 * 86_400.0  # of a delay or a time-out; more would leave the calendar


class Awaited(StrEnum):
    """The kinds of things that a deferred attempt waits for."""

    TIME = "time"  # ended by the clock
    RUN = "run"  # a run of another DAG in one of ``states``, or a task of it: ended in SQL
    ASSET = "asset"  # an event of an asset, or of one of its partitions: ended in SQL
    TRIGGER = "trigger"  # what code looks out for, in a triggerer of the team
    ANSWER = "answer"  # a person's answer to a question: ended by that, or by the clock with the defaults


class Overdue(StrEnum):
    """The consequence of a wait that takes longer than it may."""

    FAIL = "fail"  # for good: another attempt would wait as long again
    SKIP = "skip"
    RESUME = "resume"  # the task goes on, and is told so


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """One wait of an attempt. Its clock times are None until it has begun (``begun``).

    ``secrets``: those in ``facts``, ``kwargs`` and ``found``, to be masked by who gets them.
    ``method``: what the next process calls; None: the task from the top. ``finishes``: the task ends with what is
    found, and no process starts any more. At ``ends_at`` the wait is overdue.
    ``until``: when the clock ends it well.
    """

    kind: Awaited
    facts: Mapping[str, object]
    delay_s: float | None = None
    until: datetime | None = None
    timeout_s: float | None = None
    overdue: Overdue = Overdue.FAIL
    method: str | None = None
    kwargs: str | None = None
    secrets: tuple[str, ...] = ()
    reschedules: bool = False
    finishes: bool = False
    since: datetime | None = None
    ends_at: datetime | None = None
    is_over: bool = False
    found: str | None = None
    timed_out: bool = False

    def begun(self, at: datetime) -> "Deferral":
        """Return the wait with its times, from ``at`` on."""
        until = self.until if self.delay_s is None else later(at, self.delay_s)
        ends_at = None if self.timeout_s is None else later(at, self.timeout_s)
        return replace(self, since=at, until=until, ends_at=ends_at)

    def ended(
        self, found: str | None, *, timed_out: bool = False, secrets: tuple[str, ...] = ()
    ) -> "Deferral":
        """Return the wait when it is over. ``secrets``: those in what was found."""
        known = (*self.secrets, *(each for each in secrets if each not in self.secrets))
        return replace(self, is_over=True, found=found, timed_out=timed_out, secrets=known)


def later(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=min(max(0.0, seconds), AGE_S_MAX))
