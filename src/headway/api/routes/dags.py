"""/dags and /import-errors."""

from litestar import get

from headway import wire
from headway.api.context import Api
from headway.store.views import dags as views


@get("/dags")
async def list_dags(
    api: Api, limit: int = 100, cursor: str | None = None
) -> wire.Page[wire.DagSummary]:
    return await api.door.call(views.page, limit, cursor)


@get("/dags/{dag_id:str}")
async def show_dag(api: Api, dag_id: str) -> wire.DagDetail:
    return await api.door.call(views.detail, dag_id)


@get("/import-errors")
async def list_import_errors(
    api: Api, limit: int = 100, cursor: str | None = None
) -> wire.Page[wire.ImportError]:
    return await api.door.call(views.import_errors, limit, cursor)


ROUTES = [list_dags, show_dag, list_import_errors]
