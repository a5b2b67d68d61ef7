"""The reasons that hold back an instance that could run, and the base of all reasons (``core.reasons``)."""

import msgspec

from headway.core.reason_kinds import Kind

K = Kind


class Facts(msgspec.Struct, frozen=True, tag_field="kind"):
    """The base of all reasons, tagged by kind."""

    @property
    def kind(self) -> Kind:
        return Kind(str(self.__struct_config__.tag))


class PoolFull(Facts, frozen=True, tag=K.POOL_FULL.value):
    pool: str
    used: int
    slots: int


class PoolMissing(Facts, frozen=True, tag=K.POOL_MISSING.value):
    pool: str


class PoolEmpty(Facts, frozen=True, tag=K.POOL_EMPTY.value):
    pool: str  # it has no slots at all


class PoolTooSmall(Facts, frozen=True, tag=K.POOL_TOO_SMALL.value):
    pool: str
    needed: int
    slots: int


class PoolTurn(Facts, frozen=True, tag=K.POOL_TURN.value):
    """The pool has a slot for it, and it is not its turn: an earlier one needs more slots than are free, or a
    scheduler is about to hand them out.
    """

    pool: str


class PoolShared(Facts, frozen=True, tag=K.POOL_SHARED.value):
    """Other teams use the pool, too: this one uses ``used`` of the ``allotted`` slots that it may use now."""

    pool: str
    used: int
    allotted: int
    slots: int


class PoolNotShared(Facts, frozen=True, tag=K.POOL_NOT_SHARED.value):
    """No grant of ``team`` lets tasks run in its pool, if there is one."""

    pool: str
    team: str


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


class QuotaFull(Facts, frozen=True, tag=K.QUOTA_FULL.value):
    """The team's quota in the cluster is used up. ``resource``: cpu, memory, pods, …; amounts as Kubernetes writes
    them; ``asked``: by this pod, empty if nobody asked; ``held_by``: pods of the DAGs that have the most.
    """

    resource: str
    used: str
    hard: str
    asked: str = ""
    held_by: dict[str, int] = {}


class PodPending(Facts, frozen=True, tag=K.POD_PENDING.value):
    """Its pod exists and has not started. ``cause`` and ``message``: as the cluster says, such as Unschedulable."""

    cause: str
    message: str


class PodRefused(Facts, frozen=True, tag=K.POD_REFUSED.value):
    """The cluster does not create its pod now; it is asked again."""

    message: str


class WarmStarting(Facts, frozen=True, tag=K.WARM_STARTING.value):
    """An agent of the team's warm pool is on its way. ``pod``: its name, empty if it does not exist yet;
    ``since``: when it was created.
    """

    pod: str = ""
    since: str = ""


class DagPaused(Facts, frozen=True, tag=K.DAG_PAUSED.value):
    by: str


class MaxActiveTasks(Facts, frozen=True, tag=K.MAX_ACTIVE_TASKS.value):
    limit: int


class MaxActiveTis(Facts, frozen=True, tag=K.MAX_ACTIVE_TIS.value):
    limit: int


class MaxActiveTisOfDag(Facts, frozen=True, tag=K.MAX_ACTIVE_TIS_OF_DAG.value):
    limit: int  # over all runs of ``dag``
    dag: str


class AwaitsPast(Facts, frozen=True, tag=K.AWAITS_PAST.value):
    """``task`` of the run before has not done its part. ``date``: the logical date of that run; ``state``: of the task,
    empty if it has not run at all.
    """

    run: str
    date: str
    task: str
    state: str = ""


class AwaitsIteration(Facts, frozen=True, tag=K.AWAITS_ITERATION.value):
    """A task of a loop waits in one of its iterations. ``iteration``: which, from 1; ``most``: how many there can be;
    ``gate``: the task that decides after each whether another one follows; ``until``: the condition that it looks at,
    empty: it counts; ``awaits``: first tasks that have not ended; ``more``: how many others.
    """

    iteration: int
    most: int
    gate: str
    until: str = ""
    awaits: tuple[str, ...] = ()
    more: int = 0
    decides: bool = False  # it is the gate itself that waits
