"""Diagnosis of a run: its errors, what they blocked, and what changed since the last successful run."""

from datetime import datetime
from typing import Any

import msgspec

from headway.core.reasons import Reason
from headway.core.states import State
from headway.wire.instances import InstanceKey
from headway.wire.runs import Run


class FirstError(msgspec.Struct, frozen=True, kw_only=True):
    """The first place of an error. ``excerpt``: the log around the error's line, without times."""

    task_id: str
    map_index: int
    rendered_map_index: str | None = None
    attempt: int
    at: datetime | None
    cause: str | None
    detail: str | None
    line: int | None  # of the DAG file
    excerpt: str | None = None
    state: State | None = None  # of the task instance now


class ErrorGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Errors that differ only in numbers, ids and paths. ``instances``: the first of those that have it."""

    fingerprint: str
    count: int
    task_ids: list[str]
    first: FirstError
    instances: list[InstanceKey] = []


class BlockedTask(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    count: int
    reason: str | None
    why: Reason | None = None


class BlockedDag(msgspec.Struct, frozen=True, kw_only=True):
    """Another DAG that waits because of the run: for an asset (``kind`` is ``asset``) that ``source`` would have
    updated, or with a task (``kind`` is ``run``) for the run itself. ``through``: it waits for that DAG, which waits.
    """

    dag_id: str
    owner: str
    kind: str
    name: str  # of the asset, or of the task that waits
    source: str | None = None  # the task of the run
    run_id: str | None = None  # the run that waits
    through: str | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    what: str  # state, logical date, version, bundle, trigger, duration, param <name>
    before: Any
    after: Any


class TaskDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A difference. ``task``: the task exists in only one of the runs."""

    task_id: str
    what: str  # task, states, attempts, duration
    before: Any
    after: Any


class RunDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Differences of two runs of a DAG; tasks in the order of the earlier spec."""

    before: Run
    after: Run
    differences: list[Difference]
    tasks: list[TaskDifference]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Differences from the last successful run before this one."""

    run_id: str
    logical_date: datetime
    version: int
    differences: list[Difference]


class RetryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The task instances that a retry of the failed ones would run again: without and with downstream."""

    failed: int
    total: int


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    headline: str
    errors: list[ErrorGroup]  # the most frequent first
    blocked: list[BlockedTask]
    compared_to: Comparison | None
    first_failed: InstanceKey | None
    repaired: (
        FirstError | None
    )  # the first failed attempt of the run, if its task instance did not stay failed
    retry: RetryCounts
    blocked_dags: list[BlockedDag] = []  # the nearest first
