"""``wait_for_row``: a query that is asked again and again, without a slot between two looks."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from headway import DAG, Fail, Skip, wait_for_row
from headway.authoring.operators.sql import StatementFailed
from headway.testing import TaskResult, run_dag


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "warehouse.db"
    monkeypatch.setenv("HEADWAY_CONN_WAREHOUSE", f'{{"conn_type": "sqlite", "host": "{place}"}}')
    execute(place, "CREATE TABLE load (day text, rows integer, looks integer)")
    return place


def execute(place: Path, statement: str) -> None:
    with closing(sqlite3.connect(place, isolation_level=None)) as conn:
        conn.execute(statement)


def waited(query: str, **options: Any) -> TaskResult:
    with DAG("flow") as flow:
        wait_for_row("loaded", conn_id="warehouse", sql=query, poke_interval=60, **options)
    return run_dag(flow)["loaded"]


def test_it_looks_until_the_first_value_says_so(warehouse: Path) -> None:
    """Each look adds a row, so that the third finds what it counts."""
    look = "INSERT INTO load (looks) VALUES (1); SELECT count(*) > 2 AS there, count(*) AS looks FROM load"
    found = waited(look)
    assert (found.state, found.value) == ("success", [{"there": 1, "looks": 3}])
    assert found.attempts == 1


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("SELECT 1 WHERE false", False),
        ("SELECT 0", False),
        ("SELECT '0'", False),
        ("SELECT NULL, 7", False),
        ("SELECT ''", False),
        ("SELECT 'day', 0", True),
        ("SELECT -1", True),
        ("CREATE TABLE more (n integer)", False),
    ],
)
def test_what_counts_as_found(warehouse: Path, query: str, *, is_there: bool) -> None:
    found = waited(query, timeout=0.05)
    assert found.state == ("success" if is_there else "failed")
    if not is_there:
        assert isinstance(found.error, Fail)
        assert "nothing found within 0.05 s" in str(found.error)


def test_it_may_be_skipped_and_may_not_mind_errors(warehouse: Path) -> None:
    assert isinstance(waited("SELECT 0", timeout=0.05, soft_fail=True).error, Skip | None)
    assert waited("SELECT 0", timeout=0.05, soft_fail=True).state == "skipped"
    assert isinstance(waited("SELECT x", timeout=0.05).error, StatementFailed)
    assert isinstance(waited("SELECT x", timeout=0.05, silent_fail=True).error, Fail)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"timeout": -1},
            "wait_for_row: timeout must be a timedelta or a number of seconds above 0",
        ),
        ({"soft_fail": "yes"}, "wait_for_row: soft_fail must be"),
    ],
)
def test_wrong_options(warehouse: Path, options: dict[str, Any], message: str) -> None:
    error = waited("SELECT 1", **options).error
    assert isinstance(error, Fail)
    assert message in str(error)
