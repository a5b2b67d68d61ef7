"""Watchers of stores and databases: each new object and row once, from the cursor on, by a connection."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headway import Asset, ObjectsArrive, RowsArrive, Watcher
from headway.authoring import watching
from headway.authoring.arriving import WrongRows
from headway.authoring.looking import Facts, telling
from headway.authoring.operators.sql import StatementFailed
from headway.authoring.run import Fail
from headway.authoring.values import from_json, to_json
from headway.authoring.watchers import WatcherEvent
from headway.core.watchers import BATCH_MAX
from headway.spec.errors import BadSpec

ORDERS = "SELECT id, total FROM orders WHERE id > :cursor ORDER BY id"


class Watched:
    """A watcher that is run, a few looks each time, and what it has stored."""

    def __init__(self, watcher: Watcher) -> None:
        self.spec = watcher.spec
        self.events: list[WatcherEvent] = []
        self.cursors: list[Any] = []
        self.cursor: Any = None
        self.notes: list[str] = []

    def look(self, looks: int = 1, between: Callable[[], object] = lambda: None) -> "Watched":
        asyncio.run(self.run(looks, between))
        return self

    async def run(self, looks: int, between: Callable[[], object]) -> None:
        """``between``: is called after each look."""
        done = asyncio.Event()

        def tell(count: int, again_s: float | None, note: str) -> None:
            self.notes.append(note)
            between()
            if count >= looks:
                done.set()

        telling.set(tell)
        work = asyncio.create_task(self.work())
        await asyncio.wait(
            [work, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        if work.done():
            work.result()
        work.cancel()

    async def work(self) -> None:
        facts = Facts(self.spec.trigger, kwargs=self.spec.kwargs, shared=True)
        await watching.watched(watching.Watched(facts, self.cursor, self.tell))

    async def tell(self, events: Sequence[WatcherEvent], cursor: Any) -> None:
        assert len(events) <= BATCH_MAX
        self.events += events
        self.cursors.append(cursor)
        if cursor is not None:
            self.cursor = from_json(to_json(cursor))

    def told(self, name: str) -> list[Any]:
        return [event.extra[name] for event in self.events]


# -- rows


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "orders.db"
    run(path, "CREATE TABLE orders (id INTEGER, total REAL, at TEXT)")
    add(path, 1, 2)
    monkeypatch.setenv("HEADWAY_CONN_SHOP", f'{{"conn_type": "sqlite", "host": "{path}"}}')
    return path


def run(path: Path, *statement: Any) -> None:
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(*statement)


def add(path: Path, *ids: int, at: str = "") -> None:
    for number in ids:
        run(path, "INSERT INTO orders VALUES (?, ?, ?)", (number, number / 2, at))


def test_each_row_behind_the_last_one_is_an_event(orders: Path) -> None:
    watched = Watched(RowsArrive("shop", ORDERS, cursor="id", start=0, every=0.1)).look()
    assert [event.extra for event in watched.events] == [
        {"id": 1, "total": 0.5},
        {"id": 2, "total": 1.0},
    ]
    watched.look(2, lambda: add(orders, 3) if len(watched.notes) == 2 else None)
    assert (watched.told("id"), watched.cursor) == ([1, 2, 3], 3)
    assert watched.notes[-1] == "1 row at the last look"
    add(orders, 4)
    assert watched.look().told("id") == [1, 2, 3, 4]  # it goes on elsewhere
    assert Watched(RowsArrive("shop", ORDERS, cursor="id", start=2)).look().told("id") == [3, 4]


def test_rows_with_the_same_cursor_are_not_left_out_at_the_end_of_a_batch(orders: Path) -> None:
    run(orders, "DELETE FROM orders")
    for number in range(BATCH_MAX + 50):
        add(orders, number, at="same" if number >= BATCH_MAX - 5 else f"a{number:03}")
    sql = "SELECT id, at FROM orders WHERE at > :cursor ORDER BY at, id"
    watched = Watched(RowsArrive("shop", sql, cursor="at", start="", key="id")).look()
    assert watched.told("id") == list(range(BATCH_MAX + 50))
    assert watched.cursors == [None, "same"]
    assert [event.key for event in watched.events[:2]] == ["0", "1"]


def test_a_row_names_its_partition(orders: Path) -> None:
    add(orders, 3, at="2026-01-31")
    sql = "SELECT id, nullif(at, '') AS day FROM orders WHERE id > :cursor ORDER BY id"
    watched = Watched(RowsArrive("shop", sql, cursor="id", start=1, partition="day")).look()
    assert [event.partition for event in watched.events] == ["None", "2026-01-31"]


def test_what_no_event_can_be_made_of_is_said(orders: Path) -> None:
    def fails(sql: str, **options: Any) -> str:
        given: dict[str, Any] = {"cursor": "id", "start": 0, **options}
        with pytest.raises((WrongRows, StatementFailed)) as error:
            Watched(RowsArrive("shop", sql, **given)).look()
        return str(error.value)

    assert "no column 'number'; they have id, total" in fails(ORDERS, cursor="number")
    assert "no column 'k'" in fails(ORDERS, key="k")
    nothing = "SELECT NULL AS id FROM orders WHERE 1 > :cursor"
    assert "has no value in its column 'id'" in fails(nothing)
    many = "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 20000)"
    assert "finds 20,000 rows at once; the limit is 10,000" in fails(
        f"{many} SELECT id FROM n WHERE id > :cursor ORDER BY id"
    )
    assert "no such table" in fails("SELECT id FROM nowhere WHERE id > :cursor")


def test_a_change_of_the_connection_is_seen(
    orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.db"
    run(other, "CREATE TABLE orders (id INTEGER, total REAL, at TEXT)")
    add(other, 7)
    watched = Watched(RowsArrive("shop", ORDERS, cursor="id", start=0, every=0.1))

    def move() -> None:
        monkeypatch.setenv("HEADWAY_CONN_SHOP", f'{{"conn_type": "sqlite", "host": "{other}"}}')

    assert watched.look(2, move).told("id") == [1, 2, 7]
    monkeypatch.setenv("HEADWAY_CONN_SHOP", '{"conn_type": "http", "host": "x"}')
    with pytest.raises(Fail, match="cannot use a connection of type 'http'"):
        watched.look()


def test_rows_of_postgresql_by_a_time(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor is a moment, and comes back as one."""
    found = psycopg.conninfo.conninfo_to_dict(database)
    fields = {"host": found["host"], "login": found["user"], "schema": found["dbname"]}
    rest = {name: value for name, value in found.items() if name not in ("host", "user", "dbname")}
    uri = to_json({"conn_type": "postgres", **fields, "extra": rest}).decode()
    monkeypatch.setenv("HEADWAY_CONN_WAREHOUSE", uri)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE sale (id integer, at timestamptz)")
        conn.execute(
            "INSERT INTO sale VALUES (1, '2026-01-01T00:00:00Z'), (2, '2026-01-02T00:00:00Z')"
        )
        sql = "SELECT id, at FROM sale WHERE at > %(cursor)s ORDER BY at"
        start = datetime(2026, 1, 1, tzinfo=UTC)
        watched = Watched(RowsArrive("warehouse", sql, cursor="at", start=start)).look()
        assert (watched.told("id"), watched.cursor) == ([2], datetime(2026, 1, 2, tzinfo=UTC))
        conn.execute("INSERT INTO sale VALUES (3, '2026-01-03T00:00:00Z')")
        assert watched.look().told("id") == [2, 3]
        conn.execute("DROP TABLE sale")


