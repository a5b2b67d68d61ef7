"""Decides what follows an unsuccessful attempt: another one after a delay, or the end.

Rule 1: only the task's own failures use up its retries. A loss (node, agent or network) has its own
bound and its own short delay, so that a bad night of the machines fails nobody's task.
Rule 2: no delay is shorter than ``SPACING_S``: retries without delay must not become a hot loop.
Rule 3: of a task's rules the first that names what ended the attempt decides, with its own number of retries and
delay. There is one count of failures, whatever ended the attempts: the greatest of these numbers bounds them all.
"""

from collections.abc import Sequence
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
class Cause:
    """The end of an attempt: a word; of an exception its classes by name, the most special one first; the exit code,
    negative for a signal.

    ``delay_s``: the delay that a policy in the task's own process asks for; ``reason``: why, in its author's words.
    """

    word: str = ""
    exceptions: Sequence[str] = ()
    exit_code: int | None = None
    delay_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``jitter`` is the share of a delay by which chance may lengthen it, 0 to 1. ``rules`` come before the rest."""

    retries: int
    delay_s: float
    exponential: bool
    max_delay_s: float
    jitter: float
    rules: tuple["Rule", ...] = ()

    def __post_init__(self) -> None:
        # Not a single one of these holds for NaN.
        assert self.retries >= 0, self
        assert self.delay_s >= 0, self
        assert self.max_delay_s >= 0, self
        assert 0 <= self.jitter <= 1, self

    @property
    def most(self) -> int:
        """Return the greatest number of retries that it may allow."""
        return max([self.retries, *(rule.policy.retries for rule in self.rules)])


@dataclass(frozen=True, slots=True)
class Rule:
    """Decides by its own ``policy`` after an end that it names, for the author's ``reason``."""

    policy: RetryPolicy
    exceptions: frozenset[str] = frozenset()
    exit_codes: frozenset[int] = frozenset()
    causes: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """The rule that decided in place of the task's own retries, by its ``number`` from 1: it named the class or cause
    ``on``, or the exit code. 0: a policy in the task's own process decided.
    """

    number: int = 0
    on: str = ""
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """``retries``: so many are allowed after such an end."""

    delay_s: float
    retries: int = 0
    by: Ruled | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The verdict that no attempt is left."""

    retries: int = 0
    by: Ruled | None = None


def named(rule: Rule, cause: Cause) -> tuple[str, int | None] | None:
    """Return the class or word, or the exit code, by which the rule names what ended the attempt; None: it does not.

    A signal counts as the exit code that a shell shows for it: 128 more than its number.
    """
    if cause.word in rule.causes:
        return cause.word, None
    for name in cause.exceptions:
        if name in rule.exceptions:
            return name, None
    code = cause.exit_code
    code = 128 - code if code is not None and code < 0 else code
    return ("", code) if code in rule.exit_codes else None


def ruling(policy: RetryPolicy, cause: Cause) -> tuple[RetryPolicy, Ruled | None]:
    """Return the policy for such an end: that of the first rule that names it, or the task's own."""
    for number, rule in enumerate(policy.rules, 1):
        if (found := named(rule, cause)) is not None:
            return rule.policy, Ruled(number, *found, rule.reason)
    asked = cause.delay_s is not None or cause.reason
    return policy, Ruled(reason=cause.reason) if asked else None


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
    cause: Cause,
    failures: int,
    losses: int,
    losses_max: int,
    ending: Ending,
    fraction: float,
) -> Retry | GiveUp:
    """``failures`` and ``losses`` count the attempts so far, the one that just ended included."""
    if ending is Ending.LOST:
        return GiveUp() if losses > losses_max else Retry(loss_delay(losses))
    policy, by = ruling(policy, cause)
    if failures > policy.retries:
        return GiveUp(policy.retries, by)
    if cause.delay_s is None:
        return Retry(delay(policy, failures, fraction), policy.retries, by)
    return Retry(max(SPACING_S, min(cause.delay_s, DELAY_MAX_S)), policy.retries, by)
