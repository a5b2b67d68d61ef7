"""Finds the place in the user's files, as file and line for errors and specs."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple


class Site(NamedTuple):
    file: str
    line: int
    module: (
        str  # the module whose top level led here: the DAG file, also when a helper did the work
    )


def call_site() -> Site:
    """The nearest line outside Headway."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    if frame is None:
        return Site("", 0, "")
    return Site(frame.f_code.co_filename, frame.f_lineno, top_module(frame))


def calling_module() -> str:
    """Return the name of the module in which the nearest line outside Headway is."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    return "" if frame is None else str(frame.f_globals.get("__name__", ""))


def origin(file: str | None) -> Site:
    """The nearest line of the DAG ``file`` being read, also when a module beside it acts."""
    site = call_site()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and file is not None:
        if frame.f_code.co_filename == file:
            return Site(file, frame.f_lineno, site.module)
        frame = frame.f_back
    return site


def is_ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name == "headway" or name.startswith("headway.")


def top_module(frame: FrameType | None) -> str:
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            return str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    return ""


def line_of(function: Callable[..., object], site: Site) -> int:
    """Return the line of ``function`` if it is in the file of ``site``, else the line of the call."""
    code = getattr(function, "__code__", None)
    return code.co_firstlineno if code is not None and code.co_filename == site.file else site.line
