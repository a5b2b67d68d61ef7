"""/dags and /import-errors."""

from litestar import get
from litestar.params import FromPath, FromQuery

from headway import wire
from headway.api.context import Handed
from headway.store.views import dags as views


@get("/dags")
async def list_dags(
    api: Handed, limit: FromQuery[int] = 100, cursor: FromQuery[str | None] = None
) -> wire.Page[wire.DagSummary]:
    return await api.door.call(views.page, limit, cursor)


@get("/dags/{dag_id:str}")
async def show_dag(api: Handed, dag_id: FromPath[str]) -> wire.DagDetail:
    return await api.door.call(views.detail, dag_id)


@get("/import-errors")
async def list_import_errors(
    api: Handed, limit: FromQuery[int] = 100, cursor: FromQuery[str | None] = None
) -> wire.Page[wire.ImportError]:
    return await api.door.call(views.import_errors, limit, cursor)


ROUTES = [list_dags, show_dag, list_import_errors]
