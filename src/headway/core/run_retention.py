"""The time for which runs are kept after they end: a team's setting goes before the installation's. Pure.

A run takes its history, results and logs with it.
"""

from datetime import timedelta
from typing import Final

DAYS_MIN: Final = 7  # the history of a run is kept for so long, whatever anybody says
DAYS_MAX: Final = 36_500


def in_effect(team_days: int | None, installation: timedelta) -> timedelta:
    return installation if team_days is None else timedelta(days=team_days)


def refusal(days: int | None) -> str | None:
    """Return the problem with a team's setting as a sentence."""
    if days is not None and not DAYS_MIN <= days <= DAYS_MAX:
        return f"runs are kept for {DAYS_MIN} to {DAYS_MAX} days, not {days}"
    return None
