"""DAGs, their versions, and import errors."""

from datetime import datetime
from typing import Any

import msgspec

from headway.spec.model import Dag
from headway.wire.runs import RunBrief
from headway.wire.states import RunState


class ImportError(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    line: int | None
    message: str
    at: datetime


class LastGood(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG whose file is broken, and the version that its runs use meanwhile."""

    dag_id: str
    version: int


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a file, from the line ``first`` on."""

    first: int
    text: str


class BrokenFile(ImportError, frozen=True, kw_only=True):
    """A file that fails to load. ``at``: of its present error; ``since``: of the first one since it last loaded;
    ``dags``: those that it defined when it last loaded. ``code``: the lines around the error, if you may read sources.
    """

    since: datetime
    bundle_version: str
    dags: list[LastGood] = []
    code: Excerpt | None = None


class DagSummary(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    file: str
    version: int
    bundle_version: str
    schedule: dict[str, Any] | None  # as the spec keeps it: headway.core.schedules
    schedule_words: str  # when it fires
    tags: list[str]
    paused_at: datetime | None
    paused_by: str | None
    missing_since: datetime | None
    next_run_at: datetime | None
    last_run_state: RunState | None
    last_run_at: datetime | None
    updated_at: datetime
    description: str = ""
    owner: str = ""
    tasks: int = 0
    running: int = 0  # runs
    queued: int = 0
    recent: list[RunBrief] = []  # the newest last
    import_error: ImportError | None = None  # of its file: it shows its last good version
    warnings: list[str] = []  # what was noticed when its file was imported


class DagTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of DAGs of a whole list. ``by_state``: by the state of their latest run; ``never_ran`` have none."""

    total: int
    paused: int
    never_ran: int
    by_state: dict[RunState, int]


class DagPage(msgspec.Struct, frozen=True):
    """``next_cursor`` is None on the last page. ``totals``, on the first page: of all that match the filters, whatever
    the state of their latest run.
    """

    items: list[DagSummary]
    next_cursor: str | None = None
    totals: DagTotals | None = None


class DagVersion(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    spec_hash: str
    created_at: datetime


class DagDetail(DagSummary, frozen=True, kw_only=True):
    spec: Dag
    versions: list[DagVersion]
    airflow_runs: int = 0  # that Airflow did before the DAG moved here
