"""The one way from the API to the store: a transaction of one team, on one of a few threads.

``Connections`` are opened and closed with the application; a ``Door`` is of one request. The door of
a request that changes something writes who asked for what, in the first transaction that commits.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from psycopg import Connection, DataError, errors
from psycopg_pool import ConnectionPool, PoolTimeout

from headway.api.repeats import Once
from headway.errors import NotReachable, UsageError
from headway.store import audit
from headway.store.transact import APP, Session, enter_team, pool, transact

CONNECTIONS: Final = 3
PATIENCE_S: Final = 5.0
TOLD_MAX: Final = 100  # of what one request changed, in the audit

# What a request may bring and the database cannot hold.
BEYOND: Final = (errors.NumericValueOutOfRange, errors.DatetimeFieldOverflow)
NO_TEXT: Final = (errors.CharacterNotInRepertoire, errors.UntranslatableCharacter)

P = ParamSpec("P")
T = TypeVar("T")


class Connections:
    def __init__(self, dsn: str) -> None:
        # Not prepared: an optional filter must be planned with its value in sight.
        self.pool: ConnectionPool[Session] = pool(
            dsn, role=APP, size=CONNECTIONS, application="headway api", prepare=False
        )
        self.threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="store")

    def open(self) -> None:
        self.pool.open()

    def close(self) -> None:
        self.threads.shutdown(cancel_futures=True)
        self.pool.close()


class Door:
    """To what one team has. Team 0 is none: behind its door there is nothing."""

    def __init__(
        self,
        connections: Connections,
        team_id: int = 0,
        entry: audit.Entry | None = None,
        once: Once | None = None,
    ) -> None:
        self.connections = connections
        self.team_id = team_id
        self.entry = entry
        self.once = once

    def of(
        self, team_id: int, entry: audit.Entry | None = None, once: Once | None = None
    ) -> "Door":
        return Door(self.connections, team_id, entry, once)

    def tell(self, **more: object) -> None:
        """What the audit is to say of this request, beside what was asked for: before and after."""
        if self.entry is not None:
            self.entry.detail.update(more)

    async def call(
        self,
        work: Callable[Concatenate[Connection[Any], P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do ``work`` in a transaction that sees the team, and commit it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self.connections.threads, partial(self.transact, work, *args, **kwargs)
        )

    def transact(
        self,
        work: Callable[Concatenate[Connection[Any], P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def in_team(conn: Connection[Any]) -> T:
            enter_team(conn, self.team_id)
            if self.once is not None:
                self.once.begin(conn, self.team_id)
            result = work(conn, *args, **kwargs)
            if self.once is not None:
                self.once.end(conn, self.team_id, result)
            if self.entry is not None:
                enter_team(conn, self.team_id)
                audit.write(conn, self.team_id, self.entry)
            return result

        try:
            with self.connections.pool.connection(timeout=PATIENCE_S) as conn:
                result = transact(conn, in_team)
                self.entry = self.once = None
                return result
        except (DataError, UnicodeEncodeError) as error:
            if (refusal := refused(error)) is not None:
                raise refusal from error
            raise
        except PoolTimeout as error:
            raise NotReachable(
                "the database does not answer", hint="headway doctor looks for the cause"
            ) from error


def refused(error: DataError | UnicodeEncodeError) -> UsageError | None:
    """None: it is not the request's fault."""
    if isinstance(error, BEYOND):
        return UsageError("a number or date in the request is out of range")
    if isinstance(error, (UnicodeEncodeError, *NO_TEXT)) or "NUL" in str(error):
        return UsageError("a text in the request holds NUL or half a character (lone surrogate)")
    return None
