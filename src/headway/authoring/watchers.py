"""Watchers as a DAG file names them: ``Asset("orders", watchers=[FilesArrive("/data/orders/*.csv")])``.

A watcher looks out for something outside for as long as a DAG waits for its asset, in a process that many share. Each
thing that happens is an event of the asset, once. What the code does is in ``watching``.
"""

import inspect
import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from headway.authoring.frames import call_site
from headway.authoring.run import Fail
from headway.authoring.triggers import interval, reference
from headway.authoring.values import NotSerialisable, to_json
from headway.core.connections import is_name
from headway.spec import model
from headway.spec.assets import EVERY_S
from headway.spec.errors import BadSpec
from headway.spec.shared import SHARED, WATCHING

QUEUE: Final = "default"


class WatcherEvent(NamedTuple):
    """An event that a watcher of your own yields.

    ``extra`` goes with it, as JSON. ``key``: for this asset, the same key is the same event. ``cursor``: from where the
    watcher goes on if it begins again elsewhere; it is stored with the event. None: it stays as it was.
    """

    extra: Mapping[str, Any] = {}
    partition: str | None = None
    key: str | None = None
    cursor: Any = None


class Watcher:
    """Code of your own that looks out for events of an asset.

    ``watches`` is at the top level of the DAG file or of a module beside it: an ``async def`` function that yields an
    event for each thing that happens (a dict, its extra, or a ``WatcherEvent``), or a class with such a ``run(self)``.
    The code behind a ``yield`` runs when the event is stored. With a parameter ``cursor`` it gets what it gave last.
    With ``every`` (seconds or a timedelta) it is a function that returns something instead: what is true, and differs
    from what it returned before, is an event. ``queue``: agents that serve it run the code. Raises BadSpec.
    """

    def __init__(
        self,
        watches: Callable[..., Any] | str,
        /,
        *,
        name: str | None = None,
        every: timedelta | float | None = None,
        what: str | None = None,
        queue: str = QUEUE,
        **kwargs: object,
    ) -> None:
        try:
            trigger = watches if isinstance(watches, str) else reference(watches)
        except Fail as error:
            raise bad(str(error).replace("trigger", "watcher")) from None
        known = trigger.rpartition(":")[2]
        every_s = None if every is None else seconds(every)
        if not isinstance(watches, str):
            check_code(known, watches, kwargs, polled=every_s is not None)
        given = {word: carried(known, word, value) for word, value in kwargs.items()}
        words = {"name": known if name is None else name, "what": what or "", "queue": queue}
        for word, value in words.items():
            if not isinstance(value, str):
                raise bad(f"{word} of the watcher {known} must be a string, not {value!r}")
        self.spec = model.Watcher(
            trigger=trigger,
            kwargs=given,
            every_s=every_s,
            shared=trigger in SHARED,
            **words,
        )

    def __repr__(self) -> str:
        return f"Watcher({self.spec.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Watcher) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec.name)


