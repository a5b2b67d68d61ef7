"""A private PostgreSQL that may forget everything: no fsync, no network, gone afterwards."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from psycopg import sql
from psycopg.conninfo import make_conninfo

from headway.pg import Server
from headway.store.migrate import migrate
from headway.store.transact import connect

FORGETFUL: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}
TEMPLATE: Final = "headway_template"

numbers = count(1)


@contextmanager
def private_server() -> Iterator[str]:
    """The owner's dsn of a migrated database on a server of its own."""
    with (
        TemporaryDirectory(prefix="headway-test-") as folder,
        Server(Path(folder), FORGETFUL).running() as dsn,
    ):
        with connect(dsn) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrate(make_conninfo(dsn, dbname=TEMPLATE))
        with fresh_database(dsn) as fresh:
            yield fresh


@contextmanager
def fresh_database(dsn: str, template: str = TEMPLATE) -> Iterator[str]:
    """The owner's dsn of another migrated, otherwise empty database on a private server."""
    name = f"headway_{next(numbers)}"
    server = make_conninfo(dsn, dbname="postgres")
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with connect(server) as conn:
        conn.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        with connect(server) as conn:
            conn.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def empty_database(dsn: str) -> AbstractContextManager[str]:
    """As ``fresh_database``, but nothing was migrated."""
    return fresh_database(dsn, "template0")
