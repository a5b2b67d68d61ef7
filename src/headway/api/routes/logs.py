"""Logs: ranges of bytes or lines, search, download. A removed log has its own error."""

import asyncio
import dataclasses
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from msgspec.structs import replace

from headway import wire
from headway.api.context import Api, Handed
from headway.api.logs import files, rendered, search
from headway.api.logs.places import Sought
from headway.api.logs.search import Found, Place, Query
from headway.api.parameters import INT64_MAX, TEXT_CHARS_MAX, Attempt, Cursor, Id, MapIndex, up_to
from headway.core import log_retention as core
from headway.core.roles import Verb
from headway.core.states import ATTEMPT_FINAL, AttemptState
from headway.engine import log_retention
from headway.errors import LogRemoved, NotFound, UsageError
from headway.store.views import instances as views
from headway.store.views import logs as log_views
from headway.store.views import pages
from headway.store.views import runs as run_views

PIECE_BYTES_MAX: Final = 1024 * 1024  # an answer; the next offset leads on
LINES_MAX: Final = 5000
MATCHES_MAX: Final = 500
OF_INSTANCE: Final = "/runs/{run_id:str}/task-instances/{task_id:str}/logs"
NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

Wanted = Annotated[str, QueryParameter(min_length=1, max_length=TEXT_CHARS_MAX)]

expressions: Final = asyncio.Semaphore(2)  # each may take a processor for some seconds


@dataclass(frozen=True, slots=True)
class Chosen:
    path: Path
    number: int  # 0: there has been no attempt
    ended: bool
    removed_at: datetime | None = None
    run_id: str = ""
    log: str = ""  # below the data directory
    why: str = ""  # it ended
    ended_at: datetime | None = None


@get(OF_INSTANCE, media_type="text/plain", needs=Verb.LOG_READ)
async def read_log(
    api: Handed,
    run_id: Id,
    task_id: Id,
    map_index: MapIndex = None,
    attempt: Attempt = None,
    offset: Annotated[int, up_to(INT64_MAX, least=0)] = 0,
    limit: Annotated[int, up_to(PIECE_BYTES_MAX)] = PIECE_BYTES_MAX,
    tail: Annotated[int | None, up_to(INT64_MAX, least=0)] = None,
) -> Response[bytes]:
    """Read the log of an attempt (default: the latest) from byte ``offset``, or its last ``tail`` bytes.

    Repeat from ``X-Headway-Next-Offset`` until ``X-Headway-Complete`` is true.
    """
    chosen = await choose(api, run_id, task_id, map_index, attempt)
    if tail is None:
        piece = await asyncio.to_thread(files.piece, chosen.path, offset, limit)
    else:
        piece = await asyncio.to_thread(files.tail, chosen.path, min(tail, PIECE_BYTES_MAX))
    following = piece.offset + len(piece.text)
    complete = chosen.ended and following >= piece.size
    return Response(
        piece.text,
        media_type="text/plain",
        headers={
            **NO_SNIFFING,
            "X-Headway-Attempt": str(chosen.number),
            "X-Headway-Offset": str(piece.offset),
            "X-Headway-Next-Offset": str(following),
            "X-Headway-Size": str(piece.size),
            "X-Headway-Complete": "true" if complete else "false",
        },
    )


@get(f"{OF_INSTANCE}/lines", needs=Verb.LOG_READ)
async def read_log_lines(
    api: Handed,
    run_id: Id,
    task_id: Id,
    first: Annotated[int, up_to(INT64_MAX, -INT64_MAX, "from")] = 1,
    count: Annotated[int, up_to(LINES_MAX)] = 1000,
    map_index: MapIndex = None,
    attempt: Attempt = None,
) -> wire.LogLines:
    """Read lines by number, from 1. ``from=-100`` reads the last hundred."""
    if first == 0:
        raise UsageError("line numbers start at 1, or at -1 from the end")
    chosen = await choose(api, run_id, task_id, map_index, attempt)
    found = await asyncio.to_thread(files.some_lines, chosen.path, first, count)
    return wire.LogLines(
        attempt=chosen.number,
        first=found.first,
        lines=found.lines,
        total_lines=found.total,
        size=found.size,
        complete=chosen.ended,
    )


