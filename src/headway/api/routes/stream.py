"""/stream: live changes."""

from typing import Annotated, Final

from litestar import get
from litestar.params import FromQuery, HeaderParameter
from litestar.response import Stream

from headway.api.context import Api, Handed
from headway.api.live.tails import Target
from headway.api.live.watcher import TOPICS, Interest
from headway.api.parameters import (
    Attempt,
    IdFilter,
    MapIndex,
    TextFilter,
)
from headway.core.roles import Verb
from headway.errors import UsageError
from headway.store.views import instances, runs

OF_ONE: tuple[str, ...] = ("run", "task_instance")
OF_ALL: tuple[str, ...] = ("run", "dag", "pool")
NEEDS: Final = {"dag": Verb.DAG_READ, "pool": Verb.POOL_READ, "log": Verb.LOG_READ}


@get("/stream", media_type="text/event-stream", needs=Verb.RUN_READ, guests=True)
async def watch(
    api: Handed,
    run_id: IdFilter = None,
    dag_id: IdFilter = None,
    topics: TextFilter = None,
    task_id: IdFilter = None,
    map_index: MapIndex = None,
    attempt: Attempt = None,
    last_event_id: FromQuery[str | None] = None,
    last_seen: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None,
) -> Stream:
    """Stream changes as server-sent events; ``StreamEvents`` describes the data of each.

    After ``ready``, fetch what you show, then apply the changes. After a lost connection, the browser
    sends its position and receives what it missed; ``reset`` means: fetch everything again. A
    stream ends within a minute: reconnect with the position. It ends immediately if its token is
    revoked or its session ends. The limit is 20 streams for a token or session, 60 for a user.
    """
    # No bound of a position is declared: one that is not ours is no error, but a reset.
    wanted = chosen(topics, of_one=run_id is not None or dag_id is not None)
    if topics is None:
        wanted -= {topic for topic, verb in NEEDS.items() if verb not in api.principal.verbs}
    if "task_instance" in wanted and run_id is None and dag_id is None:
        raise UsageError(
            "the topic task_instance needs a run or a DAG", hint="give run_id or dag_id"
        )
    if run_id is not None:
        run_id = await api.door.call(runs.resolve, run_id)
    log = None
    for topic in sorted(wanted & NEEDS.keys()):
        api.principal.require(NEEDS[topic], f"follow the topic {topic}")
    if "log" in wanted:
        log = await target(api, run_id, task_id, map_index, attempt)
    holder = api.principal.holder
    api.live.require_room(api.door, holder)
    position = last_seen or last_event_id
    return Stream(
        api.live.watch(api.door, holder, Interest(wanted, run_id, dag_id), position, log),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def chosen(topics: str | None, *, of_one: bool) -> frozenset[str]:
    if topics is None:
        return frozenset(OF_ONE if of_one else OF_ALL)
    wanted = frozenset(topics.split(","))
    if unknown := sorted(wanted - set(TOPICS)):
        raise UsageError(
            f"{unknown[0]!r} is not a valid topic", hint=f"topics are {', '.join(TOPICS)}"
        )
    return wanted


async def target(
    api: Api, run_id: str | None, task_id: str | None, map_index: int | None, attempt: int | None
) -> Target:
    if run_id is None or task_id is None:
        raise UsageError("the topic log needs a task instance", hint="give run_id and task_id")
    instance = await api.door.call(instances.one, run_id, task_id, map_index)
    return Target(run_id, task_id, instance.map_index, attempt)


ROUTES = [watch]
