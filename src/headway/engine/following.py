"""Follows what has happened: events of assets, and events that have callbacks."""

from collections.abc import Callable

from headway.engine import assets, callbacks
from headway.engine.assets import Followed
from headway.engine.catalog import Catalog
from headway.store.transact import C


def follow(conn: C, catalog: Catalog, new_id: Callable[[], str]) -> Followed:
    """Create the runs that events bring."""
    called = callbacks.follow(conn, catalog, new_id)
    found = assets.follow(conn, catalog, new_id)
    return found._replace(created=found.created + called, more=found.more or called > 0)
