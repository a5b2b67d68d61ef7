"""/dependencies: which DAG waits for which."""

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.core.roles import Verb
from headway.store.views import dependencies as views


@get("/dependencies", needs=Verb.DAG_READ)
async def list_dependencies(api: Handed) -> wire.Page[wire.DagLinks]:
    """List the DAGs that wait for assets or runs of other DAGs, and those that are waited for."""
    return wire.Page(await api.door.call(views.of_team), None)


ROUTES = [list_dependencies]
