"""Bugs to plant in a world of retry policies, each with the symptom by which it must be found."""

from dataclasses import replace
from typing import Any

from headway.core import retry
from headway.core.retry import Cause, Rule
from tests.simulation.bugs.bug import Bug
from tests.simulation.retries import Retries
from tests.simulation.world import STEPS


def last_decides(policy: retry.RetryPolicy, cause: Cause) -> Any:
    backwards = replace(policy, rules=policy.rules[::-1])
    found, by = ruling(backwards, cause)
    if by is not None and by.number:
        by = replace(by, number=len(policy.rules) + 1 - by.number)
    return found, by


def only_its_own_class(rule: Rule, cause: Cause) -> Any:
    return named(rule, replace(cause, exceptions=cause.exceptions[:1]))


def number_ignored(policy: retry.RetryPolicy, cause: Cause) -> Any:
    found, by = ruling(policy, cause)
    return replace(found, retries=policy.retries), by


ruling, named = retry.ruling, retry.named

BUGS = [
    Bug(name, symptom, seeds, places, STEPS, Retries)
    for name, symptom, seeds, places in (
        (
            "the last retry rule decides",
            "I72|S6",
            (0, 1, 2, 3, 4, 5, 6, 7),
            ((retry, "ruling", last_decides),),
        ),
        (
            "a retry rule does not know what a class is derived from",
            "I72|S6",
            (0, 1, 2, 3, 4, 5, 6, 7),
            ((retry, "named", only_its_own_class),),
        ),
        (
            "a retry rule has no number of its own",
            "I72|S6",
            (0, 1, 2, 3, 4, 5, 6, 7),
            ((retry, "ruling", number_ignored),),
        ),
    )
]
