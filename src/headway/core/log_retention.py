"""The time for which logs are kept: a team's setting goes before the installation's. Pure.

Days are counted from the end of a run. A log may go before its run, never after it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

DAYS_MAX: Final = 36_500
# Whose file is younger than the decision by less than this belongs to an attempt that began after it: those
# that the decision was about ended at least a day before, and no two clocks differ by half a day.
MARGIN: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Policy:
    """The time for which logs are kept. None: a team's as the installation says, the installation's as the run."""

    days: int | None = None
    local_days: int | None = (
        None  # on this machine, once the log store has them; None: as long as anywhere
    )


WITH_THE_RUN: Final = Policy()


def in_effect(team: Policy, installation: Policy) -> Policy:
    return Policy(
        installation.days if team.days is None else team.days,
        installation.local_days if team.local_days is None else team.local_days,
    )


def refusal(wanted: Policy) -> str | None:
    """Return the problem with a team's setting as a sentence."""
    for days in (wanted.days, wanted.local_days):
        if days is not None and not 1 <= days <= DAYS_MAX:
            return f"logs are kept for 1 to {DAYS_MAX} days, not {days}"
    if (wanted.local_days or 0) > (wanted.days or DAYS_MAX):
        return (
            f"logs kept for {wanted.days} days cannot stay on this machine for {wanted.local_days}"
        )
    return None


def removed(date: str, policy: Policy) -> str:
    """Return the text in place of a removed log. ``policy`` is the current one."""
    if policy.days is None:
        return f"the log was removed on {date}"
    return f"the log was removed on {date}: this team keeps logs for {counted(policy.days)}"


def counted(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
