"""A follower of events with a stored position: it reads every event after its commit, and each at least once.

What ``handle`` writes is committed with the position, so that in the database it happens exactly once; a
process that dies in between has done neither. What has an effect outside (a message, a call) is written as
a row first and done after the commit, for ``handle`` holds a transaction open. Any number of processes may
turn a follower of one name: one of them has the turn, the others go away without waiting.

A new follower begins now. Of a database that was restored it reads again the last hour before.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Connection

from headway.store import events, moments
from headway.store.events import Event, Position, Stretch
from headway.store.moments import Moment
from headway.store.transact import C, transact

Handle = Callable[[Connection[Any], Sequence[Event]], None]

PART: Final = 500
QUIET: Final = timedelta(minutes=1)  # nothing happened: the position is written again after that
# An event is committed within that time after its own, however long its transaction waits.
LATE: Final = timedelta(hours=1)
HELD: Final = timedelta(
    days=7
)  # so much longer than others are events kept that somebody has not read


class Follower:
    """``turn`` again and again, with a connection of the engine."""

    def __init__(
        self, name: str, handle: Handle, team_id: int | None = None, part: int = PART
    ) -> None:
        self.name = name
        self.handle = handle
        self.team_id = team_id  # None: of all teams
        self.part = part

    def turn(self, conn: C) -> int | None:
        """Handle the next events, at most ``part``, in one transaction.

        Returns how many there were; None when another process has the turn. Whatever ``handle`` raises
        comes through, and then nothing has happened.
        """
        return transact(conn, self.work)

    def work(self, conn: Connection[Any]) -> int | None:
        if not events.lock(conn, self.name, self.team_id):
            return None
        position = events.position(conn, self.name, self.team_id)
        present, now = moments.now_and_when(conn)  # before anything is written: see there
        if position is None:
            self.save(conn, Position(present, now))
            return 0
        position = self.begun(conn, position, present, now)
        if position.stretch is None:
            if now - position.since_at > QUIET:
                self.save(conn, Position(present, now))
            return 0
        found, rest = events.part(conn, self.team_id, position.since, position.stretch, self.part)
        if found:
            self.handle(conn, found)
        self.save(conn, after(position, rest))
        return len(found)

    def begun(
        self, conn: Connection[Any], position: Position, present: Moment, now: datetime
    ) -> Position:
        """Begin the stretch that is to be handled, if anything has happened."""
        if not moments.is_reachable(position.since, present):
            since = Moment(present.database, 0, ())
            lost = events.since_time(conn, position.since_at - LATE, present, now)
            return Position(since, position.since_at, lost)
        if position.stretch is not None:
            return position
        found = events.stretch(conn, self.team_id, position.since, present, now)
        return replace(position, stretch=found)

    def save(self, conn: Connection[Any], position: Position) -> None:
        events.save(conn, self.name, self.team_id, position)


def skip(conn: Connection[Any], name: str, are_there: Callable[[Connection[Any]], bool]) -> None:
    """Move the position of a follower on while nobody needs it: those who will begin then."""
    if not events.lock(conn, name, None):
        return
    position = events.position(conn, name, None)
    present, now = moments.now_and_when(conn)
    if are_there(conn):  # since the caller looked, and its events may be before this moment
        return
    if position is None or now - position.since_at > QUIET:
        events.save(conn, name, None, Position(present, now))


def after(position: Position, rest: Stretch) -> Position:
    if rest.is_over:
        return Position(rest.until, rest.until_at)
    return replace(position, stretch=rest)


def held(older_than: datetime, unread_since: datetime | None) -> datetime:
    """Before which time events may go, when all others may go before ``older_than``: not those that a
    follower has not read, unless it is late by more than ``HELD``.
    """
    if unread_since is None:
        return older_than
    return max(older_than - HELD, min(older_than, unread_since - LATE))
