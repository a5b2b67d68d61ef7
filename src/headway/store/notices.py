"""LISTEN and NOTIFY: only ever a reason to look sooner, never information to act on."""

from collections.abc import Iterator
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection

from headway.errors import NotReachable

RUN: Final = "headway_run"  # payload: the id of the run that changed, and ENDED when it has
ENDED: Final = " ended"
DAGS: Final = "headway_dags"  # what the loader found was saved
LOADER: Final = "headway_loader"  # the DAG folder changed

NOTIFY: LiteralString = "SELECT pg_notify(%(channel)s, %(payload)s)"


def listen(conn: Connection[Any]) -> None:
    conn.execute("LISTEN headway_run; LISTEN headway_dags")


def heard(conn: Connection[Any]) -> Iterator[tuple[str, str]]:
    """Yield channel and payload of each received notice. A readable socket means more may follow."""
    try:
        for notice in conn.notifies(timeout=0):
            yield notice.channel, notice.payload
    except psycopg.Error as error:
        reason = next(iter(str(error).splitlines()), "no reason given")
        raise NotReachable(f"the connection to the database was lost: {reason}") from error


def ask_loader(conn: Connection[Any]) -> None:
    """Let the loader look at the DAG folder now."""
    conn.execute(NOTIFY, {"channel": LOADER, "payload": ""})
