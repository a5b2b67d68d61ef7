"""Runs in Airflow's metadata database, read page by page: what ended, when, and how each task instance ended.

The tables are those of Airflow 2.3 and later, where ``logical_date`` was still ``execution_date``, and of Airflow 3.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from headway import wire
from headway.actions.airflow_runs import flaw
from headway.cli.airflow_metadata import Ask, Source
from headway.core.airflow_runs import INSTANCES_MAX, RUN_STATES, SCHEDULED
from headway.errors import UsageError

RUNS_PAGE: Final = 100
INSTANCES_PAGE: Final = 2_000
OPERATOR_CHARS_MAX: Final = 250
BYTES_MAX: Final = 7 * 1024 * 1024  # of a run: what one request carries
DAG_ID: Final = re.compile(r"[\w.-]{1,250}")  # as Airflow has them

COLUMNS: Final = {
    "sqlite": "SELECT name FROM pragma_table_info(%s)",
    "postgres": """
        SELECT column_name FROM information_schema.columns
        WHERE table_name = %s AND table_schema = ANY(current_schemas(false))
    """,
}
NEEDED: Final = ("run_type", "data_interval_start", "data_interval_end", "end_date")
# ``fire``, ``date``, ``operator``: columns or expressions of ours, for what a release of Airflow has.
TOTALS: Final = """
    SELECT dag_id, run_type, state, count(*),
        min(CASE WHEN end_date >= %s THEN end_date END), max(end_date),
        max(CASE WHEN {fire} <= %s THEN {fire} END),
        sum(CASE WHEN end_date >= %s THEN 1 ELSE 0 END), sum(CASE WHEN end_date < %s THEN 1 ELSE 0 END)
    FROM dag_run GROUP BY dag_id, run_type, state ORDER BY dag_id
"""
RUNS: Final = """
    SELECT id, run_id, run_type, state, {date}, data_interval_start, data_interval_end, {fire}, start_date, end_date
    FROM dag_run
    WHERE dag_id = %s AND id > %s AND state IN ('success', 'failed') AND end_date >= %s
    ORDER BY id LIMIT %s
"""
# In an order that no index has: in that of one, SQLite would read all task instances of the DAG for each run.
INSTANCES: Final = """
    SELECT task_id, map_index, state, try_number, start_date, end_date, {operator} FROM task_instance
    WHERE dag_id = %s AND run_id = %s AND (task_id || '', map_index) > (%s, %s)
    ORDER BY task_id || '', map_index LIMIT %s
"""
COUNT: Final = "SELECT count(*) FROM task_instance WHERE dag_id = %s AND run_id = %s"
TASK: Final = ("task_id", "map_index", "state", "tries", "started_at", "ended_at", "operator")
DATES: Final = (
    *("logical_date", "interval_start", "interval_end", "due_at"),
    *("started_at", "ended_at"),
)


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a DAG in Airflow. ``runs`` are those to import, ``older`` ended before, ``open`` have not ended, and
    ``endless`` are said to have ended at no time.
    """

    dag_id: str
    runs: int
    older: int = 0
    open: int = 0
    endless: int = 0
    first: datetime | None = None
    last: datetime | None = None
    done_until: datetime | None = None


class Left(NamedTuple):
    """A run that cannot be kept here, and why."""

    run_id: str
    why: str


