"""Why something waits, was skipped, failed or was moved: a closed kind and its facts.

Decided in ``core``, stored as JSON, sent as it is, and worded in one place (``core.wording``). Who needs to
know more than the sentence reads kind and facts; nobody reads the sentence again.
Rule 1: a new reason is a class here, a case in ``wording``, and nothing else.
Rule 2: a class or a field that was stored once is never given another meaning. What this version does not know,
of a newer one or from before there were kinds, is a ``Text``.
They are msgspec's structs, which are stored and sent as they are (ADR 19).
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final, get_args

import msgspec


class Kind(StrEnum):
    """The kind of a reason's subject, which says what to look at next."""

    POOL_FULL = "pool_full"
    POOL_MISSING = "pool_missing"
    POOL_EMPTY = "pool_empty"
    POOL_TOO_SMALL = "pool_too_small"
    TEAM_SLOTS = "team_slots"
    NO_AGENT = "no_agent"
    AGENTS_FULL = "agents_full"
    QUEUE_UNSERVED = "queue_unserved"
    EXECUTOR_UNKNOWN = "executor_unknown"
    DAG_PAUSED = "dag_paused"
    MAX_ACTIVE_TASKS = "max_active_tasks"
    MAX_ACTIVE_TIS = "max_active_tis_per_dagrun"
    MAX_ACTIVE_RUNS = "max_active_runs"
    BACKFILL_FULL = "backfill_full"
    SET_ASIDE = "set_aside"
    NOT_SEEN = "not_seen"
    HANDED_OVER = "handed_over"
    NO_SCHEDULER = "no_scheduler"
    NOT_CREATED = "not_created"
    FILE_GONE = "file_gone"
    NO_SCHEDULE = "no_schedule"
    RUNS_ONCE = "runs_once"
    END_DATE = "end_date"

    RULE_MET = "rule_met"
    RULE_NOT_MET = "rule_not_met"
    NOT_CHOSEN = "not_chosen"
    SKIPPED_ITSELF = "skipped_itself"
    MAPPED_OVER_NOTHING = "mapped_over_nothing"
    SOURCE_NOT_SUCCESSFUL = "source_not_successful"
    NOT_A_LIST = "not_a_list"
    TOO_MANY_ITEMS = "too_many_items"
    ITEM_GONE = "item_gone"

    GRANTED = "granted"
    STARTED = "started"
    ATTEMPT_FAILED = "attempt_failed"
    GIVEN_UP = "given_up"
    LOST_TOO_OFTEN = "lost_too_often"
    RETRY_OVER = "retry_over"
    UPSTREAM_CHANGED = "upstream_changed"

    CLEARED = "cleared"
    MARKED = "marked"
    CANCELLED = "cancelled"

    RUN_STARTED = "run_started"
    RUN_TIMED_OUT = "run_timed_out"
    LEAVES_FAILED = "leaves_failed"
    LEAVES_SUCCEEDED = "leaves_succeeded"

    POOL_RESIZED = "pool_resized"
    CREATED = "created"
    ABOUT = "about"
    TEXT = "text"


class Wait(StrEnum):
    """Categories of waits, each with its colour in the interface."""

    UPSTREAM = "upstream"
    POOL = "pool"
    LIMIT = "limit"
    AGENT = "agent"
    PAUSED = "paused"
    RETRY = "retry"
    START = "start"
    OTHER = "other"


K = Kind


class Facts(msgspec.Struct, frozen=True, tag_field="kind"):
    """The base of all reasons, tagged by kind."""

    @property
    def kind(self) -> Kind:
        return Kind(str(self.__struct_config__.tag))


# -- what holds back an instance that could run


class PoolFull(Facts, frozen=True, tag=K.POOL_FULL.value):
    pool: str
    used: int
    slots: int


class PoolMissing(Facts, frozen=True, tag=K.POOL_MISSING.value):
    pool: str


class PoolEmpty(Facts, frozen=True, tag=K.POOL_EMPTY.value):
    """It has no slots at all."""

    pool: str


class PoolTooSmall(Facts, frozen=True, tag=K.POOL_TOO_SMALL.value):
    pool: str
    needed: int
    slots: int


class TeamSlots(Facts, frozen=True, tag=K.TEAM_SLOTS.value):
    """The team uses all ``slots`` that it may use now. ``borrowed``: how many it uses beyond its nominal slots;
    ``lent``: how many of those other teams have.
    """

    team: str
    used: int
    slots: int
    borrowed: int = 0
    lent: int = 0


class NoAgent(Facts, frozen=True, tag=K.NO_AGENT.value):
    pass


class AgentsFull(Facts, frozen=True, tag=K.AGENTS_FULL.value):
    agents: tuple[str, ...]


class QueueUnserved(Facts, frozen=True, tag=K.QUEUE_UNSERVED.value):
    """``executor``: the one that the task names, or empty."""

    queue: str
    executor: str = ""


