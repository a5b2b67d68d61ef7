"""Decides what follows an unsuccessful attempt: another one after a delay, or the end.

Rule 1: only the task's own failures use up its retries. A loss (node, agent or network) has its own
bound and its own short delay, so that a bad night of the machines fails nobody's task.
Rule 2: no delay is shorter than ``SPACING_S``: retries without delay must not become a hot loop.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LOSSES_MAX: Final = 5
LOSS_DELAY_MAX_S: Final = 60.0

# Ten attempts a second of one task instance: quick enough for a test, too slow to hurt the others.
SPACING_S: Final = 0.1
# Longer than any sane delay, short enough for every calendar.
DELAY_MAX_S: Final = 365 * 86_400.0
# 2 ** 60 times the spacing is beyond any cap; more doublings would only overflow.
DOUBLINGS_MAX: Final = 60


class Ending(StrEnum):
    """The kinds of end that ask for a next step."""

    FAILED = "failed"  # the task's own doing: an exception, an exit code, a timeout, its memory
    LOST = "lost"  # the infrastructure's: nobody knows what became of the attempt


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``jitter`` is the share of a delay by which chance may lengthen it, 0 to 1."""

    retries: int
    delay_s: float
    exponential: bool
    max_delay_s: float
    jitter: float

    def __post_init__(self) -> None:
        # Not a single one of these holds for NaN.
        assert self.retries >= 0, self
        assert self.delay_s >= 0, self
        assert self.max_delay_s >= 0, self
        assert 0 <= self.jitter <= 1, self


@dataclass(frozen=True, slots=True)
class Retry:
    delay_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The verdict that no attempt is left."""


def delay(policy: RetryPolicy, failure_number: int, fraction: float) -> float:
    """Seconds to wait after the n-th failure (from 1); ``fraction`` in [0, 1) is the chance.

    Jitter lengthens the delay, because a task may count on the one it asked for; but never beyond
    the maximum: there the range begins earlier instead, so that retries stay spread out.
    """
    assert failure_number >= 1
    assert 0 <= fraction < 1
    longest = min(policy.max_delay_s, DELAY_MAX_S)
    wanted = policy.delay_s
    if policy.exponential:
        wanted = max(wanted, SPACING_S) * 2.0 ** min(failure_number - 1, DOUBLINGS_MAX)
    base = min(wanted, longest / (1 + policy.jitter))
    return max(SPACING_S, min(base * (1 + policy.jitter * fraction), longest))


def loss_delay(loss_number: int) -> float:
    """Seconds to wait after the n-th loss (from 1): 1, 2, 4 … and never more than a minute."""
    assert loss_number >= 1
    return min(2.0 ** min(loss_number - 1, DOUBLINGS_MAX), LOSS_DELAY_MAX_S)


def next_step(
    policy: RetryPolicy,
    failures: int,
    losses: int,
    losses_max: int,
    ending: Ending,
    fraction: float,
) -> Retry | GiveUp:
    """``failures`` and ``losses`` count the attempts so far, the one that just ended included."""
    match ending:
        case Ending.FAILED if failures > policy.retries:
            return GiveUp()
        case Ending.FAILED:
            return Retry(delay(policy, failures, fraction))
        case Ending.LOST if losses > losses_max:
            return GiveUp()
        case Ending.LOST:
            return Retry(loss_delay(losses))
