"""Events of assets that people and programs report from outside."""

from typing import Any

from psycopg import Connection

from headway import wire
from headway.core.aliases import alias_of
from headway.core.foreign import foreign
from headway.errors import UsageError
from headway.spec.assets import flaw_of_extra, flaw_of_name, flaw_of_partition, flaw_of_words
from headway.store import assets, notices
from headway.store.clock import clock
from headway.store.views import assets as views


def emit(
    conn: Connection[Any], team_id: int, request: wire.AssetEventRequest, actor: str
) -> wire.AssetEvent:
    """Store an event of a known asset. Its consumers learn of it at once.

    Raises:
        NotFound: no DAG of the team names the asset. UsageError: the partition or the extra cannot be stored.
    """
    if (alias := alias_of(request.asset)) is not None:
        raise UsageError(
            f"{alias!r} is an alias, which has no events of its own",
            hint="report an event of one of its assets",
        )
    if (flaw := flaw_of_name(request.asset)) is not None:
        raise UsageError(f"the name of the asset {flaw}")
    if (other := foreign(request.asset)) is not None:
        raise UsageError(
            f"{request.asset} is of the team {other.team}",
            hint="only that team can report its events",
        )
    if request.partition is not None and (flaw := flaw_of_partition(request.partition)) is not None:
        raise UsageError(f"the partition {flaw}")
    extra = assets.json_of(request.extra)
    if (flaw := flaw_of_extra(extra)) is not None:
        raise UsageError(f"the extra {flaw}")
    views.require(conn, request.asset)
    key = request.idempotency_key
    if key is not None and (flaw := flaw_of_words(key)) is not None:
        raise UsageError(f"the idempotency key {flaw}")
    event = assets.NewEvent(team_id, request.asset, extra.decode(), request.partition, actor, key)
    event_id = assets.put(conn, event, clock(conn))
    notices.tell_of_assets(conn)
    return views.event(conn, event_id)