class ExecutorUnknown(Facts, frozen=True, tag=K.EXECUTOR_UNKNOWN.value):
    executor: str
    known: tuple[str, ...]


class DagPaused(Facts, frozen=True, tag=K.DAG_PAUSED.value):
    by: str


class MaxActiveTasks(Facts, frozen=True, tag=K.MAX_ACTIVE_TASKS.value):
    limit: int


class MaxActiveTis(Facts, frozen=True, tag=K.MAX_ACTIVE_TIS.value):
    limit: int


# -- what holds back a run, or a DAG's next one


class MaxActiveRuns(Facts, frozen=True, tag=K.MAX_ACTIVE_RUNS.value):
    """``before``: runs that wait longer."""

    running: int
    limit: int
    before: int = 0


class BackfillFull(Facts, frozen=True, tag=K.BACKFILL_FULL.value):
    pass


class SetAside(Facts, frozen=True, tag=K.SET_ASIDE.value):
    """``until``: ISO 8601 in UTC, empty where it is not known; ``failures`` of the scheduler to plan it."""

    error: str
    until: str = ""
    failures: int = 0


class NotSeen(Facts, frozen=True, tag=K.NOT_SEEN.value):
    """No scheduler has looked at it yet."""


class HandedOver(Facts, frozen=True, tag=K.HANDED_OVER.value):
    """An agent has it and has not started it."""


class NoScheduler(Facts, frozen=True, tag=K.NO_SCHEDULER.value):
    pass


class NotCreated(Facts, frozen=True, tag=K.NOT_CREATED.value):
    """A fire of the schedule has passed, and no run was made for it."""


class FileGone(Facts, frozen=True, tag=K.FILE_GONE.value):
    pass


class NoSchedule(Facts, frozen=True, tag=K.NO_SCHEDULE.value):
    pass


class RunsOnce(Facts, frozen=True, tag=K.RUNS_ONCE.value):
    pass


class EndDateReached(Facts, frozen=True, tag=K.END_DATE.value):
    pass


# -- what became of an instance by what is above it


class RuleMet(Facts, frozen=True, tag=K.RULE_MET.value):
    """``ends``: upstream instances by how they ended, none that are 0; empty: there is nothing upstream."""

    rule: str
    total: int
    ends: dict[str, int]


class RuleNotMet(Facts, frozen=True, tag=K.RULE_NOT_MET.value):
    """``tasks``: the first few upstream tasks whose end decided it; ``more``: how many others there are;
    ``state``: how all of these ended, empty if they did not end alike.
    """

    rule: str
    total: int
    ends: dict[str, int]
    tasks: tuple[str, ...]
    more: int = 0
    state: str = ""


class NotChosen(Facts, frozen=True, tag=K.NOT_CHOSEN.value):
    """``chosen``: what the branch follows; none: a condition that did not hold."""

    branch: str
    chosen: tuple[str, ...]


class SkippedItself(Facts, frozen=True, tag=K.SKIPPED_ITSELF.value):
    message: str = ""


class MappedOverNothing(Facts, frozen=True, tag=K.MAPPED_OVER_NOTHING.value):
    pass


class SourceNotSuccessful(Facts, frozen=True, tag=K.SOURCE_NOT_SUCCESSFUL.value):
    """The source of a mapped task has no result; ``state`` says why."""

    task: str
    state: str


class NotAList(Facts, frozen=True, tag=K.NOT_A_LIST.value):
    task: str


class TooManyItems(Facts, frozen=True, tag=K.TOO_MANY_ITEMS.value):
    items: int
    limit: int


class ItemGone(Facts, frozen=True, tag=K.ITEM_GONE.value):
    """The list that it is mapped over has only ``items`` now."""

    items: int


# -- what its attempts did


class Granted(Facts, frozen=True, tag=K.GRANTED.value):
    pool: str
    agent: str


class Started(Facts, frozen=True, tag=K.STARTED.value):
    pass


class AttemptFailed(Facts, frozen=True, tag=K.ATTEMPT_FAILED.value):
    """``cause``: as of the attempt; ``detail``: what it said."""

    cause: str
    detail: str = ""


class GivenUp(Facts, frozen=True, tag=K.GIVEN_UP.value):
    """The last of its ``failures`` used up the ``retries``."""

    cause: str
    detail: str
    failures: int
    retries: int


class LostTooOften(Facts, frozen=True, tag=K.LOST_TOO_OFTEN.value):
    cause: str
    detail: str
    losses: int


class RetryOver(Facts, frozen=True, tag=K.RETRY_OVER.value):
    """The delay before a retry."""


class UpstreamChanged(Facts, frozen=True, tag=K.UPSTREAM_CHANGED.value):
    pass


# -- what people did


