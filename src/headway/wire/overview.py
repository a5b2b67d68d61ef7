"""The overview for the start page."""

from datetime import datetime

import msgspec

from headway.core.reasons import Reason
from headway.wire.dags import BrokenFile
from headway.wire.health import Component
from headway.wire.pools import Pool
from headway.wire.runs import RunBrief
from headway.wire.slots import StuckTasks


class DagCounts(msgspec.Struct, frozen=True, kw_only=True):
    total: int
    paused: int
    broken: int  # their file cannot be loaded: the last good version goes on


class RunCounts(msgspec.Struct, frozen=True, kw_only=True):
    running: int
    queued: int
    failed_24h: int
    success_24h: int


class FailedRun(RunBrief, frozen=True, kw_only=True):
    """The latest failed run of a DAG that has not succeeded since; or its latest one, which succeeded although task
    instances failed.
    """

    dag_id: str
    headline: str
    count: int  # such runs of the DAG in the last 24 hours


class WaitingTask(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    since: datetime
    reason: str
    why: Reason | None = None
    rendered_map_index: str | None = None  # its name, by map_index_template


class LateDag(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG whose scheduled run has not started in time."""

    dag_id: str
    expected_at: datetime
    reason: str
    why: Reason | None = None


class NextRun(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    fire_at: datetime


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that ended in this hour. ``flawed``: those of ``success`` in which task instances failed."""

    hour: datetime
    success: int
    failed: int
    cancelled: int
    flawed: int = 0
    skipped: int = 0  # the run gave way to another (run_strategy)


class Home(msgspec.Struct, frozen=True, kw_only=True):
    now: datetime
    dags: DagCounts
    runs: RunCounts
    failed: list[FailedRun]
    flawed: list[FailedRun]  # succeeded although task instances failed
    waiting: list[WaitingTask]
    stuck: list[StuckTasks]  # can never run as things are
    late: list[LateDag]
    slots: list[Pool]
    next: list[NextRun]
    components: list[Component]
    import_errors: list[BrokenFile]
    activity: list[Hour]
