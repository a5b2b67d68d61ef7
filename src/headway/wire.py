"""What the HTTP API says: structs that the store's views fill, the API sends, the client reads.

Standard library and msgspec only, so that a command starts without a database driver. Only ever
append fields with defaults: an older client reads a newer server.
"""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

import msgspec

from headway.errors import HTTP_STATUS, HeadwayError

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """``next_cursor`` leads on; None: nothing follows."""

    items: list[T]
    next_cursor: str | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """application/problem+json."""

    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    where: str | None = None
    type: str = "about:blank"


def code_of(kind: type) -> str:
    """``NotFound`` is ``not_found`` on the wire."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


KINDS: Final[dict[str, type[HeadwayError]]] = {code_of(kind): kind for kind in HTTP_STATUS}


def problem_of(error: HeadwayError) -> Problem:
    return Problem(
        title=HTTPStatus(error.http_status).phrase,
        status=error.http_status,
        code=code_of(type(error)),
        detail=error.message,
        hint=error.hint,
        where=error.where,
    )


def error_of(problem: Problem) -> HeadwayError:
    """The same error on the other side of the line; an unknown code is the root of the tree."""
    kind = KINDS.get(problem.code, HeadwayError)
    return kind(problem.detail, hint=problem.hint, where=problem.where)


class DagSummary(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    file: str
    version: int
    bundle_version: str
    schedule: dict[str, Any] | None  # headway.spec.model.Schedule
    tags: list[str]
    paused_at: datetime | None
    paused_by: str | None
    missing_since: datetime | None
    next_run_at: datetime | None
    last_run_state: str | None
    last_run_at: datetime | None
    updated_at: datetime


class DagVersion(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    spec_hash: str
    created_at: datetime


class DagDetail(DagSummary, frozen=True, kw_only=True):
    spec: msgspec.Raw  # headway.spec.model.Dag as JSON
    versions: list[DagVersion]


class ImportError(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    line: int | None
    message: str
    at: datetime


class Run(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    state: str
    reason: str | None
    trigger: str
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    params: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int
    bundle_version: str
    counts: dict[str, int]
    backfill_id: str | None = None
    created_by: str = ""
    quarantined: str | None = None  # the error for which no scheduler takes it any more


class RunTask(msgspec.Struct, frozen=True, kw_only=True):
    """All instances of one task of a run, counted. In the order of the spec: upstream first."""

    task_id: str
    upstream: list[str]
    mapped: bool
    counts: dict[str, int]
    started_at: datetime | None
    ended_at: datetime | None
    blocked_reason: str | None
    reason: str | None


class TaskInstance(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int
    state: str
    attempts: int
    blocked_reason: str | None
    reason: str | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    state: str
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


class TaskInstanceDetail(TaskInstance, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    file: str
    pool: str
    wake_at: datetime | None
    history: list[Attempt]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    at: datetime
    subject: str
    name: str
    state: str | None
    task_id: str | None
    map_index: int | None
    number: int | None
    actor: str
    reason: str | None


class XCom(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is the JSON as stored, with its tagged extensions; None: it lies in ``file``."""

    task_id: str
    map_index: int
    key: str
    number: int
    size: int
    length: int | None
    value: msgspec.Raw | None
    file: str | None


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    slots: int
    used: int
    waiting: int


class Component(msgspec.Struct, frozen=True, kw_only=True):
    name: str  # database, scheduler, agent, loader
    healthy: bool
    detail: str
    last_seen_at: datetime | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    healthy: bool
    version: str
    data: str
    dags: str
    components: list[Component]


# -- what is asked for


class TriggerRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    logical_date: datetime | None = None
    params: dict[str, Any] = {}
    idempotency_key: str | None = None


class BulkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of the two: ``count`` runs alike, or ``runs`` as they are given."""

    count: int | None = None
    runs: list[TriggerRequest] | None = None


class BulkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    run_ids: list[str]


class BackfillRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first: datetime = msgspec.field(name="from")
    last: datetime = msgspec.field(name="to")
    max_active_runs: int | None = None
    dry_run: bool = False


class BackfillRun(msgspec.Struct, frozen=True, kw_only=True):
    logical_date: datetime
    run_id: str | None  # None in a dry run


class BackfillAnswer(msgspec.Struct, frozen=True, kw_only=True):
    backfill_id: str | None
    runs: list[BackfillRun]


class ClearRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tasks: list[str] = []
    failed_only: bool = False
    downstream: bool = True
    upstream: bool = False
    map_indexes: list[int] = []
    dry_run: bool = False


class InstanceKey(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int


class ClearAnswer(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    cleared: list[InstanceKey]
    dry_run: bool


class MarkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    task_id: str
    state: str
    map_index: int = -1


class PoolRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: int
