"""A private PostgreSQL that may forget everything: no fsync, no network, gone afterwards."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.pg import Server
from headway.store.migrate import migrate
from headway.store.transact import Session, connect

FORGETFUL: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}
TEMPLATE: Final = "headway_template"

numbers = count(1)
makers: dict[object, Session] = {}  # by server: the one connection that makes and drops databases


@contextmanager
def private_server() -> Iterator[str]:
    """The owner's dsn of a migrated database on a server of its own."""
    with (
        TemporaryDirectory(prefix="headway-test-") as folder,
        Server(Path(folder), FORGETFUL).running() as dsn,
    ):
        with connect(dsn) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        template = make_conninfo(dsn, dbname=TEMPLATE)
        migrate(template)
        connect(template).close()  # leaves a cache of the catalogue, which is copied with the rest
        with connect(make_conninfo(dsn, dbname="postgres")) as conn:
            makers[server_of(dsn)] = conn
            try:
                with fresh_database(dsn) as fresh:
                    yield fresh
            finally:
                del makers[server_of(dsn)]


@contextmanager
def fresh_database(dsn: str, template: str = TEMPLATE) -> Iterator[str]:
    """The owner's dsn of another migrated, otherwise empty database on a private server."""
    fresh = make_database(dsn, template)
    try:
        yield fresh
    finally:
        drop_database(fresh)


def make_database(dsn: str, template: str = TEMPLATE) -> str:
    name = f"headway_{next(numbers)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    makers[server_of(dsn)].execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    return make_conninfo(dsn, dbname=name)


def drop_database(dsn: str) -> None:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    name = str(conninfo_to_dict(dsn)["dbname"])
    makers[server_of(dsn)].execute(drop.format(sql.Identifier(name)))


def server_of(dsn: str) -> object:
    """Where its socket is, whichever the database."""
    return conninfo_to_dict(dsn)["host"]


def empty_database(dsn: str) -> AbstractContextManager[str]:
    """As ``fresh_database``, but nothing was migrated."""
    return fresh_database(dsn, "template0")
