"""The work of watchers of stores and databases, inside of a triggerer. Each look asks for the connection anew."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

from headway.authoring.looking import looked
from headway.authoring.operators import sql as statements
from headway.authoring.operators import wait_for_object as store
from headway.authoring.secrets import aconnection, connection
from headway.authoring.watchers import WatcherEvent
from headway.authoring.watching import FILES_MAX, Arriving, Batch, mark_of
from headway.core.connections import Connection
from headway.core.watchers import BATCH_MAX
from headway.core.words import counted
from headway.spec.assets import flaw_of_partition

ROWS_MAX: Final = 10_000  # of one look
CONNECT_S: Final = 10
STATEMENT: Final = "60s"


class WrongRows(Exception):
    """A query does not find what an event can be made of."""


# -- objects


class Object(NamedTuple):
    url: str
    size: int
    modified: str
    etag: str

    @property
    def name(self) -> str:
        return self.url

    def mark(self) -> str:
        return mark_of(f"{self.modified}:{self.size}:{self.etag}:{self.url}")

    def extra(self) -> dict[str, Any]:
        return {"url": self.url, "size": self.size, "modified": self.modified}


async def objects(
    url: str,
    conn_id: str | None,
    every_s: float,
    existing: bool,
    partition: str | None,
    cursor: Any,
) -> AsyncIterator[Batch]:
    """Tell of each object that has arrived. An object is there as a whole, so it need not rest."""
    find = partial(found_objects, url, conn_id)
    arriving = Arriving("object", find, every_s, existing, partition, rests=False)
    async for batch in arriving.batches(cursor):
        yield batch


def found_objects(url: str, conn_id: str | None) -> list[Object]:
    """Return the objects that are there, the oldest first. Raises StoreFailed, and ValueError: they are too many."""
    bucket, _ = store.place_of(url)
    config = {} if conn_id is None else store.config_of(connection(conn_id))
    found = store.found(url, store.opened(bucket, config), FILES_MAX)
    things = [
        Object(
            f"s3://{bucket}/{each['path']}",
            int(each["size"]),
            each["last_modified"].isoformat(),
            each.get("e_tag") or "",
        )
        for each in found
    ]
    return sorted(things, key=lambda thing: (thing.modified, thing.url))


# -- rows


async def rows(
    conn_id: str,
    sql: str,
    column: str,
    start: object,
    every_s: float,
    key: str | None,
    partition: str | None,
    cursor: Any,
) -> AsyncIterator[Batch]:
    """Tell of each row behind the last one."""
    behind = start if cursor is None else cursor
    looks = 0
    while True:
        known = await aconnection(conn_id)
        found = await asyncio.to_thread(found_rows, known, sql, behind)
        for begin in range(0, len(found), BATCH_MAX):
            few = found[begin : begin + BATCH_MAX]
            events = [event_of(row, key, partition) for row in few]
            yield Batch(events, cursor_behind(found, begin + len(few), column))
        behind = value_of(found[-1], column) if found else behind
        looks += 1
        looked(f"{counted(len(found), 'row')} at the last look", looks=looks, again_s=every_s)
        await asyncio.sleep(every_s)


def found_rows(known: Connection, sql: str, behind: object) -> Sequence[Mapping[str, object]]:
    """Raises StatementFailed, Fail, WrongRows."""
    ask = statements.database_of(known)
    texts = [sql]
    if known.conn_type == "postgres":  # nothing may hold a thread of the triggerer without end
        extra = {"connect_timeout": CONNECT_S, "tcp_user_timeout": 1000 * CONNECT_S, **known.extra}
        known = replace(known, extra=extra)
        texts = [f"SET LOCAL statement_timeout = '{STATEMENT}'", sql]
    found = ask(known, texts, {"cursor": behind}, False) or []
    if len(found) > ROWS_MAX:
        raise WrongRows(
            f"the query finds {len(found):,} rows at once; the limit is {ROWS_MAX:,}: write LIMIT"
        )
    return found


def cursor_behind(found: Sequence[Mapping[str, object]], count: int, column: str) -> object | None:
    """Return the cursor behind so many rows. None: the next row has the same one, and would be left out behind it."""
    last = value_of(found[count - 1], column)
    if last is None:
        raise WrongRows(f"a row has no value in its column {column!r}, by which it is ordered")
    return None if count < len(found) and value_of(found[count], column) == last else last


def event_of(row: Mapping[str, object], key: str | None, partition: str | None) -> WatcherEvent:
    part = None if partition is None else str(value_of(row, partition))
    if part is not None and flaw_of_partition(part) is not None:
        part = None  # as of a file whose name tells none: the row counts all the same
    return WatcherEvent(dict(row), part, None if key is None else str(value_of(row, key)))


def value_of(row: Mapping[str, object], column: str) -> object:
    try:
        return row[column]
    except KeyError:
        raise WrongRows(f"the rows have no column {column!r}; they have {', '.join(row)}") from None
