"""Moments between which events happened.

A moment is a snapshot of transactions: which had committed, which were open. An event happened
between two when its transaction is seen by the later one and not by the earlier. So nothing is lost
and nothing comes twice, whatever the order in which identity numbers become visible.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

# The database's own number is part of it: one that was restored has other transactions.
NOW: LiteralString = """
    SELECT oid::text || '.' || pg_current_snapshot()::text, clock_timestamp()
    FROM pg_database WHERE datname = current_database()
"""

# Conditions on an event, with the values of ``between``; each finds its rows by the index of transactions.
SEEN: LiteralString = "xact < %(end)s::text::xid8 AND xact <> ALL (%(still_open)s::text[]::xid8[])"
BEGUN_SINCE: LiteralString = f"xact >= %(begun)s::text::xid8 AND {SEEN}"
OPEN_THEN: LiteralString = f"xact = ANY (%(were_open)s::text[]::xid8[]) AND {SEEN}"

TEXT: Final = re.compile(r"(\d{1,10})\.\d{1,19}:(\d{1,19}):((?:\d{1,19},)*\d{1,19})?")


@dataclass(frozen=True, slots=True)
class Moment:
    """Format the moment as the id of a stream event, opaque to clients."""

    database: str
    begun: int  # transactions from this number on had not begun
    open: tuple[int, ...]  # those below it that had not ended

    def __str__(self) -> str:
        oldest = self.open[0] if self.open else self.begun
        return f"{self.database}.{oldest}:{self.begun}:{','.join(map(str, self.open))}"


def moment(text: str) -> Moment | None:
    """Parse a moment. Returns None if the text is not ours."""
    match = TEXT.fullmatch(text)
    if match is None:
        return None
    still_open = tuple(map(int, match[3].split(","))) if match[3] else ()
    return Moment(match[1], int(match[2]), still_open)


def now(conn: Connection[Any]) -> Moment:
    return now_and_when(conn)[0]


def now_and_when(conn: Connection[Any]) -> tuple[Moment, datetime]:
    """Take a snapshot. Only if the transaction has written nothing so far, what it writes later is after it."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(NOW).fetchone()
    assert row is not None
    return known(row[0]), row[1]


def known(text: str) -> Moment:
    """Return a moment that we wrote ourselves."""
    found = moment(text)
    assert found is not None, f"{text!r} is not a moment"
    return found


def is_reachable(past: Moment, present: Moment) -> bool:
    return past.database == present.database and past.begun <= present.begun


def between(since: Moment, until: Moment) -> dict[str, Any]:
    return {
        "begun": str(since.begun),
        "were_open": [str(xact) for xact in since.open],
        "end": str(until.begun),
        "still_open": [str(xact) for xact in until.open],
    }
