"""Decisions on a retry in words, for ``wording``."""

from typing import Final

from headway.core.attempt_reasons import AttemptFailed, GivenUp
from headway.core.retry import Ruled
from headway.core.words import counted

OWN_MODULE: Final = "headway_dags_"  # the beginning of the name of a DAG file that no import finds
CAUSES: Final = {"memory": "out of memory"}


def decision(reason: AttemptFailed | GivenUp) -> str | None:
    """Return what decided on a retry, if not the task's own number of retries."""
    match reason:
        case AttemptFailed(_, _, failures, retries, Ruled() as by):
            return retried(failures, retries or 0, by)
        case GivenUp(_, _, failures, retries, Ruled() as by):
            return used_up(failures, retries, by)
    return None


def retried(failures: int, retries: int, by: Ruled) -> str:
    return with_reason(f"retry {failures} of {retries} by {name_of(by)}", by)


def used_up(failures: int, retries: int, by: Ruled | None) -> str:
    if by is not None and by.number:
        if retries == 0:
            return with_reason(f"{name_of(by)} allows no retry", by)
        allowed = counted(retries, "retry", "retries")
        said = f"failed {failures} times: {name_of(by)} allows {allowed}"
        return with_reason(said, by)
    if retries == 0:
        return "no retries"
    used = "its one retry is" if retries == 1 else f"all {retries} retries are"
    return f"failed {failures} times: {used} used up"


def name_of(by: Ruled) -> str:
    """Return the rule by its number and what it names; 0: nobody but the task's process knows its rules."""
    if not by.number:
        return "its retry policy"
    on = by.on.removeprefix("builtins.")
    if on.startswith(OWN_MODULE):
        on = on.partition(".")[2]
    named = f"exit code {by.exit_code}" if by.exit_code is not None else CAUSES.get(on, on)
    return f"retry rule {by.number} for {named}"


def with_reason(said: str, by: Ruled) -> str:
    return f"{said}: {by.reason}" if by.reason else said
