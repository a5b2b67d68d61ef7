"""The work inside of a triggerer: the trigger of a wait is found by its name and called, and what it finds is returned.

``looked`` tells people how far it is.
"""

import asyncio
import glob
import http.client
import os
import sys
import urllib.error
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from typing import Any, Final, NamedTuple

import msgspec

from headway.authoring import addresses
from headway.authoring.operators import python, sensor
from headway.authoring.run import Fail, Run, Skip
from headway.authoring.values import restore, to_json

TEST_PAUSE_S: Final = 0.01
BODY_BYTES_MAX: Final = 64 * 1024

Tell = Callable[[int, float | None, str], None]
telling: Final[ContextVar[Tell | None]] = ContextVar("telling", default=None)


class Facts(msgspec.Struct, frozen=True):
    """The facts of the wait, as the scheduler has them."""

    trigger: str
    what: str = ""
    kwargs: dict[str, Any] = {}
    every_s: float | None = None
    shared: bool = False


class Given(NamedTuple):
    """A wait, and the DAGs of its file by their ids. ``run``: that of the task that waits.

    ``passes_s``: in a test the time between two looks passes at once, and so much in all.
    """

    facts: Facts
    run: Run
    dags: Mapping[str, Any]
    passes_s: float | None = None


def looked(note: str = "", *, looks: int = 0, again_s: float | None = None) -> None:
    """Tell that the trigger has looked: people are shown the ``note``, when it was, and when it looks again."""
    if (tell := telling.get()) is not None:
        tell(looks, again_s, note)


async def awaited(given: Given) -> object:
    """Return what the trigger finds. Raises whatever it raises."""
    facts = given.facts
    if facts.trigger == sensor.TRIGGER:
        return await sensed(given)
    trigger = named(facts.trigger)
    kwargs: Any = restore(facts.kwargs)
    if isinstance(trigger, type):
        return await outcome(trigger(**kwargs).run())
    if facts.every_s is None:
        return await outcome(trigger(**kwargs))
    every_s = facts.every_s
    return await polled(partial(trigger, **kwargs), lambda _: every_s, given.passes_s)


async def sensed(given: Given) -> dict[str, object]:
    """Call the function of a sensor until it finds something, or raises: then its own process is to look."""
    options: Any = restore(given.facts.kwargs)
    chosen = sensor.Sensor(**options["sensor"])
    run = given.run
    function = given.dags[run.dag_id].tasks[run.task_id].function
    args, kwargs = tuple(options["args"]), options["kwargs"]

    async def look() -> dict[str, object] | None:
        try:
            found = await python.called(function, args, dict(kwargs), run)  # type: ignore[misc]
            to_json(found)
        except Exception as error:
            if chosen.silent_fail and not isinstance(error, Skip | Fail):
                looked(f"this look failed: {type(error).__name__}: {error}")
                return None
            return {"raised": f"{type(error).__name__}: {error}"}
        return {"found": found} if found else None

    return await polled(look, chosen.pause, given.passes_s)  # type: ignore[return-value]


def named(name: str) -> Any:
    """Return the class or function of a module. Raises LookupError."""
    module_name, _, path = name.partition(":")
    module = sys.modules.get(module_name) or import_module(module_name)
    found = getattr(module, path, None)
    if found is None:
        raise LookupError(f"{module_name} has no trigger {path!r}")
    return found


async def outcome(work: Awaitable[object] | AsyncIterator[object]) -> object:
    """Return what it returns, or the first thing that it yields."""
    if isinstance(work, AsyncIterator):
        async for found in work:
            return found
        raise RuntimeError("the trigger ended without an event")
    return await work


async def polled(
    look: Callable[[], Awaitable[object]],
    pause: Callable[[int], float],
    passes_s: float | None,
) -> object:
    """Call ``look`` until what it returns is true. ``pause``: the seconds after the nth look. Raises TimeoutError."""
    looks, passed_s = 0, 0.0
    while True:
        found = await look()
        if found:
            return found
        looks += 1
        pause_s = pause(looks)
        looked(looks=looks, again_s=pause_s)
        passed_s += pause_s
        if passes_s is not None and passed_s > passes_s:
            raise TimeoutError
        await asyncio.sleep(pause_s if passes_s is None else min(pause_s, TEST_PAUSE_S))


async def files(path: str) -> list[str]:
    """Find the file, or those that match the pattern."""
    if not glob.has_magic(path):  # a look that hangs is found as one that blocks
        return [path] if os.path.exists(path) else []
    return sorted(await asyncio.to_thread(glob.glob, path))


async def answers(
    url: str,
    status: int | None,
    contains: str,
    headers: dict[str, str],
    conn_id: str | None = None,
) -> dict[str, object] | None:
    """Ask once. An address that does not answer is one that is not ready."""
    where, given = await addresses.resolved(url, headers, conn_id)
    return await asyncio.to_thread(ask, where, status, contains, given)


def ask(
    url: str, status: int | None, contains: str, headers: dict[str, str]
) -> dict[str, object] | None:
    try:
        with addresses.opened(url, headers) as answer:
            code, body = answer.status, answer.read(BODY_BYTES_MAX)
    except urllib.error.HTTPError as error:
        with error:
            code, body = error.code, error_body(error)
    except (OSError, http.client.HTTPException) as error:
        looked(f"{url.partition('?')[0]} does not answer: {error or type(error).__name__}")
        return None
    text = body.decode("utf-8", "replace")
    if (code == status if status else 200 <= code < 300) and contains in text:
        return {"status": code, "body": text}
    looked(f"{url.partition('?')[0]} answered {code}")
    return None


def error_body(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(BODY_BYTES_MAX)
    except (OSError, http.client.HTTPException):
        return b""
