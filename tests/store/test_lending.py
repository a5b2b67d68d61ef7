"""What one test leaves in its database, no other finds."""

from collections.abc import Iterator

import psycopg
import pytest

from headway.store.transact import connect
from tests.lending import Lender, names, rows_of, state_of


@pytest.fixture
def lender(postgres: str) -> Iterator[Lender]:
    lender = Lender(postgres)
    yield lender
    lender.close()


def everything(dsn: str) -> str:
    """All rows of all tables, and where the sequences stand."""
    found = []
    with connect(dsn) as conn:
        for table in names(conn, "r"):
            found.append(f"{table}: {rows_of(conn, table)}")
        for sequence in names(conn, "S"):
            found.append(f"{sequence}: {state_of(conn, sequence)}")
    return "\n".join(found)


LEFT = """
    INSERT INTO team (name) VALUES ('another');
    INSERT INTO pool VALUES (2, 'default', 3);
    UPDATE pool SET slots = 7 WHERE team_id = 1;
    INSERT INTO event (team_id, at, subject, run_id, task_id, map_index, name, actor)
        SELECT 1, now(), 'task_instance', 'r' || n, 't', -1, 'succeed', 'me' FROM generate_series(1, 10) n;
    DELETE FROM schema_migration;
"""


def test_rows_and_sequences_are_as_before(lender: Lender) -> None:
    with lender.lend() as dsn:
        before, first = everything(dsn), dsn
        with connect(dsn) as conn:
            conn.execute(LEFT)
        assert everything(dsn) != before
    with lender.lend() as dsn:
        assert dsn == first
        assert everything(dsn) == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE run ADD COLUMN more text",
        "ALTER TABLE pool DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE more ()",
        "DROP INDEX run_due",
        "CREATE SCHEMA more",
        "CREATE FUNCTION more() RETURNS integer LANGUAGE sql RETURN 1",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 64', current_database()); END $$",
        "INSERT INTO scheduler (scheduler_id, host, pid, started_at, heartbeat_at)"
        " SELECT n, repeat('h', 100), 1, now(), now() FROM generate_series(1, 5000) n",
        "INSERT INTO pool SELECT 1, 'p' || n, 1 FROM generate_series(1, 99) n; ANALYZE pool",
    ],
)
def test_one_that_was_altered_or_grew_is_not_lent_again(lender: Lender, change: str) -> None:
    with lender.lend() as dsn:
        first = dsn
        with connect(dsn) as conn:
            conn.execute(change.encode())
    with lender.lend() as dsn:
        assert dsn != first


def test_a_session_that_was_left_is_over(lender: Lender) -> None:
    with lender.lend() as dsn:
        left = connect(dsn)
        left.execute("BEGIN; LOCK TABLE run")
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    left.close()


def test_two_at_once_are_two(lender: Lender) -> None:
    with lender.lend() as one, lender.lend() as other:
        assert one != other
