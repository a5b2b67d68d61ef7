"""A private PostgreSQL for floors and peers: the one Headway embeds, durable, gone afterwards.

Floors and peers get the very server and settings that Headway itself runs on.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.pg import Server


@dataclass(frozen=True, slots=True)
class Database:
    owner_dsn: str

    def dsn(self, database: str) -> str:
        return make_conninfo(self.owner_dsn, dbname=database)

    def url(self, driver: str, database: str) -> str:
        """The same place in the words of SQLAlchemy: a socket's folder travels as a parameter."""
        parts = conninfo_to_dict(self.owner_dsn)
        return f"{driver}://{parts['user']}@/{database}?host={quote(str(parts['host']), safe='')}"


@contextmanager
def private_server(max_connections: int = 40) -> Iterator[Database]:
    with TemporaryDirectory(prefix="headway-bench-") as folder:
        server = Server(Path(folder), {"max_connections": str(max_connections)})
        with server.running() as dsn:
            yield Database(dsn)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
