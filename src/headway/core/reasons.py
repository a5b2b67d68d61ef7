"""Why something waits, was skipped, failed or was moved: a closed kind and its facts.

Decided in ``core``, stored as JSON, sent as it is (ADR 19), and worded in one place (``core.wording``). Who needs to
know more than the sentence reads kind and facts; nobody reads the sentence again.
Rule 1: a new reason is a class here, a case in ``wording``, and nothing else.
Rule 2: a class or a field that was stored once is never given another meaning. What this version does not know,
of a newer one or from before there were kinds, is a ``Text``.
"""

from collections.abc import Mapping
from typing import Final, get_args

from headway.core.attempt_reasons import AttemptFailed as AttemptFailed
from headway.core.attempt_reasons import GivenUp as GivenUp
from headway.core.attempt_reasons import LostTooOften as LostTooOften
from headway.core.attempt_reasons import RetryOver as RetryOver
from headway.core.holding import AgentsFull as AgentsFull
from headway.core.holding import AwaitsIteration as AwaitsIteration
from headway.core.holding import AwaitsPast as AwaitsPast
from headway.core.holding import DagPaused as DagPaused
from headway.core.holding import ExecutorUnknown as ExecutorUnknown
from headway.core.holding import Facts as Facts
from headway.core.holding import MaxActiveTasks as MaxActiveTasks
from headway.core.holding import MaxActiveTis as MaxActiveTis
from headway.core.holding import MaxActiveTisOfDag as MaxActiveTisOfDag
from headway.core.holding import NoAgent as NoAgent
from headway.core.holding import PodPending as PodPending
from headway.core.holding import PodRefused as PodRefused
from headway.core.holding import PoolEmpty as PoolEmpty
from headway.core.holding import PoolFull as PoolFull
from headway.core.holding import PoolMissing as PoolMissing
from headway.core.holding import PoolNotShared as PoolNotShared
from headway.core.holding import PoolShared as PoolShared
from headway.core.holding import PoolTooSmall as PoolTooSmall
from headway.core.holding import PoolTurn as PoolTurn
from headway.core.holding import QueueUnserved as QueueUnserved
from headway.core.holding import QuotaFull as QuotaFull
from headway.core.holding import TeamSlots as TeamSlots
from headway.core.holding import WarmStarting as WarmStarting
from headway.core.partition_reasons import AwaitsPartitions as AwaitsPartitions
from headway.core.partition_reasons import LatePartition as LatePartition
from headway.core.partition_reasons import OverduePartition as OverduePartition
from headway.core.reason_kinds import Kind
from headway.core.reason_kinds import Wait as Wait
from headway.core.reason_kinds import wait_of as wait_of

K = Kind


# -- what holds back a run, or a DAG's next one


class MaxActiveRuns(Facts, frozen=True, tag=K.MAX_ACTIVE_RUNS.value):
    """``before``: runs that wait longer."""

    running: int
    limit: int
    before: int = 0


class HeldByRun(Facts, frozen=True, tag=K.HELD_BY_RUN.value):
    """``run``: the one of the same DAG that it waits for; ``date``: its logical date, ISO 8601 in UTC."""

    strategy: str
    run: str
    date: str
    state: str


class AwaitsDate(Facts, frozen=True, tag=K.AWAITS_DATE.value):
    """Its logical date lies in the future."""

    until: str


class BackfillFull(Facts, frozen=True, tag=K.BACKFILL_FULL.value):
    pass


class BackfillPaused(Facts, frozen=True, tag=K.BACKFILL_PAUSED.value):
    by: str


class SetAside(Facts, frozen=True, tag=K.SET_ASIDE.value):
    """``until``: ISO 8601 in UTC, empty where it is not known; ``failures`` of the scheduler to plan it."""

    error: str
    until: str = ""
    failures: int = 0


class NotSeen(Facts, frozen=True, tag=K.NOT_SEEN.value):
    """No scheduler has looked at the task instance yet."""


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


