"""/runs/…/replay and /runs/…/diff: repeat a run, and compare two runs."""

from typing import Annotated, Any

from litestar import get, post
from litestar.params import JSONBody, QueryParameter
from psycopg import Connection

from headway import wire
from headway.actions import replays
from headway.api.context import Handed
from headway.api.parameters import ID_CHARS_MAX, Id
from headway.api.repeats import WHOLE
from headway.core.roles import Verb
from headway.store.views import run_diff
from headway.store.views import runs as views

Other = Annotated[str, QueryParameter(name="with", min_length=1, max_length=ID_CHARS_MAX)]


@post("/runs/{run_id:str}/replay", needs=Verb.RUN_TRIGGER, idempotent=WHOLE)
async def replay(
    api: Handed, run_id: Id, data: JSONBody[wire.ReplayRequest]
) -> wire.Run | wire.ReplayPreview:
    """Repeat a run with its original spec, files, parameters and dates. A dry run shows what would
    run and what cannot be reproduced.
    """

    def work(conn: Connection[Any]) -> wire.Run | wire.ReplayPreview:
        found = api.door.about(views.resolve(conn, run_id))
        of = (conn, api.layout.data, api.door.team_id, found)
        if data.dry_run:
            return replays.would_replay(*of)
        made = replays.replay(*of, api.actor)
        api.door.tell(after={"run_id": made, "replay_of": found})
        return views.whole(conn, made)

    return await api.door.call(work)


@get("/runs/{run_id:str}/diff", needs=Verb.RUN_READ)
async def compare_runs(api: Handed, run_id: Id, other: Other) -> wire.RunDiff:
    """Compare the run with the run ``with``: code, parameters, states and times."""

    def work(conn: Connection[Any]) -> wire.RunDiff:
        before, after = views.resolve(conn, run_id), views.resolve(conn, other)
        return run_diff.of_runs(conn, api.memory, before, after)

    return await api.door.call(work)


ROUTES = [replay, compare_runs]
