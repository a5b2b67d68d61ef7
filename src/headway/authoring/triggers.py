"""Waits that a trigger looks after: ``defer(Trigger(arrived, path="/data/x.csv"))``.

A trigger is an ``async def`` function at the top level of the DAG file or of a module beside it, or a class there with
an ``async def run(self)``. It gets its arguments as JSON carries them, in a process that many waits share, and returns
what it found. With ``every`` it is called again and again, until that is true. What a trigger does is in ``looking``.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from headway.authoring.run import Deferral, Fail, Run
from headway.spec.shared import LOOKING, SHARED

ARGUMENTS_BYTES_MAX: Final = 128 * 1024


class Trigger:
    """A wait for what ``awaits`` finds.

    ``every`` (seconds or a timedelta): call it again after so long, until it returns something true. ``what``: what it
    looks out for, for people who ask why the task waits.
    """

    def __init__(
        self,
        awaits: Callable[..., Any] | str,
        /,
        *,
        every: timedelta | float | None = None,
        what: str | None = None,
        **kwargs: object,
    ) -> None:
        self.awaits = awaits
        self.every = every
        self.what = what
        self.kwargs = kwargs

    def deferral(self, run: Run) -> Deferral:
        name = self.awaits if isinstance(self.awaits, str) else reference(self.awaits)
        every_s = None if self.every is None else interval(self.every)
        what = self.what or f"trigger {name.rpartition(':')[2]}"
        return deferral(name, what, self.kwargs, every_s)


class FileExists:
    """A wait for a file: ``path``, or one that matches it as a pattern (``/data/*.csv``). It finds the paths."""

    def __init__(self, path: str, *, every: timedelta | float = 5.0) -> None:
        self.path = path
        self.every = every

    def deferral(self, run: Run) -> Deferral:
        if not str(self.path).startswith("/"):
            raise Fail(f"FileExists needs an absolute path, not {str(self.path)!r}")
        kwargs = {"path": str(self.path)}
        return deferral(f"{LOOKING}files", f"file {self.path}", kwargs, interval(self.every))


class HttpReady:
    """A wait until a URL answers with a status of 2xx, or with ``status``. It finds the status and the body's text.

    ``contains``: the body must have this text, too. ``conn_id``: a connection whose login, password and extras go along
    as headers; the URL may be a path below its host then. It is asked for at each look, and not stored with the wait.
    """

    def __init__(
        self,
        url: str,
        *,
        status: int | None = None,
        contains: str = "",
        headers: dict[str, str] | None = None,
        every: timedelta | float = 30.0,
        conn_id: str | None = None,
    ) -> None:
        self.kwargs = {"url": url, "status": status, "contains": contains, "headers": headers or {}}
        if conn_id is not None:
            self.kwargs["conn_id"] = conn_id
        self.every = every

    def deferral(self, run: Run) -> Deferral:
        url = str(self.kwargs["url"])
        below = "conn_id" in self.kwargs and "://" not in url
        if not below and not url.startswith(("http://", "https://")):
            raise Fail(f"HttpReady needs a URL with http:// or https://, not {url!r}")
        shown = url.partition("?")[0]  # what follows may be a secret
        return deferral(
            f"{LOOKING}answers", f"an answer of {shown}", self.kwargs, interval(self.every)
        )


def deferral(name: str, what: str, kwargs: Mapping[str, object], every_s: float | None) -> Deferral:
    """Raises NotSerialisable for arguments that JSON cannot carry, Fail for too many."""
    from msgspec import json

    from headway.authoring.values import to_json

    body = to_json(kwargs)
    if len(body) > ARGUMENTS_BYTES_MAX:
        raise Fail(
            f"the arguments of the trigger have {len(body):,} bytes; the limit is {ARGUMENTS_BYTES_MAX:,}; "
            "write them to a file and give its path"
        )
    facts = {
        "trigger": name,
        "what": what,
        "kwargs": json.decode(body),
        "every_s": every_s,
        "shared": name in SHARED,
    }
    return Deferral("trigger", facts)


def reference(awaits: Callable[..., Any]) -> str:
    """Return ``module:name`` of a function or class, by which the triggerer finds it. Raises Fail."""
    name, module = getattr(awaits, "__qualname__", ""), getattr(awaits, "__module__", "")
    if not name.isidentifier() or not module:
        raise Fail(
            f"a trigger must be a class or an async function at the top level of a module, not {awaits!r}"
        )
    code = getattr(getattr(awaits, "__code__", None), "co_flags", None)
    if code is not None and not code & (0x80 | 0x200):  # a coroutine, or an asynchronous generator
        raise Fail(f"trigger {name} must be an async function: async def {name}(…)")
    return f"{module}:{name}"


def interval(every: object) -> float:
    seconds = every.total_seconds() if isinstance(every, timedelta) else every
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
        raise Fail(f"every must be a timedelta or a number of seconds above 0, not {every!r}")
    try:
        return float(seconds)
    except OverflowError:
        raise Fail("every is a number that is too large") from None