class Cleared(Facts, frozen=True, tag=K.CLEARED.value):
    """``live``: an attempt was running, and was ended first."""

    by: str
    live: bool = False


class Marked(Facts, frozen=True, tag=K.MARKED.value):
    by: str
    live: bool = False


class Cancelled(Facts, frozen=True, tag=K.CANCELLED.value):
    by: str
    live: bool = False


# -- of a run


class RunStarted(Facts, frozen=True, tag=K.RUN_STARTED.value):
    pass


class RunTimedOut(Facts, frozen=True, tag=K.RUN_TIMED_OUT.value):
    """``dagrun_timeout`` is over."""

    limit_s: float


class LeavesFailed(Facts, frozen=True, tag=K.LEAVES_FAILED.value):
    tasks: tuple[str, ...]
    more: int = 0


class LeavesSucceeded(Facts, frozen=True, tag=K.LEAVES_SUCCEEDED.value):
    pass


class PoolResized(Facts, frozen=True, tag=K.POOL_RESIZED.value):
    pool: str
    slots: int


class Created(Facts, frozen=True, tag=K.CREATED.value):
    """A run came into being."""

    trigger: str
    note: str | None = None


class About(Facts, frozen=True, tag=K.ABOUT.value):
    """Which file, bundle, backfill, pool or run an event is about, that has no column for it."""

    what: str


class Text(Facts, frozen=True, tag=K.TEXT.value):
    """A sentence from before there were kinds, a person's own words, or what another version of Headway said."""

    text: str


Reason = (
    PoolFull
    | PoolMissing
    | PoolEmpty
    | PoolTooSmall
    | TeamSlots
    | NoAgent
    | AgentsFull
    | QueueUnserved
    | ExecutorUnknown
    | DagPaused
    | MaxActiveTasks
    | MaxActiveTis
    | MaxActiveRuns
    | BackfillFull
    | SetAside
    | NotSeen
    | HandedOver
    | NoScheduler
    | NotCreated
    | FileGone
    | NoSchedule
    | RunsOnce
    | EndDateReached
    | RuleMet
    | RuleNotMet
    | NotChosen
    | SkippedItself
    | MappedOverNothing
    | SourceNotSuccessful
    | NotAList
    | TooManyItems
    | ItemGone
    | Granted
    | Started
    | AttemptFailed
    | GivenUp
    | LostTooOften
    | RetryOver
    | UpstreamChanged
    | Cleared
    | Marked
    | Cancelled
    | RunStarted
    | RunTimedOut
    | LeavesFailed
    | LeavesSucceeded
    | PoolResized
    | Created
    | About
    | Text
)

CLASSES: Final[Mapping[Kind, type[Facts]]] = {
    Kind(str(one.__struct_config__.tag)): one for one in get_args(Reason)
}

WAITS: Final[Mapping[Kind, Wait]] = {
    K.POOL_FULL: Wait.POOL,
    K.POOL_MISSING: Wait.POOL,
    K.POOL_EMPTY: Wait.POOL,
    K.POOL_TOO_SMALL: Wait.POOL,
    K.TEAM_SLOTS: Wait.POOL,
    K.NO_AGENT: Wait.AGENT,
    K.AGENTS_FULL: Wait.AGENT,
    K.DAG_PAUSED: Wait.PAUSED,
    K.MAX_ACTIVE_TASKS: Wait.LIMIT,
    K.MAX_ACTIVE_TIS: Wait.LIMIT,
    K.MAX_ACTIVE_RUNS: Wait.LIMIT,
    K.BACKFILL_FULL: Wait.LIMIT,
}

UNREADABLE: Final = (msgspec.MsgspecError, RecursionError)
UNKNOWN_CHARS_MAX: Final = 2_000  # as long as what a task says of its end
DECODER: Final[msgspec.json.Decoder[Reason]] = msgspec.json.Decoder(Reason)


def wait_of(reason: Reason) -> Wait:
    return WAITS.get(reason.kind, Wait.OTHER)


@lru_cache(maxsize=1024)
def stored(text: str) -> Reason:
    """A reason as it was stored. One that this version does not know is a ``Text`` that tells it as it is."""
    try:
        return DECODER.decode(text)
    except UNREADABLE:
        return Text(unknown(text)[:UNKNOWN_CHARS_MAX])


def unknown(text: str) -> str:
    """Word whatever JSON was stored, also what no version of Headway writes: a page shows it, and does not fail."""
    try:
        facts = msgspec.json.decode(text)
    except UNREADABLE:  # numbers that no computer counts to, or lists in lists in lists
        return text
    if not isinstance(facts, dict):
        return str(facts)
    name = str(facts.get("kind", "unknown")).replace("_", " ")
    rest = ", ".join(f"{key} {value}" for key, value in facts.items() if key != "kind")
    return f"{name}: {rest}" if rest else name
