"""/overview and /search: the start page and the search box."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from msgspec.structs import replace

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import TEXT_CHARS_MAX
from headway.core.roles import Verb
from headway.store.views import overview as views
from headway.store.views import search as search_views


@get("/overview", needs=Verb.RUN_READ)
async def overview(api: Handed) -> wire.Home:
    """Get an overview: what failed, waits, is late or runs next, and the last 24 hours."""
    home = await api.door.call(views.home, api.memory)
    return replace(home, components=home.components + await api.beside(api.door))


@get("/search", needs=Verb.RUN_READ)
async def search(
    api: Handed, q: Annotated[str, QueryParameter(max_length=TEXT_CHARS_MAX)] = ""
) -> wire.Found:
    """Search DAGs and tasks that contain the text and runs whose id starts with it, at most 8 of each."""
    return await api.door.call(search_views.find, q)


ROUTES = [overview, search]
