"""Used slots of pools, and what waits for them."""

import msgspec

from headway.core.reasons import Reason


class SlotUser(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    run_id: str
    used: int


class SlotQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Task instances that wait for the same reason."""

    reason: str
    count: int
    why: Reason | None = None


class PoolSlots(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    slots: int
    used: int
    waiting: int
    users: list[SlotUser]  # those with the most first
    queue: list[SlotQueue]  # the longest first


class WaitingRuns(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    queued: int
    reason: str
    why: Reason | None = None


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    pools: list[PoolSlots]
    runs_waiting: list[WaitingRuns]  # the most first
