"""LISTEN and NOTIFY: only ever a reason to look sooner, never information to act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection

from headway.errors import NotReachable

RUN: Final = "headway_run"  # payload: the id of the run that changed, and ENDED when it has
ENDED: Final = " ended"
DAGS: Final = "headway_dags"  # what the loader found was saved
SCHEDULER: Final = "headway_scheduler"  # there is something to do
ASSETS: Final = "assets"  # its payload: assets have events, or other consumers
LOADER: Final = "headway_loader"  # the DAG folder changed

NOTIFY: LiteralString = "SELECT pg_notify(%(channel)s, %(payload)s)"


@contextmanager
def while_connected() -> Iterator[None]:
    """Raise NotReachable for what a lost connection raises, so that the listener connects anew."""
    try:
        yield
    except psycopg.Error as error:
        reason = next(iter(str(error).splitlines()), "no reason given")
        raise NotReachable(f"the connection to the database was lost: {reason}") from error


def listen(conn: Connection[Any]) -> None:
    """Raises NotReachable."""
    with while_connected():
        conn.execute("LISTEN headway_run; LISTEN headway_dags")


def heard(conn: Connection[Any]) -> Iterator[tuple[str, str]]:
    """Yield channel and payload of each received notice; raises NotReachable.

    A readable socket means more may follow.
    """
    with while_connected():
        for notice in conn.notifies(timeout=0):
            yield notice.channel, notice.payload


def tell_run(conn: Connection[Any], run_id: str) -> None:
    """Wake requests that wait for a run, or for a test of a connection, which has an id like a run."""
    conn.execute(NOTIFY, {"channel": RUN, "payload": run_id})


def tell_of_assets(conn: Connection[Any]) -> None:
    """Let a scheduler look at the events of assets now."""
    conn.execute(NOTIFY, {"channel": SCHEDULER, "payload": ASSETS})


def wake_schedulers(conn: Connection[Any]) -> None:
    """Let the schedulers look soon at what waits."""
    conn.execute(NOTIFY, {"channel": SCHEDULER, "payload": ""})


def ask_loader(conn: Connection[Any]) -> None:
    """Let the loader look at the DAG folder now."""
    conn.execute(NOTIFY, {"channel": LOADER, "payload": ""})
