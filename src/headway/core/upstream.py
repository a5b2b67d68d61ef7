"""Trigger rules: how the ends of upstream task instances decide what becomes of a task instance.

Rule 1: ``TABLE`` is the whole judgement: the first row whose predicate holds, else ``WAIT``.
Rule 2: a verdict is given as soon as it is certain, and then no further end can change it. So the
outcome never depends on which of two upstream tasks ended first. (Airflow's ``all_success`` skips
at the first skipped upstream task, and so may hide a failure that comes later; this one waits.)
What a branch left out and what is mapped over comes before and after the rule: ``verdicts``, which
keeps this rule by waiting for them.
Rule 3: a cancelled upstream task is a failed one to every rule: its result is missing, and tasks that clean up
after failures should run. The names and meanings are Airflow's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TriggerRule(StrEnum):
    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALL_SKIPPED = "all_skipped"
    ALWAYS = "always"


class Verdict(StrEnum):
    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    UPSTREAM_FAILED = "upstream_failed"


@dataclass(frozen=True, slots=True)
class Counts:
    """The states of the upstream task instances of one task instance, counted.

    A mapped upstream task counts each of its instances. While it is not mapped out yet it counts
    as one that has not ended; mapped over nothing, as one that was skipped.
    """

    total: int
    success: int = 0
    skipped: int = 0
    failed: int = 0
    upstream_failed: int = 0
    cancelled: int = 0
    setups: int = 0  # those of setups, for the one rule that asks
    setups_success: int = 0
    setups_skipped: int = 0

    @property
    def ran_badly(self) -> int:
        """Return how many failed themselves, or were stopped."""
        return self.failed + self.cancelled

    @property
    def broken(self) -> int:
        """Return how many lack the result that they should have."""
        return self.failed + self.cancelled + self.upstream_failed

    @property
    def done(self) -> int:
        return self.success + self.skipped + self.broken

    @property
    def ends(self) -> dict[str, int]:
        """Return how many ended in each state, without those that are 0."""
        named = (
            ("success", self.success),
            ("skipped", self.skipped),
            ("failed", self.failed),
            ("upstream_failed", self.upstream_failed),
            ("cancelled", self.cancelled),
        )
        return {state: number for state, number in named if number}

    @property
    def ended(self) -> bool:
        return self.done == self.total


Row = tuple[Verdict, Callable[[Counts], bool]]
R, V = TriggerRule, Verdict

TABLE: Final[Mapping[TriggerRule, tuple[Row, ...]]] = {
    R.ALL_SUCCESS: (
        (V.UPSTREAM_FAILED, lambda up: up.broken > 0),
        (V.RUN, lambda up: up.success == up.total),
        (V.SKIP, lambda up: up.ended),
    ),
    R.ALL_FAILED: (
        (V.SKIP, lambda up: up.success + up.skipped > 0),
        (V.RUN, lambda up: up.ended),
    ),
    R.ALL_DONE: ((V.RUN, lambda up: up.ended),),
    R.ALL_DONE_MIN_ONE_SUCCESS: (
        (V.SKIP, lambda up: up.skipped > 0),
        (V.RUN, lambda up: up.ended and up.success > 0),
        (V.UPSTREAM_FAILED, lambda up: up.ended),
    ),
    # Without setups directly upstream it is all_done.
    R.ALL_DONE_SETUP_SUCCESS: (
        (V.RUN, lambda up: up.ended and (not up.setups or up.setups_success > 0)),
        (V.SKIP, lambda up: up.ended and up.setups_skipped == up.setups),
        (V.UPSTREAM_FAILED, lambda up: up.ended),
    ),
    R.ONE_SUCCESS: (
        (V.RUN, lambda up: up.success > 0),
        (V.SKIP, lambda up: up.skipped == up.total),
        (V.UPSTREAM_FAILED, lambda up: up.ended),
    ),
    R.ONE_FAILED: (
        (V.RUN, lambda up: up.broken > 0),
        (V.SKIP, lambda up: up.ended),
    ),
    # An upstream_failed task never ran, so for this rule it has ended but is not done.
    R.ONE_DONE: (
        (V.RUN, lambda up: up.success + up.ran_badly > 0),
        (V.SKIP, lambda up: up.ended),
    ),
    R.NONE_FAILED: (
        (V.UPSTREAM_FAILED, lambda up: up.broken > 0),
        (V.RUN, lambda up: up.ended),
    ),
    R.NONE_FAILED_MIN_ONE_SUCCESS: (
        (V.UPSTREAM_FAILED, lambda up: up.broken > 0),
        (V.SKIP, lambda up: up.skipped == up.total),
        (V.RUN, lambda up: up.ended),
    ),
    R.NONE_SKIPPED: (
        (V.SKIP, lambda up: up.skipped > 0),
        (V.RUN, lambda up: up.ended),
    ),
    R.ALL_SKIPPED: (
        (V.SKIP, lambda up: up.success + up.broken > 0),
        (V.RUN, lambda up: up.ended),
    ),
    R.ALWAYS: ((V.RUN, lambda up: True),),
}


def judge(rule: TriggerRule, counts: Counts) -> Verdict:
    """Decide on a task instance. Without upstream tasks it runs, whatever its rule."""
    assert counts.done <= counts.total, f"more upstream tasks ended than there are: {counts}"
    if counts.total == 0:
        return Verdict.RUN
    for verdict, holds in TABLE[rule]:
        if holds(counts):
            return verdict
    return Verdict.WAIT
