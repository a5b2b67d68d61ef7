"""The only module that opens a connection, begins, commits or tries again.

A connection has one role for life. Direct connections carry their settings in the session; behind a
pooler in transaction mode (``prepare=False``) there is no session, so each transaction sets them
for itself. Whoever sees ``NotReachable`` opens a new connection; whoever sees ``AmbiguousCommit``
reads again by key before doing anything twice.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

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
PREPARE_AFTER: Final = 5  # executions; psycopg's own default

# What the engine prepares finds its rows by key, whatever its values are (tests/store/test_plans.py).
# Left to itself the server plans such a statement anew each time: that took a tick longer than to run it.
PLANNED_ONCE: Final[Mapping[str, str]] = {"plan_cache_mode": "force_generic_plan"}

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=Connection[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a transaction may hold up others. A frozen client loses its locks (0: no limit)."""

    statement_timeout_s: float = 30.0
    idle_in_transaction_timeout_s: float = 10.0
    lock_timeout_s: float = 10.0


LIMITS: Final = Limits()
NOTHING: Final[Mapping[str, str]] = {}


class Session(Connection[tuple[Any, ...]]):
    """A connection that knows what every transaction on it must set first."""

    settings = NOTHING


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
    wanted = session_settings(role, limits)
    arguments: dict[str, Any] = {"application_name": application}
    arguments["connect_timeout"] = timeout_s
    if prepare:
        planning = PLANNED_ONCE if role == ENGINE else NOTHING
        arguments["options"] = startup_options(dsn, {**wanted, **planning})
    try:
        conn = Session.connect(
            dsn,
            autocommit=True,
            prepare_threshold=PREPARE_AFTER if prepare else None,
            **arguments,
        )
    except psycopg.Error as error:
        raise refused(error, dsn, role) from error
    try:
        check_server(conn)
    except BaseException:
        conn.close()
        raise
    conn.settings = NOTHING if prepare else wanted
    return conn


def answers(dsn: str, timeout_s: int) -> bool:
    """Whether the server lets somebody in within that time, 2 s or more."""
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
) -> ConnectionPool[Session]:
    """A fixed number of direct connections, not yet open: use it as a context manager.

    ``prepare=False``: every statement is planned with its values in sight.
    """
    return ConnectionPool(
        dsn,
        connection_class=Session,
        kwargs={
            "autocommit": True,
            "application_name": application,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "prepare_threshold": PREPARE_AFTER if prepare else None,
            "options": startup_options(dsn, session_settings(role, limits)),
        },
        min_size=size,
        max_size=size,
        configure=check_server,
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


def once(
    conn: C,
    work: Callable[Concatenate[C, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    done = False
    try:
        with conn.transaction():
            if isinstance(conn, Session) and conn.settings:
                apply_settings(conn)
            result = work(conn, *args, **kwargs)
            done = True
        return result
    except psycopg.Error as error:
        if done and conn.closed:
            raise AmbiguousCommit(
                "the connection to the database was lost while a change was being saved",
                hint="whether it was saved is seen by looking again",
            ) from error
        if (known := explained(conn, error)) is not None:
            raise known from error
        raise


@contextmanager
def pipelined(conn: Connection[Any]) -> Iterator[None]:
    """All statements in one round trip, and a little one after them.

    psycopg ends a pipeline with a flush, and after a flush PostgreSQL does not look whether its
    client idles in the transaction: one that froze there would keep its locks for ever.
    """
    with conn.pipeline():
        yield
    conn.execute("SELECT")


def enter_team(conn: Connection[Any], team_id: int) -> None:
    """Let the rest of this transaction, as the role ``APP``, see one team."""
    assert conn.info.transaction_status is not TransactionStatus.IDLE, "only in a transaction"
    conn.execute("SELECT set_config('app.team_id', %s, true)", [str(team_id)])


def explained(conn: Connection[Any], error: psycopg.Error) -> HeadwayError | None:
    """The world's errors that any statement may meet; others belong to whoever wrote it."""
    if isinstance(error, errors.DiskFull):
        return StorageFull("the database's disk is full", hint="make room; nothing else to do")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return NotReachable("the database is read-only", hint="connect to the primary server")
    if conn.closed:
        reason = str(error).strip().splitlines()[0]
        return NotReachable(f"the connection to the database was lost: {reason}")
    return None


# -- what is asked of a connection


def session_settings(role: str | None, limits: Limits) -> dict[str, str]:
    settings = {
        "statement_timeout": f"{limits.statement_timeout_s * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{limits.idle_in_transaction_timeout_s * 1000:.0f}",
        "lock_timeout": f"{limits.lock_timeout_s * 1000:.0f}",
        "timezone": "UTC",
    }
    return settings if role is None else {"role": role, **settings}


def startup_options(dsn: str, settings: Mapping[str, str]) -> str:
    """As part of the first message, so that they cost no round trip; the dsn's own stay."""
    own = parsed(dsn).get("options")
    chosen = [f"-c {name}={value}" for name, value in settings.items()]
    return " ".join([str(own), *chosen] if own else chosen)


APPLY_SETTINGS: Final = """
    SELECT set_config(name, value, true)
    FROM unnest(%(names)s::text[], %(values)s::text[]) AS setting (name, value)
"""


def apply_settings(conn: Session) -> None:
    names, values = list(conn.settings), list(conn.settings.values())
    conn.execute(APPLY_SETTINGS, {"names": names, "values": values})


def check_server(conn: Connection[Any]) -> None:
    version = conn.info.server_version
    if version < SERVER_VERSION_MIN:
        raise NotReachable(
            f"the database is PostgreSQL {version // 10000}; Headway needs 15 or newer",
            where=place(conn.info.dsn),
            hint="upgrade the server, or give another with --database-url",
        )
    standby = conn.info.parameter_status("in_hot_standby")
    if standby is None:  # a pooler in between need not pass it on
        row = conn.execute("SELECT pg_is_in_recovery()").fetchone()
        standby = "on" if row and row[0] else "off"
    if standby == "on":
        raise NotReachable(
            "the database is a standby: what it shows may be old, and nothing can be written",
            where=place(conn.info.dsn),
            hint="give the address of the primary with --database-url",
        )


def refused(error: psycopg.Error, dsn: str, role: str | None) -> HeadwayError:
    """Why there is no connection. The server's words, never the dsn: it may hold a password."""
    reason = str(error).strip().splitlines()[-1].strip()
    if role is not None and f'role "{role}"' in str(error):
        return NotReachable(
            f"the database does not let this user act as {role}: {reason}",
            where=place(dsn),
            hint="run: headway migrate",
        )
    if isinstance(error, errors.InvalidPassword | errors.InvalidAuthorizationSpecification) or (
        "authentication failed" in reason
    ):
        return NotAllowed(reason, where=place(dsn), hint="check user and password of the URL")
    return NotReachable(
        f"the database is not reachable: {reason}",
        where=place(dsn),
        hint="check that it runs and that --database-url is right, then: headway doctor",
    )


def parsed(dsn: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(dsn))
    except psycopg.ProgrammingError:
        # Neither the text nor the parser's words, which quote it: it may hold a password.
        raise UsageError(
            "this is not a database URL",
            where="--database-url",
            hint="write postgresql://user:password@host:5432/database",
        ) from None


def place(dsn: str) -> str:
    parts = parsed(dsn)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