class RunsContinuously(Facts, frozen=True, tag=K.RUNS_CONTINUOUSLY.value):
    """The next run begins when the one before has ended."""


class NoDatesLeft(Facts, frozen=True, tag=K.NO_DATES_LEFT.value):
    """All dates that its schedule has are past."""


class AwaitsAssets(Facts, frozen=True, tag=K.AWAITS_ASSETS.value):
    missing: tuple[str, ...] = ()  # empty: nobody looked which
    since: str = ""  # since when others of its assets have new events
    closed: tuple[str, ...] = ()  # those of other teams among them that no grant lets it use
    limit: str = ""  # nothing is missing, but the team has reached this limit


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
    """``chosen``: what the branch follows. ``tested``: it is a short circuit, and its condition did not hold."""

    branch: str
    chosen: tuple[str, ...]
    tested: bool = False


class FailedFast(Facts, frozen=True, tag=K.FAILED_FAST.value):
    """``task`` failed, and the DAG ends at its first failure."""

    task: str


class SkippedItself(Facts, frozen=True, tag=K.SKIPPED_ITSELF.value):
    message: str = ""


class MappedOverNothing(Facts, frozen=True, tag=K.MAPPED_OVER_NOTHING.value):
    pass


class SourceNotSuccessful(Facts, frozen=True, tag=K.SOURCE_NOT_SUCCESSFUL.value):
    """The source of a mapped task has no result; ``state`` says why."""

    task: str
    state: str


class SetupNotSuccessful(Facts, frozen=True, tag=K.SETUP_NOT_SUCCESSFUL.value):
    """A setup that serves it, or that it tears down, did not succeed; ``state`` says why."""

    task: str
    state: str


class NotAList(Facts, frozen=True, tag=K.NOT_A_LIST.value):
    task: str


class TooManyItems(Facts, frozen=True, tag=K.TOO_MANY_ITEMS.value):
    items: int
    limit: int


class TooManyTasks(Facts, frozen=True, tag=K.TOO_MANY_TASKS.value):
    tasks: int  # in one run
    limit: int


class ItemGone(Facts, frozen=True, tag=K.ITEM_GONE.value):
    """The list that it is mapped over has only ``items`` now."""

    items: int


class IterationGone(Facts, frozen=True, tag=K.ITERATION_GONE.value):
    """An earlier iteration of its loop decides anew; there are only ``iterations`` now."""

    iterations: int


# -- what its attempts did


class Granted(Facts, frozen=True, tag=K.GRANTED.value):
    pool: str
    agent: str


class Started(Facts, frozen=True, tag=K.STARTED.value):
    pass


class AwaitsTime(Facts, frozen=True, tag=K.AWAITS_TIME.value):
    """Deferred until then. ``looks``: a sensor looks again."""

    until: str
    looks: bool = False


class AwaitsRun(Facts, frozen=True, tag=K.AWAITS_RUN.value):
    dag: str
    date: str
    states: tuple[str, ...]
    task: str = ""


class AwaitsAsset(Facts, frozen=True, tag=K.AWAITS_ASSET.value):
    """Deferred until the asset has an event. ``partition``: of that one; ``since``: not an earlier one."""

    asset: str
    partition: str = ""
    since: str = ""


class AwaitsTrigger(Facts, frozen=True, tag=K.AWAITS_TRIGGER.value):
    what: str  # its trigger looks out for


class AwaitsAnswer(Facts, frozen=True, tag=K.AWAITS_ANSWER.value):
    subject: str
    assigned: tuple[
        str, ...
    ] = ()  # users and roles who may answer; nobody: all who may in the team


class Answered(Facts, frozen=True, tag=K.ANSWERED.value):
    by: str
    chosen: tuple[str, ...]


class AnsweredByDefault(Facts, frozen=True, tag=K.ANSWERED_BY_DEFAULT.value):
    """Nobody answered within ``limit_s``."""

    chosen: tuple[str, ...]
    limit_s: float


class Rejected(Facts, frozen=True, tag=K.REJECTED.value):
    """The answer fails the task. ``timed_out``: it is the default."""

    by: str
    chosen: tuple[str, ...]
    timed_out: bool = False


