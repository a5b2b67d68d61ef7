"""The settings that all components of an install share, when each is a process of its own."""

import socket
from dataclasses import dataclass

from headway.config import Layout
from headway.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """``layout``: of the data directory, which all of them can read and write.

    ``install``: its name; to the database, its components are one server. ``listen``: the host and port of the
    database for LISTEN, where the URL leads to a pooler.
    """

    layout: Layout
    database_url: str
    install: str
    listen: str | None = None

    def direct(self, dsn: str) -> str | None:
        """Return ``dsn`` by way of the address for LISTEN; None if there is none."""
        return None if self.listen is None else direct(dsn, self.listen)

    @property
    def place(self) -> str:
        """The name under which its slots are provided."""
        return f"{self.install}:{self.layout.data}"


def direct(dsn: str, address: str | None) -> str:
    """Return ``dsn`` by way of ``address``, where there is one. Raises UsageError."""
    from psycopg.conninfo import make_conninfo

    if address is None:
        return dsn
    host, port = split(address)
    return make_conninfo(dsn, host=host, port=port)


def split(address: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``. Raises UsageError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(
            f"{address!r} is not an address of the database",
            where="--listen-address",
            hint="write HOST:PORT, of the PostgreSQL server behind the pooler",
        )
    return host.strip("[]"), int(port)


def install_name(given: str | None) -> str:
    return given or socket.gethostname()
