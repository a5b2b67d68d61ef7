"""Questions of running attempts for the events of assets: those that brought their run, or the last ones of an asset.

The answer is a JSON list of the fields of ``authoring.asset_events.AssetEvent``.
"""

from typing import Any, Final

import msgspec
from psycopg import Connection

from headway.core.aliases import ASSETS_MAX, alias_of
from headway.errors import NotAllowed
from headway.spec.assets import flaw_of_named
from headway.spec.carried import flaw_of_text
from headway.store import aliases, assets
from headway.store.assets import Stored

KIND: Final = "asset_events"
EVENTS_MAX: Final = 1_000  # of an asset, in one answer


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    asset: str | None = None  # None: of the run
    limit: int = EVENTS_MAX
    define: bool = (
        False  # not events: the asset itself, as a DAG of the team defines it, or those of an alias
    )
    uri: str | None = None  # of the asset to define


DECODER: Final = msgspec.json.Decoder(Asked)


def read(conn: Connection[Any], team_id: int, run_id: str, name: str) -> str:
    """Answer a question of an attempt of this run. Raises NotAllowed: it is none."""
    try:
        asked = DECODER.decode(name)
    except (msgspec.MsgspecError, ValueError):
        raise NotAllowed("the question for events of assets cannot be read") from None
    if asked.define:
        return definitions(conn, team_id, asked)
    limit = max(0, min(asked.limit, EVENTS_MAX))
    if asked.asset is None:
        found = assets.triggering(conn, team_id, run_id, limit)
    elif flaw_of_named(asked.asset) is not None:
        found = []
    else:
        found = assets.latest(conn, team_id, asked.asset, limit)
    return msgspec.json.encode([told(event) for event in found]).decode()


def definitions(conn: Connection[Any], team_id: int, asked: Asked) -> str:
    if any(flaw_of_text(text or "") for text in (asked.asset, asked.uri)):
        return "[]"
    if (alias := alias_of(asked.asset or "")) is not None:
        found = aliases.defined(conn, team_id, alias, ASSETS_MAX)
    else:
        found = assets.defined(conn, team_id, asked.asset, asked.uri)
    return msgspec.json.encode(
        [
            {"name": name, "uri": uri, "group": group, "extra": msgspec.Raw(extra.encode())}
            for name, uri, group, extra in found
        ]
    ).decode()


def told(event: Stored) -> dict[str, Any]:
    return {
        "asset": event.asset,
        "timestamp": event.at.isoformat(),
        "extra": msgspec.Raw(event.extra.encode()),
        "partition": event.partition,
        "source_dag_id": event.dag_id,
        "source_run_id": event.run_id,
        "source_task_id": event.task_id,
        "source_map_index": event.map_index,
        "by": event.by,
        **({"aliases": event.aliases} if event.aliases else {}),  # an older agent does not know it
    }
