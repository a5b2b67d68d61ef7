"""Watchers of stores and databases, as a DAG file names them: each new object or row is an event of the asset.

They name a connection, which is asked for at each look; its secrets stand nowhere. What their code does is in
``arriving``.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from headway.authoring.watchers import QUEUE, Watcher, bad, groups_of, id_of, seconds, shown
from headway.spec.shared import ARRIVING

PLACE: Final = re.compile(r"s3a?://[^/\s]+/\S+")


class ObjectsArrive(Watcher):
    """Each new object in S3 is an event: ``s3://bucket/key``, or a pattern (``s3://shop/orders/*.csv``).

    An object that is written again counts again. Its extra has ``url``, ``size`` and ``modified``. Objects that are
    there at the first look count with ``existing``. ``conn_id``: a connection of type aws, as of ``wait_for_object``;
    without one the environment of the agent says what it is. ``partition``: a regular expression that is looked for in
    the URL; its first group is the partition of the event.
    """

    def __init__(
        self,
        url: str,
        *,
        conn_id: str | None = None,
        every: timedelta | float = 30.0,
        existing: bool = False,
        partition: str | None = None,
        name: str | None = None,
        queue: str = QUEUE,
    ) -> None:
        if not isinstance(url, str) or PLACE.fullmatch(url) is None:
            raise bad(f"ObjectsArrive needs a URL like s3://bucket/key, not {shown(url)}")
        if not isinstance(existing, bool):
            raise bad(f"existing must be True or False, not {existing!r}")
        if partition is not None and groups_of(partition) < 1:
            raise bad(
                f"partition must be a regular expression with a group, like 'day=(.*)/', not {partition!r}"
            )
        super().__init__(
            f"{ARRIVING}objects",
            name=url if name is None else name,
            what=f"objects {url}",
            queue=queue,
            url=url,
            conn_id=None if conn_id is None else id_of("ObjectsArrive", conn_id),
            every_s=seconds(every),
            existing=existing,
            partition=partition,
        )


class RowsArrive(Watcher):
    """Each row that a query finds behind the last one is an event, whose extra is the row.

    The query compares the column ``cursor`` with the parameter ``cursor`` and orders by it: ``SELECT id, total FROM
    orders WHERE id > %(cursor)s ORDER BY id LIMIT 1000`` in PostgreSQL, ``:cursor`` in SQLite. At the first look the
    parameter is ``start``, later what the last row has in this column. ``key``: a column; the same value in it is the
    same event. ``partition``: a column with the partition of the event.
    """

    def __init__(
        self,
        conn_id: str,
        sql: str,
        *,
        cursor: str,
        start: object,
        every: timedelta | float = 30.0,
        key: str | None = None,
        partition: str | None = None,
        name: str | None = None,
        queue: str = QUEUE,
    ) -> None:
        words: Mapping[str, Any] = {
            "sql": sql,
            "cursor": cursor,
            "key": key,
            "partition": partition,
        }
        for word, value in words.items():
            optional = word in ("key", "partition") and value is None
            if not optional and (not isinstance(value, str) or not value):
                raise bad(f"RowsArrive: {word} must be a string, not {shown(value)}")
        if "%(cursor)s" not in sql and ":cursor" not in sql:
            hint = "write WHERE id > %(cursor)s, or :cursor in SQLite"
            raise bad("RowsArrive needs a query with the parameter cursor", hint)
        known = id_of("RowsArrive", conn_id)
        super().__init__(
            f"{ARRIVING}rows",
            name=f"rows of {known}" if name is None else name,
            what=f"rows of {known}",
            queue=queue,
            conn_id=known,
            sql=sql,
            column=cursor,
            start=start,
            every_s=seconds(every),
            key=key,
            partition=partition,
        )
