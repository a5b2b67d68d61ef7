"""The only way from the API to the store: a transaction for one team, on one of a few threads.

``Connections`` live as long as the application, a ``Door`` as long as one request. In a request
that changes something, the first transaction that commits also writes the audit entry.
"""

import asyncio
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from psycopg import Connection, DataError, errors
from psycopg_pool import ConnectionPool, PoolTimeout

from headway import clock
from headway.api.lanes import Lanes
from headway.api.repeats import Once
from headway.errors import AmbiguousCommit, NotReachable, UsageError
from headway.store import audit
from headway.store.api_login import ApiLogin
from headway.store.transact import APP, Limits, Session, answers, enter_team, pool, transact

CONNECTIONS: Final = 4  # one team has three of them at most
PATIENCE_S: Final = 4.0
QUEUE_S: Final = 7.0  # for one of our threads
# All in all an answer comes within 15 s, whoever holds what it needs.
LIMITS: Final = Limits(lock_timeout_s=PATIENCE_S)
PULSE_TIMEOUT_S: Final = 3
PULSE_S: Final = 1.0  # what was felt counts for so long
TOLD_MAX: Final = 100  # of what one request changed, in the audit

# What a request may bring and the database cannot hold.
BEYOND: Final = (errors.NumericValueOutOfRange, errors.DatetimeFieldOverflow)
NO_TEXT: Final = (errors.CharacterNotInRepertoire, errors.UntranslatableCharacter)

P = ParamSpec("P")
T = TypeVar("T")


class Pulse:
    """A check that the database accepts new connections.

    A client that waits for a statement cannot tell a frozen server from a slow statement, but a
    working server still accepts connections.
    """

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="pulse")
        self._felt_at = float("-inf")
        self._beats = True
        self._one_at_a_time = threading.Lock()

    def beats(self) -> bool:
        with self._one_at_a_time:
            if clock.monotonic() - self._felt_at > PULSE_S:
                self._beats = answers(self.dsn, PULSE_TIMEOUT_S)
                self._felt_at = clock.monotonic()
            return self._beats


class Connections:
    def __init__(self, login: ApiLogin) -> None:
        # Not prepared: an optional filter must be planned with its value in sight.
        self.pool: ConnectionPool[Session] = pool(
            login.dsn,
            role=APP,
            size=CONNECTIONS,
            application="headway api",
            limits=LIMITS,
            prepare=False,
            settled=login.settle,
        )
        self.lanes = Lanes(CONNECTIONS, "store")
        self.pulse = Pulse(login.dsn)

    def open(self) -> None:
        self.pool.open()

    def close(self) -> None:
        self.pulse.thread.shutdown()
        self.lanes.close()
        self.pool.close()


class Door:
    """Access to the data of one team. Team 0 means no team and sees nothing."""

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
        self.others: list[int] = []
        self.lane: Hashable = team_id

    def of(
        self, team_id: int, entry: audit.Entry | None = None, once: Once | None = None
    ) -> "Door":
        return Door(self.connections, team_id, entry, once)

    def in_lane(self, lane: Hashable) -> "Door":
        """Return a door whose work waits in another lane than its team's."""
        door = Door(self.connections, self.team_id, self.entry, self.once)
        door.lane = lane
        return door

    def tell(self, **more: object) -> None:
        """Add details to the audit entry of this request, such as the values before and after."""
        if self.entry is not None:
            self.entry.detail.update(more)

    def also(self, team_id: int) -> None:
        """Write the audit entry of this request in another team too, because it is about that team."""
        if team_id != self.team_id:
            self.others.append(team_id)

    def about(self, subject: str) -> str:
        """Record the id of the changed object. The request may have said @failed or a prefix."""
        if self.entry is not None:
            self.entry = replace(self.entry, subject=subject)
        return subject

    async def call(
        self,
        work: Callable[Concatenate[Connection[Any], P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do ``work`` in a transaction that sees the team, and commit it."""
        pulse, todo = self.connections.pulse, partial(self._do, work, *args, **kwargs)
        begun, job = clock.monotonic(), self.connections.lanes.submit(self.lane, todo)
        doing = asyncio.wrap_future(job)
        try:
            while not (await asyncio.wait({doing}, timeout=PATIENCE_S))[0]:
                if not await asyncio.wrap_future(pulse.thread.submit(pulse.beats)):
                    raise self.silence()
                if clock.monotonic() - begun > QUEUE_S and job.cancel():  # no thread has taken it
                    raise full()
        finally:
            doing.cancel()  # what still waits for a thread is not begun for nobody
        return doing.result()

    def transact(
        self,
        work: Callable[Concatenate[Connection[Any], P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do ``work`` like ``call``, from outside the event loop."""
        todo = partial(self._do, work, *args, **kwargs)
        doing = self.connections.lanes.submit(self.lane, todo)
        try:
            while not wait({doing}, timeout=PATIENCE_S).done:
                if not self.connections.pulse.beats():
                    raise self.silence()
        finally:
            doing.cancel()
        return doing.result()

    def silence(self) -> NotReachable:
        """Return the error for a frozen database: its machine, disk or process does not answer."""
        hint = "to find the cause, run: headway doctor"
        if self.entry is None:
            return NotReachable("the database does not answer", hint=hint)
        return AmbiguousCommit(
            "the database does not answer; the change may still happen when it recovers", hint=hint
        )

    def _do(
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
                for team_id in sorted({self.team_id, *self.others}):  # one order for everybody
                    enter_team(conn, team_id)
                    audit.write(conn, team_id, self.entry)
            return result

        try:
            with self.connections.pool.connection(timeout=PATIENCE_S) as conn:
                result = transact(conn, in_team)
                self.entry = self.once = None
                self.others.clear()
                return result
        except (DataError, UnicodeEncodeError) as error:
            if (refusal := refused(error)) is not None:
                raise refusal from error
            raise
        except errors.LockNotAvailable as error:
            raise locked() from error
        except errors.QueryCanceled as error:
            raise unfinished() from error
        except PoolTimeout as error:
            raise NotReachable(
                "the database does not answer", hint="to find the cause, run: headway doctor"
            ) from error


def locked() -> NotReachable:
    return NotReachable(
        "the database is busy: another transaction holds a lock that this request needs",
        hint="try again later; pg_stat_activity shows which connection holds the lock",
    )


def unfinished() -> NotReachable:
    """Return the error for a statement that reached its time limit, or that somebody cancelled."""
    return NotReachable(
        "the database cancelled a statement of this request:"
        f" the limit is {LIMITS.statement_timeout_s:g} s for each",
        hint="ask for less, for instance a shorter period, or try again later;"
        " pg_stat_activity shows what keeps the database busy",
    )


def full() -> NotReachable:
    return NotReachable(
        f"the server is busy: earlier requests kept this one waiting for {QUEUE_S:g} s",
        hint="try again later; pg_stat_activity shows what the earlier requests wait for",
    )


def refused(error: DataError | UnicodeEncodeError) -> UsageError | None:
    """Return the error to answer with, or None if the request did not cause it."""
    if isinstance(error, BEYOND):
        return UsageError("a number or date in the request is out of range")
    if isinstance(error, (UnicodeEncodeError, *NO_TEXT)) or "NUL" in str(error):
        return UsageError(
            "a text in the request contains NUL or an incomplete character (lone surrogate)"
        )
    return None
