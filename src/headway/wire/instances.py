"""Task instances, their attempts and results."""

from datetime import datetime
from typing import Any

import msgspec

from headway.core.reasons import Reason
from headway.wire.states import AttemptState, InstanceState


class InstanceKey(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int


class TaskInstance(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int
    state: InstanceState
    attempts: int
    blocked_reason: str | None
    reason: str | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    why: Reason | None = None  # what holds it back, or why it is in its state


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
    log: str  # below the data directory
    log_removed_at: datetime | None = None  # it was kept no longer


class TaskInstanceDetail(TaskInstance, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    file: str
    pool: str
    wake_at: datetime | None
    history: list[Attempt]


class XCom(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is the stored JSON with its tagged extensions, or None if the result is in ``file``."""

    task_id: str
    map_index: int
    key: str
    attempt: int
    size: int
    length: int | None
    value: Any
    file: str | None
