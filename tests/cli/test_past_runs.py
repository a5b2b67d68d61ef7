"""What ``headway import-runs`` says of runs in a metadata database, before any is stored."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pytest

from headway.cli.airflow_metadata import Source, rows_of_sqlite
from headway.cli.airflow_runs import Past, Reader
from headway.cli.output import cell

NOW: Final = datetime(2026, 12, 1, 5, tzinfo=UTC)
DAY: Final = timedelta(days=1)
TABLES: Final = """
    CREATE TABLE dag_run (id integer, dag_id text, run_id text, run_type text, state text, logical_date text,
        data_interval_start text, data_interval_end text, run_after text, start_date text, end_date text);
    CREATE TABLE task_instance (task_id text, dag_id text, run_id text, map_index integer, operator text);
"""


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(TABLES)
        yield database


def text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


def ended(database: sqlite3.Connection, due: datetime) -> None:
    database.execute(
        """INSERT INTO dag_run (dag_id, run_type, state, run_after, end_date)
            VALUES ('orders', 'scheduled', 'success', ?, ?)""",
        (text(due), text(due + timedelta(minutes=5))),
    )


def past(database: sqlite3.Connection) -> Past:
    source = Source("sqlite://", (), "airflow.cfg")
    (found,) = Reader(partial(rows_of_sqlite, database), source, NOW - 90 * DAY, NOW).dags(())
    return found


def test_the_first_and_the_last_end_are_those_of_the_runs_to_import(
    database: sqlite3.Connection,
) -> None:
    for days in (100, 3, 2):
        ended(database, NOW - days * DAY)
    found = past(database)
    assert (found.runs, found.older) == (2, 1)
    after = timedelta(minutes=5)
    assert (found.first, found.last) == (NOW - 3 * DAY + after, NOW - 2 * DAY + after)


def test_a_run_that_is_due_later_by_this_clock_hides_no_other(database: sqlite3.Connection) -> None:
    """The clock of Airflow may be ahead. Without a date, the DAG would do all of its dates again."""
    ended(database, NOW - DAY)
    ended(database, NOW + timedelta(seconds=2))
    assert past(database).done_until == NOW - DAY


def test_what_a_cell_shows_commands_no_terminal() -> None:
    assert cell("a\x1b[31m\x9b31m\nrun\t一") == r"a\x1b[31m\x9b31m\nrun\t一"
