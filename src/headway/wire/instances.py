"""Task instances, their attempts and results."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from headway.core.reasons import Reason
from headway.core.waits.deferral import Awaited, Overdue
from headway.wire.bounds import said
from headway.wire.questions import Question
from headway.wire.states import AttemptState, InstanceState


class InstanceKey(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int


class TaskInstance(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int
    rendered_map_index: str | None = None  # its name in place of the index, by map_index_template
    state: InstanceState
    attempts: int
    blocked_reason: str | None
    reason: str | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    why: Reason | None = None  # what holds it back, or why it is in its state
    ready_at: datetime | None = None  # since when it could run, or could the last time


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    state: AttemptState
    cause: str | None
    detail: str | None
    line: int | None
    exit_code: int | None
    agent: str | None
    pid: int | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    deferrals: int  # how often it was deferred: it had one process more
    log: str  # below the data directory
    log_removed_at: datetime | None = None  # it was kept no longer


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """The wait of a deferred task instance; its ``reason`` says it in words."""

    kind: Annotated[str, said(enum=list(Awaited))]
    since: datetime
    until: datetime | None  # when the clock ends it, or when a sensor looks again
    ends_at: datetime | None  # when it has taken too long
    overdue: Annotated[str, said(enum=list(Overdue))]  # what happens then
    agent: str | None = None  # whose triggerer looks after it; None: nobody's, or it needs none
    looks: int = 0  # of its trigger that were told, and the last of them
    looked_at: datetime | None = None
    looks_at: datetime | None = None  # again
    note: str | None = None  # of the trigger, or that no grant allows the wait


class TaskInstanceDetail(TaskInstance, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    file: str
    pool: str
    wake_at: datetime | None
    failures: int = 0  # that count against its retries
    history: list[Attempt]
    wait: Wait | None = None  # while it is deferred
    questions: list[Question] = []  # that it asked people, the latest first


class XCom(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is the stored JSON with its tagged extensions, or None if the result is in ``file``.

    ``masked``: the result reveals a secret that its task was handed, so ``value`` has ``***`` in its place.
    """

    task_id: str
    map_index: int
    key: str
    attempt: int
    size: int
    length: int | None
    value: Any
    file: str | None
    masked: bool = False
