"""/runs/…/task-instances and their logs."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from headway import wire
from headway.api.context import Handed
from headway.core.roles import Role
from headway.core.states import ATTEMPT_FINAL, AttemptState
from headway.errors import NotFound, UsageError
from headway.store.views import instances as views
from headway.store.views import runs as run_views

LOG_BYTES_MAX: Final = 1024 * 1024  # an answer; the next offset leads on


@get("/runs/{run_id:str}/task-instances", needs=Role.VIEWER)
async def list_instances(
    api: Handed,
    run_id: FromPath[str],
    task_id: FromQuery[str | None] = None,
    in_state: Annotated[str | None, QueryParameter(name="state")] = None,
    limit: FromQuery[int] = 500,
    cursor: FromQuery[str | None] = None,
) -> wire.Page[wire.TaskInstance]:
    run_id = await api.door.call(run_views.resolve, run_id)
    return await api.door.call(
        views.page, run_id, task_id=task_id, state=in_state, limit=limit, cursor=cursor
    )


@get("/runs/{run_id:str}/task-instances/{task_id:str}", needs=Role.VIEWER)
async def show_instance(
    api: Handed,
    run_id: FromPath[str],
    task_id: FromPath[str],
    map_index: FromQuery[int | None] = None,
) -> wire.TaskInstanceDetail:
    run_id = await api.door.call(run_views.resolve, run_id)
    return await api.door.call(views.one, run_id, task_id, map_index)


@get(
    "/runs/{run_id:str}/task-instances/{task_id:str}/logs",
    media_type="text/plain",
    needs=Role.VIEWER,
)
async def read_log(
    api: Handed,
    run_id: FromPath[str],
    task_id: FromPath[str],
    map_index: FromQuery[int | None] = None,
    attempt: FromQuery[int | None] = None,
    offset: FromQuery[int] = 0,
) -> Response[bytes]:
    """The log of an attempt (default: the latest) from byte ``offset`` on.

    Ask again from ``X-Headway-Next-Offset`` until ``X-Headway-Complete`` is true.
    """
    if offset < 0:
        raise UsageError("offset must not be negative")
    run_id = await api.door.call(run_views.resolve, run_id)
    instance = await api.door.call(views.one, run_id, task_id, map_index)
    chosen = choose(instance, attempt)
    if chosen is None:
        return log_answer(b"", offset, complete=False, number=0)
    path = api.layout.data / chosen.log
    assert path.resolve().is_relative_to(api.layout.logs.resolve()), f"{path} is no log"
    text, size = await asyncio.to_thread(read_from, path, offset)
    ended = AttemptState(chosen.state) in ATTEMPT_FINAL
    complete = ended and offset + len(text) >= size
    return log_answer(text, offset, complete=complete, number=chosen.number)


def choose(instance: wire.TaskInstanceDetail, number: int | None) -> wire.Attempt | None:
    """The attempt that is meant; None when there has been none yet."""
    if number is None:
        return instance.history[0] if instance.history else None
    for attempt in instance.history:
        if attempt.number == number:
            return attempt
    raise NotFound(
        f"{instance.task_id!r} has no attempt {number}",
        hint=f"it had {len(instance.history)} so far",
    )


def read_from(path: Path, offset: int) -> tuple[bytes, int]:
    """Some bytes from ``offset`` on, and how many there are in all."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(min(offset, size))
            return log.read(LOG_BYTES_MAX), size
    except FileNotFoundError:
        return b"", 0  # it has not written anything


def log_answer(text: bytes, offset: int, *, complete: bool, number: int) -> Response[bytes]:
    return Response(
        text,
        media_type="text/plain; charset=utf-8",
        headers={
            "X-Headway-Attempt": str(number),
            "X-Headway-Next-Offset": str(offset + len(text)),
            "X-Headway-Complete": "true" if complete else "false",
        },
    )


ROUTES = [list_instances, show_instance, read_log]
