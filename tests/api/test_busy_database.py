"""Errors of a database that works but does not answer in time: each says what it is."""

from collections.abc import Iterator
from typing import Any, LiteralString

import pytest
from psycopg import Connection

from headway.api.door import Connections, Door, full
from headway.errors import NotReachable
from headway.store import api_login
from headway.store.transact import Session


@pytest.fixture
def door(database: str, conn: Session) -> Iterator[Door]:
    connections = Connections(api_login.embedded(database, "busy"))
    connections.open()
    yield Door(connections)
    connections.close()


def answer(door: Door, limit: LiteralString, statement: LiteralString) -> NotReachable:
    def work(conn: Connection[Any]) -> None:
        conn.execute(limit)
        conn.execute(statement)

    with pytest.raises(NotReachable) as refusal:
        door.transact(work)
    return refusal.value


def test_a_statement_that_takes_too_long_is_not_called_a_lock(door: Door) -> None:
    told = answer(door, "SET LOCAL statement_timeout = 50", "SELECT pg_sleep(60)")
    assert "cancelled a statement" in str(told)
    assert "30 s" in str(told)
    assert "lock" not in f"{told} {told.hint}"
    assert "shorter period" in (told.hint or "")


def test_a_lock_is_called_a_lock(door: Door, conn: Session) -> None:
    with conn.transaction():
        conn.execute("LOCK TABLE pool IN ACCESS EXCLUSIVE MODE")
        told = answer(door, "SET LOCAL lock_timeout = 50", "SELECT FROM pool")
    assert "holds a lock" in str(told)


def test_a_request_that_no_thread_took_is_not_called_a_lock() -> None:
    assert "earlier requests" in str(full())
    assert "lock" not in f"{full()} {full().hint}"
