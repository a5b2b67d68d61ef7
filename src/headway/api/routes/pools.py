"""/pools."""

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.store.views import pools as views


@get("/pools")
async def list_pools(api: Handed) -> wire.Page[wire.Pool]:
    return wire.Page(await api.door.call(views.every))


ROUTES = [list_pools]
