"""A task instance and its live attempt, as they are in memory."""

from dataclasses import dataclass
from datetime import datetime

from headway.core.graph import Node
from headway.core.reasons import Reason
from headway.core.states import AttemptState, Event, State
from headway.core.waits.deferral import Deferral

NOT_MAPPED = -1

Key = tuple[int, int]  # a node's index and a map index


@dataclass(slots=True)
class Attempt:
    """A live or deferred attempt, or one that ended in this transaction."""

    number: int
    token: str | None
    session: str
    queued_at: datetime
    ready_at: datetime | None = None
    waited_for: Reason | None = None  # the last reason for which it was not granted at once
    state: AttemptState = AttemptState.QUEUED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    pid: int | None = None
    cause: str | None = None
    detail: str | None = None
    line: int | None = None
    exit_code: int | None = None
    deferrals: int = 0  # how often it was deferred: so many processes lie behind
    ended_idle: bool = False  # by a move that found it deferred
    deferral: Deferral | None = None  # its latest wait; after it, what the next process is told


@dataclass(slots=True, eq=False)
class Instance:
    """A task instance. ``stored`` is the state the database has; None: it has no row yet."""

    node: Node
    map_index: int
    state: State = State.WAITING
    stored: State | None = None
    attempts: int = 0
    failures: int = 0
    losses: int = 0
    rank: float | None = None
    intent: Event | None = None
    intent_by: str | None = None
    wake_at: datetime | None = None
    length: int | None = None
    item: bool = False  # its result is one of the list that tasks below a mapped task get
    follow: frozenset[str] | None = None  # a branch's choice; None: it left nothing out
    blocked_reason: Reason | None = None
    waited_for: Reason | None = None  # the last ``blocked_reason`` since it became ready
    reason: Reason | None = None
    ready_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: Attempt | None = None
    name: str | None = None  # in place of the map index; None: what the database has

    @property
    def key(self) -> Key:
        return self.node.index, self.map_index

    def __str__(self) -> str:
        return self.node.task_id if self.map_index < 0 else f"{self.node.task_id}[{self.map_index}]"
