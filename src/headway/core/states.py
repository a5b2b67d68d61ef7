"""The state machines: three tables, and nothing else may change a state.

Rule 1: every legal move is a row of ``TRANSITIONS`` (task instances), ``RUN_TRANSITIONS`` or
``ATTEMPT_TRANSITIONS``.
Rule 2: this module knows no database, clock, executor or DAG.
Rule 3: what others have to know of a state is said beside its name. The sets below, the lists in SQL
(``store/states.py``) and those of the web interface (``api/vocabulary.py``) are made from it.
The invariants and the diagram in the docs derive from these tables.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Final, Self


class Standing(Enum):
    """The relation of a state to the pool and to downstream tasks."""

    PENDING = auto()  # waits, and holds nothing
    LIVE = auto()  # has a live attempt, and holds a pool slot
    GOOD = auto()  # has ended, and nothing is wrong
    BAD = auto()  # has ended, and a person may want it to run again


class State(StrEnum):
    """The states of a task instance, the most telling first: that one stands for many instances.

    ``letter`` is its mark in the grid.
    """

    standing: Standing
    letter: str

    # The defaults are for type checkers, who read ``State("ready")``, a look-up, as a call of this.
    def __new__(cls, value: str, standing: Standing = Standing.PENDING, letter: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.standing, member.letter = standing, letter
        return member

    FAILED = "failed", Standing.BAD, "f"
    RUNNING = "running", Standing.LIVE, "R"  # the user's process exists
    UP_FOR_RETRY = "up_for_retry", Standing.PENDING, "y"  # failed or lost, waits for ``wake_at``
    DEFERRED = (
        "deferred",
        Standing.PENDING,
        "d",
    )  # its attempt waits for something, without a process
    UP_FOR_RESCHEDULE = (
        "up_for_reschedule",
        Standing.PENDING,
        "e",
    )  # the same, until a sensor's next look
    QUEUED = "queued", Standing.LIVE, "q"  # its attempt is bound to an agent's session
    READY = "ready", Standing.PENDING, "r"  # may run as soon as a slot is free
    WAITING = "waiting", Standing.PENDING, "w"  # upstream has not settled
    UPSTREAM_FAILED = "upstream_failed", Standing.BAD, "u"
    CANCELLED = "cancelled", Standing.BAD, "c"
    SUCCESS = "success", Standing.GOOD, "s"
    SKIPPED = "skipped", Standing.GOOD, "k"

    @property
    def is_final(self) -> bool:
        """Return whether only a person can change the state."""
        return self.standing in (Standing.GOOD, Standing.BAD)

    @property
    def holds_slot(self) -> bool:
        """Return whether the state has a live attempt, which occupies slots of its pool."""
        return self.standing is Standing.LIVE

    @property
    def word(self) -> str:
        """The state as people read it."""
        return self.value.replace("_", " ")


class Event(StrEnum):
    """An event of a task instance."""

    RELEASE = "release"  # upstream settled in its favour
    SKIP = "skip"
    BLOCK = "block"  # upstream settled against it
    REFUSE = "refuse"  # it cannot run: mapped over something that is no list
    GRANT = "grant"  # slot and session
    START = "start"
    SUCCEED = "succeed"
    RETRY = "retry"
    FAIL = "fail"
    DEFER = "defer"  # its process ended, and its attempt goes on in another one when a wait is over
    RESCHEDULE = "reschedule"  # the same, for the next look of a sensor
    WAKE = "wake"  # the delay of a retry or the wait is over
    RECALL = "recall"  # before it started, a person changed what it depends on: it is judged again
    CANCEL = "cancel"
    CLEAR = "clear"  # by a person: run it again
    MARK_SUCCESS = "mark_success"
    MARK_FAILED = "mark_failed"


S, E = State, Event

LIVE: Final = frozenset(state for state in State if state.holds_slot)
PENDING: Final = frozenset(state for state in State if state.standing is Standing.PENDING)
BROKEN: Final = frozenset(state for state in State if state.standing is Standing.BAD)
FINAL: Final = frozenset(state for state in State if state.is_final)
# Waits, and its attempt is open: the same attempt goes on afterwards.
DEFERRED: Final = frozenset({S.DEFERRED, S.UP_FOR_RESCHEDULE})
# What the clock or a report wakes. In each of them ``wake_at`` may be set.
ASLEEP: Final = DEFERRED | {S.UP_FOR_RETRY}

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (S.WAITING, E.RELEASE): S.READY,
    (S.WAITING, E.SKIP): S.SKIPPED,
    (S.WAITING, E.BLOCK): S.UPSTREAM_FAILED,
    (S.WAITING, E.REFUSE): S.FAILED,
    (S.READY, E.GRANT): S.QUEUED,
    # With ``fail_fast``, after a failure elsewhere: what has not started does not.
    **{(state, E.SKIP): S.SKIPPED for state in (S.READY, S.QUEUED, S.UP_FOR_RETRY)},
    (S.QUEUED, E.START): S.RUNNING,
    (S.QUEUED, E.RETRY): S.UP_FOR_RETRY,  # lost before it started
    (S.QUEUED, E.FAIL): S.FAILED,
    (S.RUNNING, E.SUCCEED): S.SUCCESS,
    (S.RUNNING, E.SKIP): S.SKIPPED,
    (S.RUNNING, E.RETRY): S.UP_FOR_RETRY,
    (S.RUNNING, E.FAIL): S.FAILED,
    (S.RUNNING, E.DEFER): S.DEFERRED,
    (S.RUNNING, E.RESCHEDULE): S.UP_FOR_RESCHEDULE,
    # The end of a wait, or of the time that it may take: what needs no process is done without one.
    **{(state, E.SUCCEED): S.SUCCESS for state in sorted(DEFERRED)},
    **{(state, E.SKIP): S.SKIPPED for state in sorted(DEFERRED)},
    **{(state, E.RETRY): S.UP_FOR_RETRY for state in sorted(DEFERRED)},
    **{(state, E.FAIL): S.FAILED for state in sorted(DEFERRED)},
    **{(state, E.WAKE): S.READY for state in sorted(ASLEEP)},
    (S.READY, E.RECALL): S.WAITING,
    **{(state, E.RECALL): S.WAITING for state in sorted(ASLEEP)},
    **{(state, E.CANCEL): S.CANCELLED for state in PENDING | LIVE},
    # A person's word. On a live attempt it is kept as an intent until the attempt has ended.
    **{(state, E.CLEAR): S.WAITING for state in State if state is not S.WAITING},
    **{(state, E.MARK_SUCCESS): S.SUCCESS for state in State if state is not S.SUCCESS},
    **{(state, E.MARK_FAILED): S.FAILED for state in State if state is not S.FAILED},
}


class RunState(StrEnum):
    QUEUED = "queued"  # waits for its logical date, or for its turn among the runs of its DAG
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  # never started: the run strategy of its DAG let another run go before it


class RunEvent(StrEnum):
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    SKIP = "skip"
    REOPEN = "reopen"  # a person cleared something in it
    REPIN = "repin"  # a person had it continue with another version of its DAG
    SET_ASIDE = "set_aside"  # planning it fails again and again: no tick takes it
    TAKE_BACK = "take_back"  # by a person's command: ticks take it again
    LATE_PARTITION = "late_partition"  # a key of its partition arrived after it was created


R, RE = RunState, RunEvent

RUN_FINAL: Final = frozenset({R.SUCCESS, R.FAILED, R.CANCELLED, R.SKIPPED})

RUN_TRANSITIONS: Final[Mapping[tuple[RunState, RunEvent], RunState]] = {
    (R.QUEUED, RE.START): R.RUNNING,
    (R.QUEUED, RE.CANCEL): R.CANCELLED,
    (R.QUEUED, RE.SKIP): R.SKIPPED,
    # A person marked all of it: nothing is left for which it would have to start.
    (R.QUEUED, RE.SUCCEED): R.SUCCESS,
    (R.QUEUED, RE.FAIL): R.FAILED,
    (R.RUNNING, RE.SUCCEED): R.SUCCESS,
    (R.RUNNING, RE.FAIL): R.FAILED,
    (R.RUNNING, RE.CANCEL): R.CANCELLED,
    **{(state, RE.REOPEN): R.QUEUED for state in RUN_FINAL},
    **{(state, RE.REPIN): state for state in RunState},
    **{(state, RE.LATE_PARTITION): state for state in RunState},
    **{(state, RE.SET_ASIDE): state for state in (R.QUEUED, R.RUNNING)},
    **{(state, RE.TAKE_BACK): state for state in (R.QUEUED, R.RUNNING)},
}


class AttemptState(StrEnum):
    """The states of an attempt."""

    QUEUED = "queued"
    RUNNING = "running"
    DEFERRED = "deferred"  # has no process and no token until it is resumed
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    LOST = "lost"
    CANCELLED = "cancelled"


class AttemptEvent(StrEnum):
    """An event of an attempt."""

    START = "start"  # the user's process exists
    SUCCEED = "succeed"
    FAIL = "fail"
    SKIP = "skip"  # the user's code skipped itself
    DEFER = "defer"  # the user's process ended, to go on in another one later
    RESUME = "resume"  # bound to a session again
    LOSE = "lose"  # the infrastructure's fault
    CANCEL = "cancel"


A, AE = AttemptState, AttemptEvent

# Every end but a failure, a loss or a cancellation passes through ``running``: a result needs a process.
ATTEMPT_TRANSITIONS: Final[Mapping[tuple[AttemptState, AttemptEvent], AttemptState]] = {
    (A.QUEUED, AE.START): A.RUNNING,
    (A.QUEUED, AE.FAIL): A.FAILED,
    (A.QUEUED, AE.LOSE): A.LOST,
    (A.QUEUED, AE.CANCEL): A.CANCELLED,
    (A.RUNNING, AE.SUCCEED): A.SUCCESS,
    (A.RUNNING, AE.FAIL): A.FAILED,
    (A.RUNNING, AE.SKIP): A.SKIPPED,
    (A.RUNNING, AE.LOSE): A.LOST,
    (A.RUNNING, AE.CANCEL): A.CANCELLED,
    (A.RUNNING, AE.DEFER): A.DEFERRED,
    (A.DEFERRED, AE.RESUME): A.QUEUED,
    (A.DEFERRED, AE.SUCCEED): A.SUCCESS,
    (A.DEFERRED, AE.SKIP): A.SKIPPED,
    (A.DEFERRED, AE.FAIL): A.FAILED,
    (A.DEFERRED, AE.CANCEL): A.CANCELLED,
}

ATTEMPT_OPEN: Final = frozenset(state for state, _ in ATTEMPT_TRANSITIONS)
ATTEMPT_LIVE: Final = ATTEMPT_OPEN - {A.DEFERRED}
ATTEMPT_FINAL: Final = frozenset(AttemptState) - ATTEMPT_OPEN


def target(state: State, event: Event) -> State:
    """Return the state after ``event`` in ``state``. Raises AssertionError for an illegal move."""
    found = TRANSITIONS.get((state, event))
    assert found is not None, f"illegal move: {event} of a task instance that is {state}"
    return found