class FilesArrive(Watcher):
    """Each new file at ``path`` is an event: a path or a pattern (``/data/orders/*.csv``, ``/data/**/*.csv``).

    A file counts once it has the same size and time in two looks, so one that is still written is waited for. A file
    that changes counts again. Its extra has ``path``, ``size`` and ``modified``. Files that are there at the first look
    count with ``existing``. ``partition``: a regular expression that is looked for in the path; its first group is the
    partition of the event.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: timedelta | float = 5.0,
        existing: bool = False,
        partition: str | None = None,
        name: str | None = None,
        queue: str = QUEUE,
    ) -> None:
        if not isinstance(path, str | os.PathLike) or not str(path).startswith("/"):
            raise bad(f"FilesArrive needs an absolute path, not {shown(path)}")
        if str(path).endswith("/"):
            raise bad(f"FilesArrive needs files, and {str(path)!r} is a folder", f"write {path!s}*")
        if not isinstance(existing, bool):
            raise bad(f"existing must be True or False, not {existing!r}")
        if partition is not None and groups_of(partition) < 1:
            raise bad(
                f"partition must be a regular expression with a group, like 'orders-(.*).csv', not {partition!r}"
            )
        super().__init__(
            f"{WATCHING}files",
            name=str(path) if name is None else name,
            what=f"files {path}",
            queue=queue,
            path=str(path),
            every_s=seconds(every),
            existing=existing,
            partition=partition,
        )


class HttpChanges(Watcher):
    """Each change of what a URL answers is an event: of its ETag, else of its Last-Modified, else of the body.

    The first answer is what later ones are compared with. Other answers than 2xx do not count. The extra
    has ``url``, without what follows a "?", ``version`` and ``before``. Do not put secrets into the URL: people see it.
    ``conn_id``: a connection whose login, password and extras go along as headers. The URL may be a path below its
    host then.
    """

    def __init__(
        self,
        url: str,
        *,
        every: timedelta | float = 60.0,
        name: str | None = None,
        queue: str = QUEUE,
        conn_id: str | None = None,
    ) -> None:
        with_connection: dict[str, Any] = (
            {} if conn_id is None else {"conn_id": id_of("HttpChanges", conn_id)}
        )
        if not (with_connection and isinstance(url, str) and "://" not in url):
            check_url(url)
        plain = url.partition("?")[0]
        super().__init__(
            f"{WATCHING}answers",
            name=plain if name is None else name,
            what=f"changes of {plain}",
            queue=queue,
            url=url,
            every_s=seconds(every),
            **with_connection,
        )


def watchers_of(given: object) -> tuple[Watcher, ...]:
    """Return the watchers that an asset is given. Raises BadSpec."""
    if not isinstance(given, list | tuple):
        raise bad(f"watchers must be a list of watchers, not {given!r}")
    for each in given:
        if not isinstance(each, Watcher):
            raise bad(f"{name_of(each)} is not a watcher", hint_for(each))
    return tuple(given)


def hint_for(given: object) -> str:
    other = {"FileExists": "FilesArrive", "HttpReady": "HttpChanges"}.get(type(given).__name__)
    if other is not None:
        return f"{type(given).__name__} waits once, for a task; write {other}(…), which tells of each change"
    return (
        "write FilesArrive(…), ObjectsArrive(…), RowsArrive(…), HttpChanges(…), "
        "or Watcher(function) with a function of your own"
    )


def name_of(given: object) -> str:
    return getattr(given, "__name__", type(given).__name__)


def seconds(every: object) -> float:
    try:
        found = interval(every)
    except Fail as error:
        raise bad(str(error)) from None
    if not EVERY_S[0] <= found <= EVERY_S[1]:
        raise bad(
            f"every is {every!r}; a watcher must look at most 10 times a second and at least once a month"
        )
    return found


def check_code(known: str, code: Any, kwargs: Mapping[str, object], *, polled: bool) -> None:
    """Raise BadSpec for code that could only fail."""
    if "cursor" in kwargs:
        raise bad(
            f"the argument cursor of the watcher {known} is what its last event had as cursor"
        )
    if isinstance(code, type) and not callable(getattr(code, "run", None)):
        raise bad(f"the watcher {known} is a class without run", "write async def run(self)")
    if isinstance(code, type) and polled:
        raise bad(f"the watcher {known} is a class, which cannot have every", "leave every out")
    looks = getattr(code, "run", None) if isinstance(code, type) else code
    if inspect.isasyncgenfunction(looks) and polled:
        raise bad(
            f"the watcher {known} yields events and has every",
            "leave every out, or return what it found instead of yielding",
        )
    if inspect.iscoroutinefunction(looks) and not polled:
        raise bad(
            f"the watcher {known} yields no events",
            "write yield in it, or give the watcher every=… to call it again and again",
        )
    try:
        signature = inspect.signature(code)
    except (TypeError, ValueError):
        return
    given = {**kwargs, **({"cursor": None} if "cursor" in signature.parameters else {})}
    try:
        signature.bind(**given)
    except TypeError as error:
        raise bad(f"the watcher {known} cannot be called: {error}") from None


def carried(known: str, word: str, value: object) -> Any:
    try:
        return msgspec.json.decode(to_json(value, f"the argument {word} of the watcher {known}"))
    except NotSerialisable as error:
        raise bad(error.message, "pass numbers, text, lists, dicts or dates") from None


def check_url(url: object) -> None:
    """Raise BadSpec for a URL that cannot be asked, or that shows a password to everybody."""
    if not isinstance(url, str) or not url.lower().startswith(("http://", "https://")):
        raise bad(f"HttpChanges needs a URL with http:// or https://, not {shown(url)}")
    if not url.isascii() or any(not "!" <= char <= "~" for char in url):
        hint = "write them as in the address bar of a browser: %20 for a space"
        raise bad(f"the URL {shown(url)} has characters that a URL cannot have", hint)
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise bad(f"HttpChanges cannot read the URL {shown(url)}") from None
    if not usable:
        raise bad(f"HttpChanges needs a URL with a host, not {shown(url)}")
    if parts.username is not None:
        raise bad(
            "the URL of HttpChanges has a login, which everybody in the team can see",
            "leave the login out, and name a connection that has it: conn_id=…",
        )


def id_of(word: str, conn_id: object) -> str:
    """Return the id of a connection. Raises BadSpec."""
    if not isinstance(conn_id, str) or not is_name(conn_id):
        raise bad(f"{word}: conn_id must be the id of a connection, not {shown(conn_id)}")
    return conn_id


def shown(value: object) -> str:
    return f"{value!r:.80}"


def groups_of(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except (re.error, TypeError):
        return 0


def bad(message: str, hint: str | None = None) -> BadSpec:
    site = call_site()
    return BadSpec(message, file=site.file, line=site.line, hint=hint)
