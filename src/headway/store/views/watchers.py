"""Watchers of assets for the API: what they look out for, and what they do now."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import dict_row

from headway import wire
from headway.core.watchers import reason, state_of
from headway.store.clock import clock

SHOWN_MAX: Final = 100

# Of DAGs that are gone none. One that is the same in several DAGs is told once.
OF_ASSETS: LiteralString = """
    SELECT DISTINCT ON (named.asset, named.name, named.digest) named.asset, named.name, named.queue,
        named.facts ->> 'what' AS what, coalesce(watch.dag_id, named.dag_id) AS dag_id,
        coalesce(watch.wanted, true) AS wanted, watch.session_id IS NOT NULL AS held, watch.since,
        coalesce(watch.looks, 0) AS looks, watch.looked_at, watch.looks_at, watch.note,
        coalesce(watch.events, 0) AS events, watch.last_event_at, watch.error, watch.failed_at, watch.starts_at,
        watch.slowed_at
    FROM asset_watcher AS named
    JOIN dag ON dag.team_id = named.team_id AND dag.dag_id = named.dag_id AND dag.missing_since IS NULL
    LEFT JOIN watch ON watch.team_id = named.team_id AND watch.digest = named.digest
    WHERE named.asset = ANY (%(assets)s)
    ORDER BY named.asset, named.name, named.digest, named.dag_id LIMIT %(limit)s
"""


def of_assets(conn: Connection[Any], assets: Collection[str]) -> list[wire.AssetWatcher]:
    """Return the watchers of these assets, by asset and name."""
    values = {"assets": list(assets), "limit": SHOWN_MAX}
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(OF_ASSETS, values).fetchall()
    if not found:
        return []
    now = clock(conn)
    return [told(row, now) for row in found]


def told(row: dict[str, Any], now: datetime) -> wire.AssetWatcher:
    state = state_of(wanted=row.pop("wanted"), held=row.pop("held"), error=row["error"])
    starts_in = (row["starts_at"] or now) - now
    return wire.AssetWatcher(**row, state=state, reason=reason(state, row["queue"], starts_in))
