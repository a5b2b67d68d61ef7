"""The slots of this machine, which the teams of the database share."""

import socket
from contextlib import ExitStack, suppress

from headway.config import Layout
from headway.errors import HeadwayError


def provide_slots(dsn: str, layout: Layout, slots: int, ends: ExitStack) -> None:
    """Provide the slots until ``ends`` is closed."""
    from headway.store import shares
    from headway.store.transact import ENGINE, connect, transact

    place = f"{socket.gethostname()}:{layout.data}"
    with connect(dsn, role=ENGINE) as conn:
        transact(conn, shares.provide, place, slots)

    def withdraw() -> None:
        # When the database is away, its agents are, too: no slot of theirs can be granted.
        with suppress(HeadwayError), connect(dsn, role=ENGINE) as conn:
            transact(conn, shares.withdraw, place)

    ends.callback(withdraw)
