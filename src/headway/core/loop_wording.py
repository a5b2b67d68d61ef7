"""The words for what a task of a loop waits for, for ``wording``."""

from collections.abc import Sequence
from typing import Final

from headway.core.holding import AwaitsIteration
from headway.core.words import listed

NAMES_MAX: Final = 3


def awaited(reason: AwaitsIteration) -> str:
    """Tell what is waited for, in which iteration, and what decides whether another one follows."""
    names = [f"`{name}`" for name in reason.awaits]
    named = listed([*names, *([f"{reason.more:,} more"] if reason.more else [])], NAMES_MAX + 1)
    which = f"iteration {reason.iteration:,} of at most {reason.most:,}"
    return (
        f"it waits for {named} in {which}; {then(reason)}"
        if named
        else f"it waits in {which}; {then(reason)}"
    )


def then(reason: AwaitsIteration) -> str:
    if not reason.until:
        is_last = reason.iteration >= reason.most
        return (
            "it is the last one"
            if is_last
            else f"they follow each other until there were {reason.most:,}"
        )
    if reason.iteration >= reason.most:
        return f"it is the last one, after which `{reason.until}` must hold"
    who = "then it" if reason.decides else f"after it `{reason.until}`"
    return f"{who} decides whether another one follows"


def first(names: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Return the names that are told, and how many others there are."""
    return tuple(names[:NAMES_MAX]), max(0, len(names) - NAMES_MAX)
