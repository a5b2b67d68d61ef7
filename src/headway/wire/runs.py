"""Runs, their tasks and events, and requests for actions on them."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from headway.core.reasons import Reason
from headway.wire.bounds import Date, Id, Index, said
from headway.wire.instances import InstanceKey
from headway.wire.states import RunState
from headway.wire.versions import FileChange, SpecChange

MARKS: Final = ("success", "failed")
CODES: Final = ("run", "latest")
RUNS_MAX: Final = 100_000
NOTE_CHARS_MAX: Final = 10_000
GIVEN_ID_CHARS_MAX: Final = 250
PARTITION_CHARS_MAX: Final = 250


class Run(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    state: RunState
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
    set_aside: str | None = None  # the error for which it was set aside: no scheduler takes it now
    retry_at: datetime | None = None  # when it is taken again that was set aside
    note: str | None = None
    duration_s: float | None = None  # of what has ended
    why: Reason | None = None
    first_version: int | None = None  # that it was created with, if it was switched to later code
    repinned_at: datetime | None = None  # when it was, the last time
    repinned_by: str | None = None
    given_id: str | None = None  # that its caller gave it, beside its own
    partition: str | None = None  # of the data that it is about
    assets: list[str] = []  # whose events started it: the first 10 by name
    # The digests that its pods got for the tags of images, the one that later pods use first. Of a single run only.
    images: dict[str, list[str]] = {}


class RunBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A short form of a run, for lists of many. ``failed_instances``: once it has ended, also with success."""

    run_id: str
    state: RunState
    logical_date: datetime
    started_at: datetime | None
    ended_at: datetime | None
    trigger: str
    failed_instances: int = 0
    partition: str | None = None


class RunTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of runs that match the filters, whatever their state. ``truncated``: of the newest 20,000 only."""

    total: int
    by_state: dict[RunState, int]
    truncated: bool


class AdjacentRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of the same DAG before and after a run, by logical date."""

    previous: RunBrief | None
    next: RunBrief | None


class RunTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a run with counts of its instances. Tasks are in the order of the spec, upstream first."""

    task_id: str
    upstream: list[str]
    mapped: bool
    counts: dict[str, int]
    started_at: datetime | None
    ended_at: datetime | None
    blocked_reason: str | None
    reason: str | None
    group: str = ""
    mapped_group: str = ""  # that is mapped as a whole, or repeated, and has the task
    max_iterations: int | None = (
        None  # of the loop that it is in; its map indexes are the iterations
    )
    label: str = ""
    kind: str = ""
    trigger_rule: str = ""
    setup: bool = False
    teardown: bool = False
    doc: str = ""
    pool: str = ""
    critical: bool = False  # on the path that made the run as long as it is
    duration_s: float | None = None  # from its first start to its last end
    retry_at: datetime | None = (
        None  # when the first of its instances that wait for a retry runs again
    )
    failures: int = 0  # of the one of these that failed most often, since it last began anew
    retries: int = 0
    waits_since: datetime | None = None  # the first of its instances that could run and do not
    worked_s: float | None = None  # while at least one instance ran, retries included
    waited_s: float | None = None  # while instances were ready or waited for a retry, and none ran
    why: Reason | None = (
        None  # of one of its instances: what holds it back, or why it is in its state
    )


class TriggerRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``logical_date`` is a time, or a date in the DAG's time zone: then the first fire time of that day.

    ``given_id``: an id of the caller's own. A run of the DAG that has it is a conflict, while an ``idempotency_key``
    returns that run. ``partition``: the key of the data that the run is about; without, that of the date, if it has
    one.
    """

    logical_date: Date | None = None
    params: dict[str, Any] = {}
    idempotency_key: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    given_id: Annotated[str, msgspec.Meta(max_length=GIVEN_ID_CHARS_MAX)] | None = None
    partition: Annotated[str, msgspec.Meta(max_length=PARTITION_CHARS_MAX)] | None = None
    dry_run: bool = False


class TriggerPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The run that a trigger would create. ``would_wait``: why it would not start immediately; ``same_date``: the runs
    of this date that exist, the newest first.
    """

    params: dict[str, Any]
    tasks: int
    would_wait: str | None
    logical_date: datetime
    why: Reason | None = None
    same_date: list[RunBrief] = []


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dry_run: bool = False


class ReplayPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The run that a replay would create. ``not_reproduced``: sentences on what differs or may differ."""

    run_id: str  # of which it would be a replay
    dag_id: str
    version: int
    bundle_version: str
    params: dict[str, Any]
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    tasks: int
    would_wait: str | None
    not_reproduced: list[str]
    why: Reason | None = None


class BulkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of ``count`` (equal runs) and ``runs`` (individual runs)."""

    count: Annotated[int, said(minimum=1, maximum=RUNS_MAX)] | None = None
    runs: list[TriggerRequest] | None = None


class BulkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    run_ids: list[str]


class ClearRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tasks: list[Id] = []
    failed_only: bool = False
    downstream: bool = True
    upstream: bool = False
    map_indexes: list[Index] = []
    dry_run: bool = False
    code: Annotated[str, said(enum=CODES)] = "run"
    error: str = (
        ""  # a fingerprint of the run's diagnosis: only the task instances that failed with it
    )


class CodeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The code of a run, and how the latest of its DAG differs. ``refused``: why the run cannot continue with
    the latest; ``advised``: the one to suggest; ``file``: the DAG file; ``images``: whose digests stay those that the
    run first used, unless the latest is chosen.
    """

    version: int
    bundle_version: str
    latest_version: int
    latest_bundle_version: str
    file: str
    files: list[FileChange]
    more_files: int
    tasks: list[SpecChange]
    refused: str | None
    advised: Annotated[str, said(enum=CODES)]
    images: list[str] = []


class ClearAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``choice``: in a dry run, the codes to choose between."""

    run_id: str
    cleared: list[InstanceKey]
    dry_run: bool
    version: int
    bundle_version: str
    choice: CodeChoice | None = None


class MarkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to mark a task instance, or without ``task_id`` the whole run.

    All its unfinished task instances get the state; ``success`` also marks failed ones. Other finished ones keep
    their state.
    """

    task_id: Id | None = None
    state: Annotated[str, said(enum=MARKS)]
    map_index: Index = -1
    dry_run: bool = False


class MarkPreview(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    marked: list[InstanceKey]
    ending: int = 0  # how many of them have a live attempt, which is ended first


class NoteRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    note: Annotated[str, said(maxLength=NOTE_CHARS_MAX)] | None