@get(f"{OF_INSTANCE}/search", needs=Verb.LOG_READ)
async def search_log(
    api: Handed,
    run_id: Id,
    task_id: Id,
    q: Wanted,
    regex: FromQuery[bool] = False,
    ignore_case: FromQuery[bool] = True,
    first: Annotated[int, up_to(INT64_MAX, name="from")] = 1,
    limit: Annotated[int, up_to(MATCHES_MAX)] = 200,
    map_index: MapIndex = None,
    attempt: Attempt = None,
) -> wire.LogMatches:
    """Search a log from line ``from`` for a text or a regular expression."""
    query = Query(q, regex, ignore_case, limit)
    chosen = await choose(api, run_id, task_id, map_index, attempt)
    found = await look(query, [Place(str(chosen.path), first)])
    matches = [
        wire.LogMatch(line=each.line, text=each.text, start=each.start, end=each.end)
        for each in found.matches
    ]
    next_from = found.stopped[1] if found.stopped else None
    return wire.LogMatches(attempt=chosen.number, matches=matches, next_from=next_from)


@get("/runs/{run_id:str}/logs/search", needs=Verb.LOG_READ)
async def search_run(
    api: Handed,
    run_id: Id,
    q: Wanted,
    regex: FromQuery[bool] = False,
    ignore_case: FromQuery[bool] = True,
    limit: Annotated[int, up_to(MATCHES_MAX)] = 200,
    cursor: Cursor = None,
) -> wire.RunLogMatches:
    """Search the logs of all attempts of a run, by task and instance."""
    query = Query(q, regex, ignore_case, limit)
    run_id = await api.door.call(run_views.resolve, run_id)
    after = log_views.Key("", -2, 0), 1
    if cursor:
        after = pages.decode(cursor, tuple[log_views.Key, int])
    logs = await api.door.call(log_views.of_run, run_id, *after)
    found = await look_in(
        api,
        query,
        [(run_id, key, after[1] if key == after[0] else 1) for key in logs.keys],
    )
    matches = [
        wire.RunLogMatch(
            task_id=logs.keys[each.log].task_id,
            map_index=logs.keys[each.log].map_index,
            attempt=logs.keys[each.log].number,
            line=each.line,
            text=each.text,
            start=each.start,
            end=each.end,
        )
        for each in found.matches
    ]
    following = logs.following
    if found.stopped is not None:
        following = (logs.keys[found.stopped[0]], found.stopped[1])
    return wire.RunLogMatches(
        matches=matches, next_cursor=pages.encode(following) if following else None
    )


@get(f"{OF_INSTANCE}/download", media_type="text/plain", needs=Verb.LOG_READ)
async def download_log(
    api: Handed,
    run_id: Id,
    task_id: Id,
    map_index: MapIndex = None,
    attempt: Attempt = None,
) -> Stream:
    """Download the whole log."""
    chosen = await choose(api, run_id, task_id, map_index, attempt)
    name = re.sub(r"[^\w.-]", "_", f"{run_id}-{task_id}-{chosen.number}.log", flags=re.ASCII)
    return Stream(
        files.chunks(chosen.path),
        media_type="text/plain",
        headers={**NO_SNIFFING, "Content-Disposition": f'attachment; filename="{name}"'},
    )


@get("/runs/{run_id:str}/task-instances/{task_id:str}/rendered", needs=Verb.LOG_READ)
async def show_rendered(
    api: Handed,
    run_id: Id,
    task_id: Id,
    map_index: MapIndex = None,
    attempt: Attempt = None,
) -> wire.RenderedFields:
    """Get the rendered arguments and command of an attempt, with secrets masked."""
    chosen = await attempt_of(api, run_id, task_id, map_index, attempt)
    if chosen.number == 0:
        return wire.RenderedFields(attempt=0, fields=[])
    fields = await asyncio.to_thread(rendered.fields_of, chosen.path)
    return wire.RenderedFields(attempt=chosen.number, fields=fields)


