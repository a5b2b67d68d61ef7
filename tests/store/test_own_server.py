"""A server of one's own, the oldest that is here, and a real PgBouncer in transaction mode before it.

Behind that, nothing relies on what a connection was told once.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from headway.errors import Conflict, NotReachable
from headway.store.backup import backup
from headway.store.migrate import migrate
from headway.store.restore import restore
from headway.store.transact import (
    APP,
    ENGINE,
    LOSS,
    Session,
    connect,
    enter_team,
    pool,
    read,
    transact,
)
from tests.own_postgres import documented_user, installed_versions, own_server
from tests.pgbouncer import MISSING, PROGRAM, pgbouncer


@pytest.fixture(scope="module")
def superuser() -> Iterator[str]:
    versions = installed_versions()
    with own_server(versions[min(versions)]) as dsn:
        yield dsn


def test_a_backup_of_the_embedded_server_goes_there_and_back(
    superuser: str, lone: str, tmp_path: Path
) -> None:
    """What a newer pg_restore sets, an older server need not know."""
    with connect(lone) as conn:
        conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (1, 'saved', 1)")
    own = documented_user(superuser, "other", "other")
    for source, target in ((lone, own), (own, lone)):
        assert restore(target, backup(source, tmp_path, "noon"), "kept_of_this_test") == []
        with connect(target, role=ENGINE) as conn:
            names = conn.execute("SELECT name FROM pool ORDER BY name").fetchall()
        assert names == [("default",), ("saved",)]
    with connect(make_conninfo(lone, dbname="postgres")) as conn:
        conn.execute("DROP DATABASE kept_of_this_test")


def test_the_loss_of_its_host_is_noticed(superuser: str) -> None:
    """``tests/apart/test_failover.py`` loses one. What the user sets comes first."""
    probes = {
        "keepalives_idle": socket.TCP_KEEPIDLE,
        "keepalives_interval": socket.TCP_KEEPINTVL,
        "keepalives_count": socket.TCP_KEEPCNT,
        "tcp_user_timeout": socket.TCP_USER_TIMEOUT,
    }

    def settings(conn: Session) -> dict[str, int]:
        with socket.socket(fileno=os.dup(conn.fileno())) as line:
            return {
                name: line.getsockopt(socket.IPPROTO_TCP, option) for name, option in probes.items()
            }

    with connect(superuser) as conn:
        assert settings(conn) == LOSS
    with pool(superuser, role="postgres", size=1) as several, several.connection() as conn:
        assert settings(conn) == LOSS
    with connect(make_conninfo(superuser, keepalives_count=9)) as conn:
        assert settings(conn) == {**LOSS, "keepalives_count": 9}


@pytest.fixture(scope="module")
def server(superuser: str) -> str:
    """Its user sees nothing as itself: what does not say its role is seen at once."""
    own = documented_user(superuser, "hw", "hw")
    with connect(superuser) as conn:
        conn.execute("REVOKE headway_engine, headway_app FROM hw; ALTER ROLE hw NOINHERIT")
        conn.execute("GRANT headway_engine, headway_app TO hw")
    migrate(own)
    return own


@pytest.fixture(scope="module", params=["", "ignore_startup_parameters = options"])
def pooled(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    if PROGRAM is None:
        pytest.skip(MISSING)
    with pgbouncer(server, request.param) as dsn:
        yield dsn


def who(conn: Session) -> tuple[object, ...]:
    row = conn.execute(
        "SELECT current_user::text, current_setting('lock_timeout'), current_setting('timezone'),"
        " (SELECT count(*) FROM team)"
    ).fetchone()
    assert row is not None
    return row


def of_team(conn: Session, team_id: int) -> tuple[object, ...]:
    enter_team(conn, team_id)
    return who(conn)


def test_each_transaction_brings_its_role_and_settings(pooled: str) -> None:
    with (
        connect(pooled, role=ENGINE) as engine,
        connect(pooled, role=APP) as app,
        connect(pooled) as owner,
        pool(pooled, role=APP, size=3) as doors,
    ):
        assert engine.pooled
        for _ in range(10):  # more than it takes to prepare a statement
            assert transact(engine, who) == (ENGINE, "10s", "UTC", 1)
            assert read(engine, who) == (ENGINE, "10s", "UTC", 1)
            assert transact(app, of_team, 1) == (APP, "10s", "UTC", 1)
            assert transact(app, of_team, 2) == (APP, "10s", "UTC", 0)
            assert transact(app, who) == (APP, "10s", "UTC", 0), (
                "the team ended with its transaction"
            )
            with doors.connection() as conn:
                assert transact(conn, of_team, 1) == (APP, "10s", "UTC", 1)
            assert owner.execute("SELECT current_user::text").fetchone() == ("hw",)


def test_a_role_that_may_not_be_taken_is_refused_at_once(pooled: str) -> None:
    with pytest.raises(NotReachable, match="does not allow this user to act as pg_monitor"):
        connect(pooled, role="pg_monitor")


def test_migrations_go_through_it(pooled: str) -> None:
    assert migrate(pooled) == []


def test_a_backup_does_not(pooled: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="pooler") as caught:
        backup(pooled, tmp_path, "noon")
    assert caught.value.hint is not None
    assert "--database-url" in caught.value.hint
