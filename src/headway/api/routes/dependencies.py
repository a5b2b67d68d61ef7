"""/dependencies: which DAG waits for which."""

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Cursor, IdFilter, Limit, TextFilter
from headway.core.roles import Verb
from headway.store.views import dependencies as views


@get("/dependencies", needs=Verb.DAG_READ)
async def list_dependencies(
    api: Handed,
    dag_id: IdFilter = None,
    q: TextFilter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.Page[wire.DagLinks]:
    """List the DAGs that wait for assets or runs of other DAGs, and those that are waited for, by id.

    ``q`` matches part of a DAG's id or owner, or of what it waits for.
    """
    return await api.door.call(views.page, dag_id=dag_id, q=q, limit=limit, cursor=cursor)


ROUTES = [list_dependencies]
