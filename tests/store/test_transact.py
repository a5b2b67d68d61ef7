"""One transaction at a time: what is tried again, what is not, and what cannot be known."""

import socket
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from threading import Thread

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.errors import AmbiguousCommit, NotAllowed, NotReachable, UsageError
from headway.store import transact as module
from headway.store.transact import (
    APP,
    ENGINE,
    Limits,
    Session,
    connect,
    pipelined,
    pool,
    transact,
)

# Long beside what a starved process takes from one statement to the next.
FROZEN_S = 1.0


def value(conn: Session, query: str) -> object:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def counter(owner_conn: Session) -> Session:
    owner_conn.execute("CREATE TABLE counter (n integer); INSERT INTO counter VALUES (0)")
    owner_conn.execute("GRANT SELECT, UPDATE ON counter TO headway_engine")
    return owner_conn


def increment(conn: Session) -> None:
    conn.execute("UPDATE counter SET n = n + 1")


# -- connecting


def test_settings_hold_for_the_session(database: str) -> None:
    limits = Limits(statement_timeout_s=1.5, idle_in_transaction_timeout_s=2, lock_timeout_s=3)
    with connect(database, role=ENGINE, application="tester", limits=limits) as conn:
        shown = [
            value(conn, f"SELECT current_setting('{name}')")
            for name in (
                "role",
                "application_name",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "lock_timeout",
                "TimeZone",
            )
        ]
    assert shown == [ENGINE, "tester", "1500ms", "2s", "3s", "UTC"]


def test_each_transaction_says_its_role(database: str) -> None:
    """Whatever became of what the connection was told when it was opened."""
    with connect(database, role=APP) as conn:
        conn.execute("RESET ROLE")
        assert transact(conn, value, "SELECT current_user") == APP
        assert value(conn, "SELECT current_user") == "headway"


def test_a_pool_acts_in_its_role(database: str) -> None:
    with pool(database, role=APP, size=2) as connections, connections.connection() as conn:
        assert value(conn, "SELECT current_user") == APP


def test_nobody_there(unused_port: int) -> None:
    with pytest.raises(NotReachable, match="cannot reach") as caught:
        connect(f"postgresql://me:secret@127.0.0.1:{unused_port}/db")
    assert caught.value.where == f"127.0.0.1:{unused_port}"
    assert caught.value.hint is not None
    assert "headway doctor" in caught.value.hint
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 4


@pytest.fixture
def unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
    return port


def test_not_a_database_url() -> None:
    with pytest.raises(UsageError) as caught:
        connect("postgresql//me:secret@nonsense")
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_exist(database: str) -> None:
    with pytest.raises(NotReachable, match='database "absent" does not exist'):
        connect(make_conninfo(database, dbname="absent"))


def test_a_role_that_is_not_there_yet(database: str) -> None:
    with pytest.raises(NotReachable, match="headway migrate"):
        connect(database, role="headway_absent")


def test_an_old_server_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERVER_VERSION_MIN", 990000)
    with pytest.raises(NotReachable, match="needs 15 or later"):
        connect(database)


# -- trying again


def test_a_conflict_is_tried_again(counter: Session, conn: Session) -> None:
    tries = count(1)

    def add_one(conn: Session) -> int:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.execute("SELECT n FROM counter")
        if (tried := next(tries)) == 1:
            increment(counter)
        increment(conn)
        return tried

    assert transact(conn, add_one) == 2
    assert value(counter, "SELECT n FROM counter") == 2


def test_the_tries_are_bounded(conn: Session) -> None:
    tries = count(1)

    def conflict(conn: Session) -> None:
        next(tries)
        conn.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with pytest.raises(psycopg.errors.SerializationFailure):
        transact(conn, conflict)
    assert next(tries) == module.TRIES_MAX + 1


def test_an_error_undoes_the_work_and_is_raised_as_it_is(counter: Session, conn: Session) -> None:
    def fail(conn: Session) -> None:
        increment(conn)
        raise KeyError("mine")

    with pytest.raises(KeyError):
        transact(conn, fail)
    assert value(counter, "SELECT n FROM counter") == 0
    transact(conn, increment)
    assert value(counter, "SELECT n FROM counter") == 1


# -- losing the connection


def end(by: Session, conn: Session) -> None:
    by.execute("SELECT pg_terminate_backend(%s, 5000)", [conn.info.backend_pid])


def test_a_connection_lost_before_the_commit_saved_nothing(counter: Session, conn: Session) -> None:
    def lose(conn: Session) -> None:
        increment(conn)
        end(counter, conn)
        increment(conn)

    with pytest.raises(NotReachable) as caught:
        transact(conn, lose)
    assert not isinstance(caught.value, AmbiguousCommit)
    assert value(counter, "SELECT n FROM counter") == 0
    with pytest.raises(NotReachable, match="closed"):
        transact(conn, increment)


def test_a_frozen_transaction_loses_its_locks(counter: Session, database: str) -> None:
    with connect(
        database, role=ENGINE, limits=Limits(idle_in_transaction_timeout_s=FROZEN_S)
    ) as conn:

        def freeze(conn: Session) -> None:
            increment(conn)
            increment(counter)  # waits for the frozen one's lock, until the server takes it away
            conn.execute("SELECT 1")

        with pytest.raises(NotReachable, match="idle-in-transaction"):
            transact(conn, freeze)
    assert value(counter, "SELECT n FROM counter") == 1


def test_frozen_after_a_pipeline_it_loses_its_locks_too(counter: Session, database: str) -> None:
    """A pipeline ends with a flush, after which the server's watch is off."""
    with connect(
        database, role=ENGINE, limits=Limits(idle_in_transaction_timeout_s=FROZEN_S)
    ) as conn:

        def freeze(conn: Session) -> None:
            with pipelined(conn):
                increment(conn)
            increment(counter)
            conn.execute("SELECT 1")

        with pytest.raises(NotReachable, match="idle-in-transaction"):
            transact(conn, freeze)
    assert value(counter, "SELECT n FROM counter") == 1


class Proxy:
    """Between a client and the server; from the moment it is told, no answer comes back."""

    def __init__(self, target: str) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.target = target
        self.mute_commit = False
        self.thread = Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        client, _ = self.server.accept()
        with client, socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(self.target)
            back = Thread(target=self.answer, args=(upstream, client))
            back.start()
            while said := client.recv(65536):
                upstream.sendall(said)
            upstream.shutdown(socket.SHUT_WR)
            back.join()

    def answer(self, upstream: socket.socket, client: socket.socket) -> None:
        while said := upstream.recv(65536):
            if self.mute_commit and b"COMMIT" in said:
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(said)


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    proxy = Proxy(f"{conninfo_to_dict(database)['host']}/.s.PGSQL.5432")
    yield proxy
    proxy.thread.join()
    proxy.server.close()


def test_a_lost_answer_to_a_commit_is_no_answer(
    counter: Session, database: str, proxy: Proxy
) -> None:
    server = make_conninfo(
        database, host="127.0.0.1", port=proxy.port, sslmode="disable", gssencmode="disable"
    )
    with connect(server) as conn:

        def work(conn: Session) -> None:
            increment(conn)
            proxy.mute_commit = True

        with pytest.raises(AmbiguousCommit):
            transact(conn, work)
    assert value(counter, "SELECT n FROM counter") == 1, "this one was saved"


def test_a_user_with_a_wrong_password() -> None:
    error = psycopg.OperationalError('FATAL:  password authentication failed for user "me"')
    assert isinstance(module.refused(error, "host=db", None), NotAllowed)