async def choose(
    api: Api, run_id: str, task_id: str, map_index: int | None, number: int | None
) -> Chosen:
    """Find the log of the requested attempt. Raises LogRemoved if retention removed it."""
    chosen = await attempt_of(api, run_id, task_id, map_index, number)
    if chosen.removed_at is not None:
        policy = await api.door.call(log_retention.policy_of, api.door.team_id)
        raise LogRemoved(
            core.removed(f"{chosen.removed_at.astimezone(UTC):%Y-%m-%d}", policy),
            hint="to see how long logs are kept, run: headway retention",
        )
    if chosen.ended and api.places is not None:
        team, path = api.principal.team, chosen.path
        path = await api.places.of_ended(team, path, chosen.log, chosen.why, chosen.ended_at)
        chosen = dataclasses.replace(chosen, path=path)
    if chosen.log and not await asyncio.to_thread(chosen.path.exists):
        await refuse_elsewhere(api, chosen, task_id, map_index)
    return chosen


async def refuse_elsewhere(api: Api, chosen: Chosen, task_id: str, map_index: int | None) -> None:
    """Raise an error if the log is in the data directory of another host."""
    found = await api.door.call(
        log_views.whereabouts, chosen.run_id, task_id, map_index, chosen.number
    )
    if found is not None and found != (socket.gethostname(), str(api.layout.data)):
        host, data = found
        raise NotFound(
            f"the log of this attempt is not here: it was written on host {host}, in {data}",
            hint=f"look there for {chosen.log}; with a log store, logs can be read from any host",
        )


async def attempt_of(
    api: Api, run_id: str, task_id: str, map_index: int | None, number: int | None
) -> Chosen:
    """Return whether the attempt has ended, so that its log will not grow."""
    run_id = await api.door.call(run_views.resolve, run_id)
    history = await api.door.call(views.history, run_id, task_id, map_index)
    if number is None and not history:
        return Chosen(Path("/dev/null"), 0, ended=False)
    for attempt in history:
        if number in (None, attempt.number):
            ended = AttemptState(attempt.state) in ATTEMPT_FINAL
            path = checked(api, attempt.log)
            why = ": ".join(filter(None, (attempt.cause or attempt.state, attempt.detail)))
            at, removed_at = attempt.ended_at, attempt.log_removed_at
            return Chosen(path, attempt.number, ended, removed_at, run_id, attempt.log, why, at)
    raise NotFound(
        f"{task_id!r} has no attempt {number}",
        hint=f"it had {len(history)} so far",
    )


def checked(api: Api, log: str) -> Path:
    """Open the log without following a symbolic link."""
    path = api.layout.data / log
    if not path.resolve().is_relative_to(api.layout.logs.resolve()):
        raise NotFound(
            "the log file was replaced by something that is not a regular file", where=log
        )
    return path


async def look_in(api: Api, query: Query, logs: Sequence[tuple[str, log_views.Key, int]]) -> Found:
    """Search the logs of attempts from a line on, on this machine or in the log store."""
    wanted = []
    for run_id, key, line in logs:
        log = log_views.path(run_id, key)
        wanted.append(Sought(run_id, checked(api, log), log, line))
    if api.places is None:
        return await look(query, [Place(str(each.path), each.line) for each in wanted])
    places = await api.places.of_many(api.principal.team, wanted)
    found = await look(query, places)
    if found.stopped is None and len(places) < len(wanted):
        return replace(found, stopped=(len(places), wanted[len(places)].line))
    return found


async def look(query: Query, places: list[Place]) -> Found:
    if not query.regex:
        return await asyncio.to_thread(search.in_thread, query, places)
    async with expressions:
        found = await asyncio.to_thread(search.in_process, query, places)
    if isinstance(found, search.Refused):
        raise UsageError(f"the text to search for is not a valid regular expression: {found.why}")
    if found is None:
        raise UsageError(
            "the regular expression takes too long",
            hint="search for plain text, or simplify the expression",
        )
    return found


ROUTES = [read_log, read_log_lines, search_log, search_run, download_log, show_rendered]
