"""The only module that opens a connection, begins, commits or tries again.

A connection has one role for life, and what begins a transaction says which: no setting of the
connection is relied upon, for a pooler in between may drop it or hand the server's end to others. Behind
one there is no session: all settings are then the transaction's, nothing is prepared, nobody listens.
After ``NotReachable``, open a new connection; after ``AmbiguousCommit``, read again by key before you
repeat anything.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from select import select
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg_pool import ConnectionPool

from headway import clock
from headway.errors import (
    AmbiguousCommit,
    HeadwayError,
    NotAllowed,
    NotReachable,
    StorageFull,
    UsageError,
)

ENGINE: Final = "headway_engine"  # sees every team
APP: Final = "headway_app"  # sees the team that the transaction named with enter_team

TRIES_MAX: Final = 5
SERVER_VERSION_MIN: Final = 150000
CONNECT_TIMEOUT_S: Final = 8
# A host that is lost says nothing: the system alone would wait 15 minutes for an answer, and 2 hours for a wake-up.
# Idle connections are probed after 10 s, and given up after 3 probes; what was sent has 25 s to arrive.
LOSS: Final[Mapping[str, int]] = {
    "keepalives_idle": 10,  # s
    "keepalives_interval": 5,  # s
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # ms
}
PREPARE_AFTER: Final = 5  # executions; psycopg's own default

# What the engine prepares finds its rows by key, whatever its values are (tests/store/test_plans.py).
# Left to itself the server plans such a statement anew each time: that took a tick longer than to run it.
PLANNED_ONCE: Final[Mapping[str, str]] = {"plan_cache_mode": "force_generic_plan"}

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=Connection[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The time for which a transaction may hold up others. A frozen client loses its locks (0: no limit)."""

    statement_timeout_s: float = 30.0
    idle_in_transaction_timeout_s: float = 10.0
    lock_timeout_s: float = 10.0

    @property
    def settings(self) -> dict[str, str]:
        return {
            "statement_timeout": f"{self.statement_timeout_s * 1000:.0f}",
            "idle_in_transaction_session_timeout": (
                f"{self.idle_in_transaction_timeout_s * 1000:.0f}"
            ),
            "lock_timeout": f"{self.lock_timeout_s * 1000:.0f}",
            "timezone": "UTC",
        }


LIMITS: Final = Limits()
NOTHING: Final[Mapping[str, str]] = {}


class Session(Connection[tuple[Any, ...]]):
    """A connection that knows how a transaction on it begins."""

    begin = b"BEGIN"
    pooled = False  # somebody is between us and the server
    secret: str | None = (
        None  # with which it enters teams, if it is not the owner's (``store.api_login``)
    )


def connect(
    dsn: str,
    *,
    role: str | None = None,
    application: str = "headway",
    limits: Limits = LIMITS,
    prepare: bool = True,
    timeout_s: int = CONNECT_TIMEOUT_S,
) -> Session:
    """Open a connection that acts as ``role`` (default: as the user who logs in, the owner)."""
    try:
        conn = Session.connect(
            probed(dsn),
            autocommit=True,
            prepare_threshold=PREPARE_AFTER if prepare else None,
            application_name=application,
            connect_timeout=timeout_s,
        )
    except psycopg.Error as error:
        raise refused(error, dsn, role) from error
    try:
        settle(conn, role, limits, timeout_s)
    except psycopg.Error as error:
        conn.close()
        raise refused(error, dsn, role) from error
    except BaseException:
        conn.close()
        raise
    return conn


def answers(dsn: str, timeout_s: int) -> bool:
    """Return whether the server accepts a connection within the time, 2 s or more."""
    try:
        connect(dsn, application="headway pulse", timeout_s=timeout_s).close()
    except HeadwayError:
        return False
    return True


def pool(
    dsn: str,
    *,
    role: str,
    size: int,
    application: str = "headway",
    limits: Limits = LIMITS,
    prepare: bool = True,
    settled: Callable[[Session], None] = lambda _: None,
) -> ConnectionPool[Session]:
    """A fixed number of connections, not yet open: use it as a context manager.

    ``prepare=False``: every statement is planned with its values in sight. ``settled``: called with each new one.
    """

    def configure(conn: Session) -> None:
        settle(conn, role, limits)
        settled(conn)

    return ConnectionPool(
        probed(dsn),
        connection_class=Session,
        kwargs={
            "autocommit": True,
            "application_name": application,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "prepare_threshold": PREPARE_AFTER if prepare else None,
        },
        min_size=size,
        max_size=size,
        configure=configure,
        check=ConnectionPool.check_connection,
        open=False,
    )


