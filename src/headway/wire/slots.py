"""Used slots of pools, and what waits for them."""

from datetime import datetime

import msgspec

from headway.core.reasons import Reason
from headway.wire.pools import PoolLoan


class SlotUser(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    run_id: str
    used: int


class SlotQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Task instances that wait for the same reason."""

    reason: str
    count: int
    since: datetime  # the first of them
    why: Reason | None = None


class StuckTasks(msgspec.Struct, frozen=True, kw_only=True):
    """Task instances that can never run until a person changes what ``why`` names, and the first of them.

    ``slots``: how many of its pool each of them needs; ``count``: of the first few hundred that wait.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    since: datetime
    count: int
    slots: int
    reason: str
    why: Reason
    rendered_map_index: str | None = None  # the name of the first, by map_index_template


class PoolSlots(msgspec.Struct, frozen=True, kw_only=True):
    """As ``Pool``, and what uses and waits for its slots in this team."""

    name: str
    slots: int
    used: int
    waiting: int
    users: list[SlotUser]  # those with the most first
    queue: list[SlotQueue]  # the longest first
    allotted: int | None = None
    lent_to: list[PoolLoan] = []


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
    stuck: list[StuckTasks]  # the longest wait first
    capacity: int | None = None  # of all teams together; null: as many as their agents have
    teams: list[TeamShare] = []  # all of them, for a platform admin


class TeamAttempts(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a team, and its attempts as three lists in the same order: when each was ready, in seconds after
    ``since``; how long it waited for a slot; and how long it held one, until it ended or until now.
    """

    team: str
    slots: int | None  # nominal
    weight: float
    running_tasks: int | None  # the limit of the team
    kept_slots: int  # nominal ones that are never lent
    ready_s: list[float]
    waited_s: list[float]
    held_s: list[float]


class SlotHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The attempts that got a slot after ``since``. ``capacity``: the slots of all teams together, now."""

    since: datetime
    until: datetime
    capacity: int | None
    all_teams: bool  # false: only the team of the request
    teams: list[TeamAttempts]