class WaitOver(Facts, frozen=True, tag=K.WAIT_OVER.value):
    pass


class WaitTimedOut(Facts, frozen=True, tag=K.WAIT_TIMED_OUT.value):
    limit_s: float


class UpstreamChanged(Facts, frozen=True, tag=K.UPSTREAM_CHANGED.value):
    pass


class CodeChanged(Facts, frozen=True, tag=K.CODE_CHANGED.value):
    """The run continues with another version of its DAG, or with other files of the same one."""

    by: str
    version: int
    version_before: int
    bundle: str
    bundle_before: str


class TaskRemoved(Facts, frozen=True, tag=K.TASK_REMOVED.value):
    task: str  # that the version with which the run continues does not have


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


class SkippedByStrategy(Facts, frozen=True, tag=K.SKIPPED_BY_STRATEGY.value):
    """``run``: the one of the same DAG that it gave way to, with its logical date, and its state at that time."""

    strategy: str
    run: str
    date: str
    state: str


class RunTimedOut(Facts, frozen=True, tag=K.RUN_TIMED_OUT.value):
    """``dagrun_timeout`` is over."""

    limit_s: float


class LeavesFailed(Facts, frozen=True, tag=K.LEAVES_FAILED.value):
    tasks: tuple[str, ...]
    more: int = 0


class LeavesSucceeded(Facts, frozen=True, tag=K.LEAVES_SUCCEEDED.value):
    aside: tuple[str, ...] = ()  # leaves that failed and do not decide the outcome


class PoolResized(Facts, frozen=True, tag=K.POOL_RESIZED.value):
    pool: str
    slots: int


class Created(Facts, frozen=True, tag=K.CREATED.value):
    """A run came into being."""

    trigger: str
    note: str | None = None


class About(Facts, frozen=True, tag=K.ABOUT.value):
    """The file, bundle, backfill, pool or run that an event is about, where the event has no column for it."""

    what: str


class Text(Facts, frozen=True, tag=K.TEXT.value):
    """A sentence from before there were kinds, a person's own words, or what another version of Headway said."""

    text: str


Reason = (
    PoolFull
    | PoolMissing
    | PoolEmpty
    | PoolTooSmall
    | PoolTurn
    | PoolShared
    | PoolNotShared
    | TeamSlots
    | NoAgent
    | AgentsFull
    | QueueUnserved
    | ExecutorUnknown
    | QuotaFull
    | PodPending
    | PodRefused
    | WarmStarting
    | DagPaused
    | MaxActiveTasks
    | MaxActiveTis
    | MaxActiveTisOfDag
    | AwaitsPast
    | AwaitsIteration
    | MaxActiveRuns
    | HeldByRun
    | AwaitsDate
    | BackfillFull
    | BackfillPaused
    | SetAside
    | NotSeen
    | HandedOver
    | NoScheduler
    | NotCreated
    | FileGone
    | NoSchedule
    | RunsOnce
    | RunsContinuously
    | NoDatesLeft
    | AwaitsAssets
    | AwaitsPartitions
    | LatePartition
    | OverduePartition
    | EndDateReached
    | RuleMet
    | RuleNotMet
    | NotChosen
    | FailedFast
    | SkippedItself
    | MappedOverNothing
    | SourceNotSuccessful
    | SetupNotSuccessful
    | NotAList
    | TooManyItems
    | TooManyTasks
    | ItemGone
    | IterationGone
    | Granted
    | Started
    | AttemptFailed
    | GivenUp
    | LostTooOften
    | RetryOver
    | AwaitsTime
    | AwaitsRun
    | AwaitsAsset
    | AwaitsTrigger
    | AwaitsAnswer
    | Answered
    | AnsweredByDefault
    | Rejected
    | WaitOver
    | WaitTimedOut
    | UpstreamChanged
    | CodeChanged
    | TaskRemoved
    | Cleared
    | Marked
    | Cancelled
    | RunStarted
    | SkippedByStrategy
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