def transact(
    conn: C,
    work: Callable[Concatenate[C, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do ``work`` in one transaction. It may run again, so it must touch nothing but ``conn``."""
    if conn.closed:
        raise NotReachable("the connection to the database is closed")
    assert conn.info.transaction_status is TransactionStatus.IDLE, "a transaction is open already"
    tries = 0
    while True:
        tries += 1
        try:
            return once(conn, work, *args, **kwargs)
        except (errors.SerializationFailure, errors.DeadlockDetected):
            if tries == TRIES_MAX:
                raise


def read(
    conn: C,
    work: Callable[Concatenate[C, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do ``work`` that changes nothing: in the transaction that is open, and else in none if the role holds without."""
    is_idle = conn.info.transaction_status is TransactionStatus.IDLE
    if is_idle and isinstance(conn, Session) and conn.pooled:
        return transact(conn, work, *args, **kwargs)
    return work(conn, *args, **kwargs)


def once(
    conn: C,
    work: Callable[Concatenate[C, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    done = False
    try:
        with begun(conn):
            result = work(conn, *args, **kwargs)
            done = True
        return result
    except psycopg.Error as error:
        if done and conn.closed:
            raise AmbiguousCommit(
                "the connection to the database was lost while saving a change",
                hint="check whether the change was saved before you try again",
            ) from error
        if (known := explained(conn, error)) is not None:
            raise known from error
        raise


@contextmanager
def begun(conn: Connection[Any]) -> Iterator[None]:
    """A transaction in the role of the connection: one message says both."""
    begin = conn.begin if isinstance(conn, Session) else b"BEGIN"
    try:
        # Neither prepared nor in the extended protocol, which take one statement only.
        conn.execute(begin, prepare=False)
        yield
    except BaseException:
        with suppress(psycopg.Error):  # a connection that is lost undoes it, too
            conn.rollback()
        raise
    conn.commit()


@contextmanager
def pipelined(conn: Connection[Any]) -> Iterator[None]:
    """Send all statements in one round trip, and a little one after them.

    psycopg ends a pipeline with a flush, and after a flush PostgreSQL does not look whether its
    client idles in the transaction: a client that froze there would keep its locks forever.
    """
    with conn.pipeline():
        yield
    conn.execute("SELECT")


def enter_team(conn: Connection[Any], team_id: int) -> None:
    """Let the rest of this transaction, as the role ``APP``, see one team. What it executes cannot do the same."""
    assert conn.info.transaction_status is not TransactionStatus.IDLE, "only in a transaction"
    # As parameters, which no other statement can see.
    conn.execute("SELECT enter_team(%s::integer, %s)", [team_id, secret_of(conn)])


def secret_of(conn: Connection[Any]) -> str | None:
    """Return what proves to functions of the database's owner that the API calls them. An owner's login needs none."""
    return conn.secret if isinstance(conn, Session) else None


def in_team(
    conn: C,
    team_id: int,
    work: Callable[Concatenate[C, int, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do ``work`` of a team after entering it, in the caller's transaction."""
    enter_team(conn, team_id)
    return work(conn, team_id, *args, **kwargs)


def explained(conn: Connection[Any], error: psycopg.Error) -> HeadwayError | None:
    """Translate errors of the environment that any statement may meet. Others are bugs of the statement."""
    if isinstance(error, errors.DiskFull):
        return StorageFull(
            "the database's disk is full", hint="free disk space; Headway then continues by itself"
        )
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return NotReachable("the database is read-only", hint="connect to the primary server")
    if conn.closed:
        reason = str(error).strip().splitlines()[0]
        return NotReachable(f"the connection to the database was lost: {reason}")
    return None


# -- what is asked of a connection


def probed(dsn: str) -> str:
    """Return ``dsn`` with the settings by which the loss of the server's host is noticed, where it has none."""
    return make_conninfo("", **{**LOSS, **parsed(dsn)})


def settle(
    conn: Session, role: str | None, limits: Limits, timeout_s: int = CONNECT_TIMEOUT_S
) -> None:
    """Look who answers, and let the connection act as ``role`` for life."""
    check_version(conn)
    # The first thing that a pooler passes on: who waits for a server that stands still waits here.
    pid, is_standby = ask(conn, b"SELECT pg_backend_pid(), pg_is_in_recovery()", timeout_s)
    if is_standby == b"t":
        raise NotReachable(
            "the database is a standby, which may be outdated and cannot be written to",
            where=place(conn.info.dsn),
            hint="connect to the primary server with --database-url; name all servers and add "
            "target_session_attrs=read-write, and the primary is found",
        )
    settings = {} if role is None else {"role": role}
    # Who stands in between says another number: behind it, this process may serve anybody next.
    if int(pid) != conn.info.backend_pid:
        conn.prepare_threshold = None
        conn.begin = beginning({**settings, **limits.settings})
        with begun(conn):  # whether we may act as the role is seen now
            conn.pooled = True
        return
    planning = PLANNED_ONCE if role == ENGINE and conn.prepare_threshold else NOTHING
    of_session = {**settings, **limits.settings, **planning}
    conn.execute(b"; ".join(assignments("SET", of_session)), prepare=False)
    conn.begin = beginning(settings)


def beginning(settings: Mapping[str, str]) -> bytes:
    return b"; ".join([b"BEGIN", *assignments("SET LOCAL", settings)])


def assignments(verb: str, settings: Mapping[str, str]) -> list[bytes]:
    return [f"{verb} {name} = '{value}'".encode() for name, value in settings.items()]


def ask(conn: Connection[Any], query: bytes, timeout_s: float) -> tuple[bytes, ...]:
    """One row, within that time."""
    deadline = clock.monotonic() + timeout_s
    conn.pgconn.send_query(query)
    while conn.pgconn.is_busy():
        if not select([conn], [], [], max(0.0, deadline - clock.monotonic()))[0]:
            raise psycopg.OperationalError(f"no answer within {timeout_s:g} s")
        conn.pgconn.consume_input()
    result = conn.pgconn.get_result()
    assert result is not None
    if result.status != ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError(result.get_error_message())
    found = tuple(result.get_value(0, column) or b"" for column in range(result.nfields))
    while conn.pgconn.get_result() is not None:
        pass
    return found


def check_version(conn: Connection[Any]) -> None:
    version = conn.info.server_version
    if version < SERVER_VERSION_MIN:
        raise NotReachable(
            f"the database is PostgreSQL {version // 10000}; Headway needs 15 or later",
            where=place(conn.info.dsn),
            hint="upgrade the server, or choose another with --database-url",
        )


def refused(error: psycopg.Error, dsn: str, role: str | None) -> HeadwayError:
    """Why there is no connection. The server's words, never the dsn: it may hold a password."""
    reason = str(error).strip().splitlines()[-1].strip()
    if role is not None and f'role "{role}"' in str(error):
        return NotReachable(
            f"the database does not allow this user to act as {role}: {reason}",
            where=place(dsn),
            hint="run: headway migrate",
        )
    if isinstance(error, errors.InvalidPassword | errors.InvalidAuthorizationSpecification) or (
        "authentication failed" in reason
    ):
        return NotAllowed(
            reason, where=place(dsn), hint="check user and password in the database URL"
        )
    return NotReachable(
        f"cannot reach the database: {reason}",
        where=place(dsn),
        hint="check that the server runs and that --database-url is correct, then run: headway doctor",
    )


def parsed(dsn: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(dsn))
    except psycopg.ProgrammingError:
        # Neither the text nor the parser's words, which quote it: it may hold a password.
        raise UsageError(
            "this is not a valid database URL",
            where="--database-url",
            hint="write postgresql://user:password@host:5432/database",
        ) from None


def place(dsn: str) -> str:
    """Return where the server is, or all of several: ``one:5432, other:5432``."""
    parts = parsed(dsn)
    hosts = str(parts.get("host", "localhost")).split(",")
    ports = str(parts.get("port", 5432)).split(",")
    ports *= len(hosts) if len(ports) == 1 else 1
    return ", ".join(f"{host}:{port}" for host, port in zip(hosts, ports, strict=False))
