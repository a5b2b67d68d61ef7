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


class TeamShare(msgspec.Struct, frozen=True, kw_only=True):
    """The slots of a team, one for each running task. ``slots``: its nominal ones; ``allotted``: how many it may
    use now; ``fair``: how many it is due. Both are null where nothing is shared. ``borrowed``: used beyond the
    nominal ones; ``lent``: nominal ones that other teams have; ``short``: it wants more than it may use.
    """

    team: str
    slots: int | None
    weight: float
    used: int
    allotted: int | None
    fair: int | None
    borrowed: int = 0
    lent: int = 0
    short: bool = False


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    pools: list[PoolSlots]
    runs_waiting: list[WaitingRuns]  # the most first
    team: TeamShare
    capacity: int | None = None  # of all teams together; null: as many as their agents have
    teams: list[TeamShare] = []  # all of them, for a platform admin
