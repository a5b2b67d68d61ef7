"""Messages of the live stream: the current state of what changed."""

from datetime import datetime

import msgspec

from headway.core.reasons import Reason
from headway.wire.states import InstanceState, RunState


class RunDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Event ``run``. Fields as in ``Run``."""

    run_id: str
    dag_id: str
    state: RunState
    version: int
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, int]
    why: Reason | None = None


class InstanceChange(msgspec.Struct, frozen=True):
    task_id: str
    map_index: int
    state: InstanceState | None  # None: there is no such instance any more
    attempts: int | None
    started_at: datetime | None
    ended_at: datetime | None
    blocked_reason: str | None
    why: Reason | None = None


class InstancesDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Event ``task_instance``: changed task instances of one run."""

    run_id: str
    dag_id: str
    changes: list[InstanceChange]


class DagDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Event ``dag``."""

    dag_id: str
    version: int
    bundle_version: str
    paused_at: datetime | None
    missing_since: datetime | None
    updated_at: datetime


class PoolDelta(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    slots: int
    used: int


class PoolsDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Event ``pool``: all pools, sent when a pool was created, resized or deleted."""

    pools: list[PoolDelta]


class LogDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Event ``log``: the log of an attempt has grown to ``size`` bytes, or is complete."""

    run_id: str
    task_id: str
    map_index: int
    attempt: int
    size: int
    complete: bool


class StreamEvents(msgspec.Struct, frozen=True, kw_only=True):
    """The data of each event, by its name. Nobody sends it as a whole."""

    run: RunDelta
    task_instance: InstancesDelta
    dag: DagDelta
    pool: PoolsDelta
    log: LogDelta