class Reader:
    """Reads runs that ended at ``since`` or later."""

    def __init__(self, ask: Ask, source: Source, since: datetime, now: datetime) -> None:
        self.ask = ask
        self.now = now
        self.kind = "sqlite" if source.url.startswith("sqlite") else "postgres"
        self.since = self.of_database(since)
        names, of_tasks = self.columns("dag_run"), self.columns("task_instance")
        date = "logical_date" if "logical_date" in names else "execution_date"
        if not {date, *NEEDED} <= names or "map_index" not in of_tasks:
            raise UsageError(
                "its runs cannot be read: columns of dag_run or task_instance are missing",
                where=source.where,
                hint="runs of Airflow 2.3 or later are imported; upgrade it first: airflow db migrate",
            )
        after = "run_after, " if "run_after" in names else ""
        custom = "custom_operator_name, " if "custom_operator_name" in of_tasks else ""
        self.named = {
            "date": date,
            "fire": f"coalesce({after}data_interval_end, {date})",
            "operator": f"coalesce({custom}operator, '')",
        }

    def columns(self, table: str) -> set[str]:
        return {name for (name,) in self.ask(COLUMNS[self.kind], table)}

    def of_database(self, at: datetime) -> object:
        """Return a time as the database compares it: SQLite has texts, which Airflow writes in UTC."""
        if self.kind == "postgres":
            return at
        return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

    def dags(self, patterns: Sequence[str]) -> Iterator[Past]:
        """Yield what there is of each DAG whose id matches a pattern; without patterns, of all."""
        now = self.of_database(self.now)
        rows = self.ask(TOTALS.format(**self.named), self.since, now, self.since, self.since)
        for dag_id, of_dag in groupby(rows, key=itemgetter(0)):
            if not (isinstance(dag_id, str) and DAG_ID.fullmatch(dag_id)):
                raise UsageError(f"{dag_id!a:.60} in dag_run is not the id of a DAG")
            if not patterns or any(fnmatchcase(dag_id, pattern) for pattern in patterns):
                yield self.past(dag_id, list(of_dag))

    def past(self, dag_id: str, rows: Sequence[tuple[Any, ...]]) -> Past:
        ended = [row for row in rows if row[2] in RUN_STATES]
        fires = (moment(row[6]) for row in ended if row[1] == SCHEDULED)
        newer, older = (sum(row[place] or 0 for row in ended) for place in (7, 8))
        return Past(
            dag_id=dag_id,
            runs=newer,
            older=older,
            open=sum(row[3] for row in rows if row[2] not in RUN_STATES),
            endless=sum(row[3] for row in ended) - newer - older,
            first=min(filter(is_moment, (moment(row[4]) for row in ended)), default=None),
            last=max(filter(is_moment, (moment(row[5]) for row in ended if row[7])), default=None),
            done_until=max(filter(is_moment, fires), default=None),
        )

    def runs(self, dag_id: str) -> Iterator[wire.AirflowRunDetail | Left]:
        """Yield the runs of a DAG, in the order in which Airflow made them."""
        last: object = -1
        while True:
            page = self.ask(RUNS.format(**self.named), dag_id, last, self.since, RUNS_PAGE)
            for row in page:
                yield self.run(dag_id, row[1:])
            if len(page) < RUNS_PAGE:
                return
            last = page[-1][0]

    def run(self, dag_id: str, row: Sequence[Any]) -> wire.AirflowRunDetail | Left:
        run_id, run_type, state, *dates = row
        instances = list(self.instances(dag_id, run_id))
        total = len(instances)
        if total > INSTANCES_MAX:
            ((total,),) = self.ask(COUNT, dag_id, run_id)
        given = {
            **dict(zip(DATES, map(moment, dates), strict=True)),
            **{"run_id": run_id, "run_type": run_type, "state": state, "tasks": total},
            "instances": instances[:INSTANCES_MAX],
        }
        try:
            found = msgspec.convert(given, wire.AirflowRunDetail)
        except msgspec.ValidationError as error:
            return Left(f"{run_id!a:.60}", str(error))
        why = flaw(found, self.now)
        return found if why is None else Left(f"{run_id!a:.60}", why)

    def instances(self, dag_id: str, run_id: object) -> Iterator[dict[str, Any]]:
        """Yield the task instances of a run, at least one more than can be kept if it has more."""
        instances = INSTANCES.format(**self.named)
        last: tuple[object, object] = ("", -2)
        for _ in range(INSTANCES_MAX // INSTANCES_PAGE + 1):
            page = self.ask(instances, dag_id, run_id, *last, INSTANCES_PAGE)
            for task_id, map_index, state, tries, started_at, ended_at, operator in page:
                operator = operator[:OPERATOR_CHARS_MAX] if isinstance(operator, str) else ""
                dates = (moment(started_at), moment(ended_at))
                fields = (task_id, map_index, state or None, tries or 0, *dates, operator)
                yield dict(zip(TASK, fields, strict=True))
            if len(page) < INSTANCES_PAGE:
                return
            last = page[-1][:2]


def moment(value: object) -> Any:
    """Return a time with its zone. What is not one is returned as it is, for its check to refuse."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime) and value.utcoffset() is None:
        return value.replace(tzinfo=UTC)
    return value


def is_moment(value: object) -> bool:
    return isinstance(value, datetime)