@pytest.mark.parametrize(
    ("arguments", "options", "why"),
    [
        (("a b", ORDERS), {}, "conn_id must be the id of a connection"),
        (("shop", "SELECT 1"), {}, "needs a query with the parameter cursor"),
        (("shop", ORDERS), {"cursor": 7}, "cursor must be a string"),
        (("shop", ORDERS), {"key": ""}, "key must be a string"),
        (("shop", ORDERS), {"start": object()}, "start"),
        (("shop", ORDERS), {"every": 0.001}, "at most 10 times a second"),
    ],
)
def test_a_mistake_is_told_when_the_file_is_read(
    arguments: tuple[Any, ...], options: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadSpec, match=why):
        RowsArrive(*arguments, **{"cursor": "id", "start": 0, **options})


@pytest.mark.parametrize("url", ["s3://bucket", "s3:///key", "http://x/y", "/data/x", 7])
def test_an_object_needs_a_bucket_and_a_key(url: Any) -> None:
    with pytest.raises(BadSpec, match="needs a URL like s3://bucket/key"):
        ObjectsArrive(url)


def test_both_are_watchers_of_headway() -> None:
    """They run in the process that all files share, and stand in the spec by the name of their connection."""
    rows = RowsArrive("shop", ORDERS, cursor="id", start=0)
    objects = ObjectsArrive("s3://shop/in/*.csv", conn_id="lake", partition=r"in/(.*)\.csv")
    asset = Asset("orders", watchers=[rows, objects])
    assert [watcher.spec.shared for watcher in asset.watchers] == [True, True]
    assert [watcher.spec.kwargs["conn_id"] for watcher in asset.watchers] == ["shop", "lake"]
