"""The canary of a scheduler: the time after which one that gets no run to success counts as late."""

from typing import Final

from headway.core.words import counted

PERIOD_S: Final = 300.0
PERIODS: Final = 2  # so many without a success are too many


def is_late(period_s: float | None, silent_s: float) -> bool:
    """Return whether the last success was too long ago. ``period_s`` is None where there is no canary."""
    return period_s is not None and silent_s > PERIODS * period_s


def told(period_s: float | None, silent_s: float, why: str) -> str:
    """Say what a scheduler has proven, for people; empty where there is no canary."""
    if period_s is None:
        return ""
    if not is_late(period_s, silent_s):
        return f"got a run to success {counted(round(silent_s), 'second')} ago"
    return (
        f"got no run to success for {counted(round(silent_s), 'second')}{': ' if why else ''}{why}"
    )
