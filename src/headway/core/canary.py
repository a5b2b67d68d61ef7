"""Canaries: runs of nobody that prove that runs get from their trigger to their success, and when they are late.

A scheduler has one that it undoes (ADR 59), and each team with live agents has one on them (ADR 66).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headway.core.reasons import HandedOver, NotSeen, Reason
from headway.core.states import RunState, State
from headway.core.words import duration

PERIOD_S: Final = 300.0
PERIODS: Final = 2  # so many without a success are too many
LOOKS: Final = 10  # at the runs of teams, in a period
LOOK_S_MAX: Final = 30.0

DAG_ID: Final = "~canary"  # also its pool and its bundle; migration 0073 hides it from people
RUN_PREFIX: Final = "~"
QUEUES_MAX: Final = 8  # of a team that are proven
TIMEOUT_S: Final = 60.0  # of a task, which does nothing


class Fault(StrEnum):
    """The part of Headway in which a run is stuck."""

    SCHEDULER = "scheduler"  # nobody took it up
    TEAM = "team"  # it waits for slots or agents, or they have it


@dataclass(frozen=True, slots=True)
class Sight:
    """The progress of a run: the state of each task, with the reason why it waits or is in it."""

    state: RunState
    tasks: Sequence[tuple[State, Reason | None]] = ()

    @property
    def holds_slots(self) -> bool:
        return any(state.holds_slot for state, _ in self.tasks)


def obstacle(sight: Sight) -> tuple[Fault, Reason | None]:
    """Return whose it is that a run has not succeeded, and why it has not: what ``why`` says, too.

    A scheduler has done its part when each task waits for a reason, is with an agent, or has ended with its run.
    """
    if sight.state is RunState.FAILED:
        return Fault.TEAM, next((why for state, why in sight.tasks if state is State.FAILED), None)
    for state, why in sight.tasks:
        match state:
            case State.READY if why is not None:
                return Fault.TEAM, why
            case State.QUEUED:
                return Fault.TEAM, HandedOver()
            case State.RUNNING | State.UP_FOR_RETRY:
                return Fault.TEAM, why
    return Fault.SCHEDULER, NotSeen()


def look_s(period_s: float) -> float:
    """Return the seconds between two looks at a run."""
    return min(LOOK_S_MAX, period_s / LOOKS)


def is_canary(run_id: str) -> bool:
    return run_id.startswith(RUN_PREFIX)


def is_late(period_s: float | None, silent_s: float) -> bool:
    """Return whether the last success was too long ago. ``period_s`` is None where there is no canary."""
    return period_s is not None and silent_s > PERIODS * period_s


def told(period_s: float | None, silent_s: float, why: str) -> str:
    """Say what a scheduler has proven, for people; empty where there is no canary."""
    if period_s is None:
        return ""
    if not is_late(period_s, silent_s):
        return f"got a run to success {duration(silent_s)} ago"
    return f"got no run to success for {duration(silent_s)}{': ' if why else ''}{why}"
