"""/assets: data that tasks update and DAGs wait for, and its events."""

from typing import Annotated, Any

from litestar import get, post
from litestar.params import JSONBody, QueryParameter
from psycopg import Connection

from headway import wire
from headway.actions import assets as actions
from headway.api.context import Handed
from headway.api.parameters import Cursor, Id, IdFilter, Limit, TextFilter, one_of
from headway.api.repeats import WHOLE
from headway.core.roles import Verb
from headway.store.views import assets as views
from headway.store.views import partitions

Name = Annotated[str, QueryParameter(name="asset", max_length=250)]


@get("/assets", needs=Verb.DAG_READ)
async def list_assets(
    api: Handed,
    q: TextFilter = None,
    name: IdFilter = None,
    sort: Annotated[str, one_of(views.SORTS)] = "name",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.Page[wire.Asset]:
    """List assets. ``q`` matches name or URI; ``name`` is that of one asset. ``sort`` with ``-`` is descending; assets
    without an event come last.
    """
    return await api.door.call(views.page, q, name, limit, cursor, sort)


@get("/assets/detail", needs=Verb.DAG_READ)
async def show_asset(api: Handed, asset: Name) -> wire.AssetDetail:
    """Get an asset with what the DAGs that wait for it still miss, and the DAGs that are late if it is."""
    return await api.door.call(views.detail, asset)


@get("/assets/events", needs=Verb.DAG_READ)
async def list_asset_events(
    api: Handed, asset: Name, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.AssetEvent]:
    """List the events of an asset, the newest first."""
    return await api.door.call(views.events, asset, limit, cursor)


@get("/assets/partitions", needs=Verb.DAG_READ)
async def list_asset_partitions(
    api: Handed, asset: Name, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.AssetPartition]:
    """List the partitions of an asset with their last events, the last key first."""
    return await api.door.call(partitions.of_asset, api.door.team_id, asset, limit, cursor)


@post("/assets/events", needs=Verb.ASSET_EMIT, idempotent=WHOLE)
async def emit_asset_event(api: Handed, data: JSONBody[wire.AssetEventRequest]) -> wire.AssetEvent:
    """Report an event of an asset from outside. The same idempotency key reports one event."""

    def work(conn: Connection[Any]) -> wire.AssetEvent:
        return actions.emit(conn, api.door.team_id, data, api.actor)

    return await api.door.call(work)


@get("/dags/{dag_id:str}/assets", needs=Verb.DAG_READ)
async def show_dag_assets(api: Handed, dag_id: Id) -> wire.DagAssets:
    """Get the assets that a DAG waits for, updates and reads, and which are missing for its next run."""
    return await api.door.call(views.of_dag, dag_id)


@get("/dags/{dag_id:str}/partitions", needs=Verb.DAG_READ)
async def list_dag_partitions(
    api: Handed,
    dag_id: Id,
    partition: IdFilter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.Page[wire.PendingPartition]:
    """List the partitions that a DAG waits for, by key, with what each misses. ``partition``: this one alone."""
    return await api.door.call(partitions.page, dag_id, partition, limit, cursor)


ROUTES = [
    list_assets,
    show_asset,
    list_asset_events,
    list_asset_partitions,
    emit_asset_event,
    show_dag_assets,
    list_dag_partitions,
]
