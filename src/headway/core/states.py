"""The state machines: three tables, and nothing else may change a state.

Rule 1: every legal move is a row of ``TRANSITIONS`` (task instances), ``RUN_TRANSITIONS`` or
``ATTEMPT_TRANSITIONS``.
Rule 2: this module knows no database, clock, executor or DAG.
The invariants and the diagram in the docs derive from these tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Of a task instance."""

    WAITING = "waiting"  # upstream has not settled
    READY = "ready"  # may run as soon as a slot is free
    QUEUED = "queued"  # holds a pool slot; its attempt is bound to an agent's session
    RUNNING = "running"  # the user's process exists
    UP_FOR_RETRY = "up_for_retry"  # failed or lost, waits for ``wake_at``
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What happens to a task instance."""

    RELEASE = "release"  # upstream settled in its favour
    SKIP = "skip"
    BLOCK = "block"  # upstream settled against it
    REFUSE = "refuse"  # it cannot run: mapped over something that is no list
    GRANT = "grant"  # slot and session
    START = "start"
    SUCCEED = "succeed"
    RETRY = "retry"
    FAIL = "fail"
    WAKE = "wake"  # the retry delay is over
    RECALL = "recall"  # before it started, a person changed what it depends on: it is judged again
    CANCEL = "cancel"
    CLEAR = "clear"  # by a person: run it again
    MARK_SUCCESS = "mark_success"
    MARK_FAILED = "mark_failed"


S, E = State, Event

LIVE: Final = frozenset({S.QUEUED, S.RUNNING})  # has a live attempt, occupies a pool slot
PENDING: Final = frozenset({S.WAITING, S.READY, S.UP_FOR_RETRY})
BROKEN: Final = frozenset({S.FAILED, S.UPSTREAM_FAILED, S.CANCELLED})
FINAL: Final = frozenset({S.SUCCESS, S.FAILED, S.SKIPPED, S.UPSTREAM_FAILED, S.CANCELLED})

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (S.WAITING, E.RELEASE): S.READY,
    (S.WAITING, E.SKIP): S.SKIPPED,
    (S.WAITING, E.BLOCK): S.UPSTREAM_FAILED,
    (S.WAITING, E.REFUSE): S.FAILED,
    (S.READY, E.GRANT): S.QUEUED,
    (S.QUEUED, E.START): S.RUNNING,
    (S.QUEUED, E.RETRY): S.UP_FOR_RETRY,  # lost before it started
    (S.QUEUED, E.FAIL): S.FAILED,
    (S.RUNNING, E.SUCCEED): S.SUCCESS,
    (S.RUNNING, E.SKIP): S.SKIPPED,
    (S.RUNNING, E.RETRY): S.UP_FOR_RETRY,
    (S.RUNNING, E.FAIL): S.FAILED,
    (S.UP_FOR_RETRY, E.WAKE): S.READY,
    (S.READY, E.RECALL): S.WAITING,
    (S.UP_FOR_RETRY, E.RECALL): S.WAITING,
    **{(state, E.CANCEL): S.CANCELLED for state in PENDING | LIVE},
    # A person's word. On a live attempt it is kept as an intent until the attempt has ended.
    **{(state, E.CLEAR): S.WAITING for state in State if state is not S.WAITING},
    **{(state, E.MARK_SUCCESS): S.SUCCESS for state in State if state is not S.SUCCESS},
    **{(state, E.MARK_FAILED): S.FAILED for state in State if state is not S.FAILED},
}


class RunState(StrEnum):
    QUEUED = "queued"  # waits for its DAG's ``max_active_runs``
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunEvent(StrEnum):
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    REOPEN = "reopen"  # a person cleared something in it
    QUARANTINE = "quarantine"  # planning it fails again and again: no tick takes it
    READMIT = "readmit"  # by a person's command: ticks take it again


R, RE = RunState, RunEvent

RUN_FINAL: Final = frozenset({R.SUCCESS, R.FAILED, R.CANCELLED})

RUN_TRANSITIONS: Final[Mapping[tuple[RunState, RunEvent], RunState]] = {
    (R.QUEUED, RE.START): R.RUNNING,
    (R.QUEUED, RE.CANCEL): R.CANCELLED,
    # A person marked all of it: nothing is left for which it would have to start.
    (R.QUEUED, RE.SUCCEED): R.SUCCESS,
    (R.QUEUED, RE.FAIL): R.FAILED,
    (R.RUNNING, RE.SUCCEED): R.SUCCESS,
    (R.RUNNING, RE.FAIL): R.FAILED,
    (R.RUNNING, RE.CANCEL): R.CANCELLED,
    **{(state, RE.REOPEN): R.QUEUED for state in RUN_FINAL},
    **{(state, RE.QUARANTINE): state for state in (R.QUEUED, R.RUNNING)},
    **{(state, RE.READMIT): state for state in (R.QUEUED, R.RUNNING)},
}


class AttemptState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    LOST = "lost"
    CANCELLED = "cancelled"


A = AttemptState

ATTEMPT_LIVE: Final = frozenset({A.QUEUED, A.RUNNING})
ATTEMPT_FINAL: Final = frozenset(AttemptState) - ATTEMPT_LIVE

# Every end but a loss or a cancellation passes through ``running``: a result needs a process.
ATTEMPT_TRANSITIONS: Final[Mapping[AttemptState, frozenset[AttemptState]]] = {
    A.QUEUED: frozenset({A.RUNNING, A.FAILED, A.LOST, A.CANCELLED}),
    A.RUNNING: frozenset({A.SUCCESS, A.FAILED, A.SKIPPED, A.LOST, A.CANCELLED}),
}


def target(state: State, event: Event) -> State:
    """Where ``event`` leads from ``state``. An illegal move is our mistake: AssertionError."""
    found = TRANSITIONS.get((state, event))
    assert found is not None, f"illegal move: {event} of a task instance that is {state}"
    return found
