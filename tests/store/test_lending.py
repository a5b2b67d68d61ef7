"""What one test leaves in its database, no other finds."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from headway.store.transact import APP, ENGINE, PREPARE_AFTER, connect
from tests.lending import Lender, names, of_each, rows_of


@pytest.fixture(scope="module")
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
        count = of_each("SELECT {}, last_value, is_called FROM {}", names(conn, "S"))
        found.append(str(conn.execute(count).fetchall()))
    return "\n".join(found)


SETTINGS = "SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY 1"
LEFT_OPEN = """
    SELECT name FROM pg_cursors WHERE is_holdable UNION ALL SELECT pg_listening_channels()
    UNION ALL SELECT 'lock' FROM pg_locks WHERE locktype = 'advisory'
    UNION ALL SELECT relname FROM pg_class WHERE relpersistence = 't'
"""
LEFT = """
    INSERT INTO team (name) VALUES ('another');
    INSERT INTO pool VALUES (2, 'default', 3);
    UPDATE pool SET slots = 7 WHERE team_id = 1;
    INSERT INTO event (team_id, at, subject, run_id, task_id, map_index, name, actor)
        SELECT 1, now(), 'task_instance', 'r' || n, 't', -1, 'succeed', 'me' FROM generate_series(1, 10) n;
    DELETE FROM schema_migration;
"""


def test_rows_and_sequences_are_as_before(lender: Lender) -> None:
    with lender.lend() as lent:
        before, first = everything(lent.dsn), lent
        with connect(lent.dsn) as conn:
            conn.execute(LEFT)
        assert everything(lent.dsn) != before
    with lender.lend() as lent:
        assert lent is first
        assert everything(lent.dsn) == before


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
    with lender.lend() as lent:
        first = lent
        with connect(lent.dsn) as conn:
            conn.execute(change.encode())
    with lender.lend() as lent:
        assert lent is not first


def test_a_session_that_was_left_is_over(lender: Lender) -> None:
    with lender.lend() as lent:
        left = connect(lent.dsn)
        left.execute("BEGIN; LOCK TABLE run")
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    left.close()


def test_two_at_once_are_two(lender: Lender) -> None:
    with lender.lend() as one, lender.lend() as other:
        assert one.dsn != other.dsn


def test_a_connection_that_stays_begins_anew(lender: Lender) -> None:
    with lender.lend() as lent, lent.session(APP) as conn:
        pid = conn.info.backend_pid
        before = conn.execute(SETTINGS).fetchall()
        conn.execute(
            "SET work_mem = '1MB'; SET plan_cache_mode = force_generic_plan; RESET ROLE;"
            " CREATE TEMPORARY TABLE pool (mine text); LISTEN news; BEGIN;"
            " DECLARE at_work CURSOR WITH HOLD FOR SELECT 1; SELECT pg_advisory_lock(7)"
        )
        conn.prepare_threshold = 0
    with lender.lend() as again, again.session(APP) as conn:
        assert again is lent
        assert conn.info.backend_pid == pid
        assert conn.info.transaction_status is TransactionStatus.IDLE
        assert conn.prepare_threshold == PREPARE_AFTER
        assert conn.execute(SETTINGS).fetchall() == before
        assert conn.execute(LEFT_OPEN).fetchall() == []


def test_a_connection_that_was_lost_is_replaced(lender: Lender) -> None:
    with lender.lend() as lent, lent.session() as one, lent.session() as other:
        one.execute("SELECT pg_terminate_backend(%s)", [other.info.backend_pid])
        one.close()
    with lender.lend() as again, again.session() as conn:
        assert again is lent
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_two_roles_never_share_a_connection(lender: Lender) -> None:
    with lender.lend() as lent:
        for role, acts_as in ((None, "headway"), (APP, APP), (ENGINE, ENGINE), (None, "headway")):
            with lent.session(role) as conn:
                assert conn.execute("SELECT current_user::text").fetchone() == (acts_as,)
