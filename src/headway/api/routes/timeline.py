"""/timeline: past and upcoming runs, and used slots."""

from litestar import get

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Since, Until
from headway.core.roles import Verb
from headway.store.views import timeline as views


@get("/timeline", needs=Verb.RUN_READ)
async def show_timeline(api: Handed, first: Since = None, last: Until = None) -> wire.Timeline:
    """Get the timeline of all DAGs from ``from`` to ``to``, at most 14 days. Default: 6 hours before and after now."""
    return await api.door.call(views.show, first, last)


ROUTES = [show_timeline]
