"""Callbacks: which events they are called for, and the DAG whose runs call them.

A DAG with callbacks has a companion, ``daily.callbacks``. Each call is a run of it, made from a committed event.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from headway.core.reason_kinds import Kind
from headway.core.states import Event, RunEvent

SUFFIX: Final = ".callbacks"  # of the id of the companion
CALL: Final = "call"  # its only task
FUNCTIONS_MAX: Final = 20  # for one occasion of one task or DAG: each is a run for each event


class When(StrEnum):
    """The occasion of a callback."""

    SUCCESS = "success"
    FAILURE = "failure"
    RETRY = "retry"
    SKIPPED = "skipped"
    OVERDUE = "overdue"  # of a partition of the DAG: there is no run


# A failure is whatever a person would want to hear of: also a loss, a time-out, a cancellation, a person's mark.
OF_INSTANCES: Final[Mapping[str, When]] = {
    Event.SUCCEED: When.SUCCESS,
    Event.MARK_SUCCESS: When.SUCCESS,
    Event.FAIL: When.FAILURE,
    Event.REFUSE: When.FAILURE,
    Event.CANCEL: When.FAILURE,
    Event.MARK_FAILED: When.FAILURE,
    Event.RETRY: When.RETRY,
    Event.SKIP: When.SKIPPED,
}
OF_RUNS: Final[Mapping[str, When]] = {
    RunEvent.SUCCEED: When.SUCCESS,
    RunEvent.FAIL: When.FAILURE,
    RunEvent.CANCEL: When.FAILURE,
}
OF_DAGS: Final[Mapping[str, When]] = {Kind.OVERDUE_PARTITION.value: When.OVERDUE}


def when(subject: str, name: str, attempt: int | None) -> When | None:
    """Return the occasion that an event is. What never ran is neither skipped nor cancelled here, as in Airflow."""
    if subject == "run":
        return OF_RUNS.get(name)
    if subject == "dag":
        return OF_DAGS.get(name)
    if subject != "task_instance" or (name in (Event.SKIP, Event.CANCEL) and not attempt):
        return None
    return OF_INSTANCES.get(name)
