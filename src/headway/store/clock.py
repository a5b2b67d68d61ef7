"""The database's clock: decisions use it, because it is one for all processes on all machines."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from headway.clock import of_database


def clock(conn: Connection[Any]) -> datetime:
    """Return the time of this statement in UTC, which advances within a transaction."""

    def read() -> datetime:
        row = conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        now: datetime = row[0]
        return now

    return of_database(read)
