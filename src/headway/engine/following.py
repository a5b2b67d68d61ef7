"""Follows what has happened: events of assets, and events that have callbacks; and what has not: overdue partitions."""

from collections.abc import Callable

from headway.engine import assets, callbacks, expected
from headway.engine.assets import Followed
from headway.engine.catalog import Catalog
from headway.store.transact import C, transact


def follow(conn: C, catalog: Catalog, new_id: Callable[[], str]) -> Followed:
    """Create the runs that events bring. Overdue partitions are told of first: their events may have callbacks."""
    transact(conn, expected.look, catalog)
    called = callbacks.follow(conn, catalog, new_id)
    found = assets.follow(conn, catalog, new_id)
    return found._replace(created=found.created + called, more=found.more or called > 0)
