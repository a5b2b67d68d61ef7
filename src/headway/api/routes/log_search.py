"""/logs/search: search the logs of many runs for a limited time per request."""

from collections.abc import Mapping
from typing import Annotated

from litestar import get
from litestar.params import FromQuery

from headway import wire
from headway.api.context import Handed
from headway.api.logs.search import Match, Query
from headway.api.parameters import Cursor, IdFilter, Since, Until, one_of, up_to
from headway.api.routes.logs import MATCHES_MAX, Wanted, look_in
from headway.core.roles import Verb
from headway.core.states import RunState
from headway.store.views import logs as views
from headway.store.views import pages
from headway.store.views import runs as run_views


@get("/logs/search", needs=Verb.LOG_READ)
async def search_logs(
    api: Handed,
    q: Wanted,
    dag_id: IdFilter = None,
    task_id: IdFilter = None,
    in_state: Annotated[str | None, one_of(RunState, "state")] = None,
    first: Since = None,
    last: Until = None,
    regex: FromQuery[bool] = False,
    ignore_case: FromQuery[bool] = True,
    limit: Annotated[int, up_to(MATCHES_MAX)] = 200,
    cursor: Cursor = None,
) -> wire.FoundLogMatches:
    """Search logs for a text, newest runs first. ``from`` and ``to`` as in GET /runs.

    Each page is what one second of search finds, so it can be empty although another page follows.
    """
    query = Query(q, regex, ignore_case, limit)
    wanted = run_views.Filter(dag_id=dag_id, state=in_state, first=first, last=last)
    start = pages.decode(cursor, views.Place) if cursor else None
    planned = await api.door.call(views.of_runs, wanted, task_id, start)
    logs = planned.found
    found = await look_in(api, query, [(each.run_id, each.key, each.line) for each in logs])
    following = planned.following
    if found.stopped is not None:
        following = logs[found.stopped[0]]._replace(line=found.stopped[1])
    return wire.FoundLogMatches(
        matches=[shown(logs[each.log], each, planned.runs) for each in found.matches],
        next_cursor=pages.encode(following) if following else None,
    )


def shown(place: views.Place, match: Match, runs: Mapping[str, wire.Run]) -> wire.FoundLogMatch:
    run = runs[place.run_id]
    return wire.FoundLogMatch(
        run_id=run.run_id,
        dag_id=run.dag_id,
        logical_date=run.logical_date,
        task_id=place.key.task_id,
        map_index=place.key.map_index,
        attempt=place.key.number,
        line=match.line,
        text=match.text,
        start=match.start,
        end=match.end,
    )


ROUTES = [search_logs]
