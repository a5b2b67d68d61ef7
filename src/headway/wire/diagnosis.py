"""What broke in a run, what it stopped, and what is different from when it last went well."""

from datetime import datetime
from typing import Any

import msgspec

from headway.core.reasons import Reason
from headway.wire.instances import InstanceKey
from headway.wire.runs import Run


class FirstError(msgspec.Struct, frozen=True, kw_only=True):
    """Where an error came first. ``excerpt``: its log around the line that says it, without times."""

    task_id: str
    map_index: int
    number: int
    at: datetime | None
    cause: str | None
    detail: str | None
    line: int | None  # of the DAG file
    excerpt: str | None = None


class ErrorGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Errors that differ only in numbers, ids and paths."""

    fingerprint: str
    count: int
    task_ids: list[str]
    first: FirstError


class BlockedTask(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    count: int
    reason: str | None
    why: Reason | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    what: str  # state, logical date, version, bundle, trigger, duration, param <name>
    before: Any
    after: Any


class TaskDifference(msgspec.Struct, frozen=True, kw_only=True):
    """``task``: it is in one of the runs alone."""

    task_id: str
    what: str  # task, states, attempts, duration
    before: Any
    after: Any


class RunDiff(msgspec.Struct, frozen=True, kw_only=True):
    """How two runs of a DAG differ; the tasks of the earlier specification first."""

    before: Run
    after: Run
    differences: list[Difference]
    tasks: list[TaskDifference]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """With the last run of the DAG that went well before this one."""

    run_id: str
    logical_date: datetime
    version: int
    differences: list[Difference]


class RetryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a retry of what failed would run again: that alone, and with all that is below it."""

    failed: int
    total: int


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    headline: str
    errors: list[ErrorGroup]  # the most frequent first
    blocked: list[BlockedTask]
    compared_to: Comparison | None
    first_failed: InstanceKey | None
    retry: RetryCounts
