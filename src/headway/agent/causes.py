"""An exception in a few lines: itself, its notes, and what caused it, back to the root.

Every exception is the user's code: its message, its notes and its class may raise, lie or refer to themselves.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

import headway

OWN_CODE: Final = str(Path(headway.__file__).parent)
DETAIL_CHARS_MAX: Final = 1000
LINE_CHARS_MAX: Final = 240
LINES_MAX: Final = 4  # below the first; the root is the last one
NOTES_MAX: Final = 2
CHAIN_MAX: Final = 50
# A class may replace these by its own, which raise.
traceback_of: Final[Callable[[BaseException], TracebackType | None]] = BaseException.__dict__[
    "__traceback__"
].__get__


def headline(error: BaseException, root: str) -> str:
    """Format an exception as the last line of a traceback, without notes.

    ``root``: the folder of the DAG's files. What they define has no module before its name.
    """
    name, text = name_of(type(error), root), message_of(error)
    if text.startswith("(its message"):
        return f"{name} {text}"
    return first_line(f"{name}: {text}") if text else name


def below(error: BaseException, root: str) -> list[str]:
    """Return the lines below the headline of an exception; empty if it has no notes and no causes."""
    try:
        lines = [*inside(error, root), *causes(error, root)]
        if len(lines) > LINES_MAX:
            left = len(lines) - LINES_MAX
            lines = [lines[0], f"… {left} more", *lines[1 - LINES_MAX :]]
        return [*notes(error), *lines]
    except Exception as second:
        return [f"(its causes cannot be shown: {type(second).__name__})"]


def notes(error: BaseException) -> list[str]:
    found = getattr(error, "__notes__", None)
    said = [note for note in found if isinstance(note, str)] if isinstance(found, list) else []
    return [short(f"note: {note}") for note in said[:NOTES_MAX]]


def inside(error: BaseException, root: str) -> list[str]:
    """Return a line for each exception of a group, also of groups in it."""
    if not isinstance(error, BaseExceptionGroup):
        return []
    leaves = list(leaves_of(error))
    return [
        short(f"{number} of {len(leaves)}: {placed(leaf, root)}")
        for number, leaf in enumerate(leaves, 1)
    ]


def leaves_of(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from leaves_of(each)
        else:
            yield each


def causes(error: BaseException, root: str) -> Iterator[str]:
    seen = {id(error)}
    while len(seen) < CHAIN_MAX:
        cause, word = error.__cause__, "caused by"
        if cause is None and not error.__suppress_context__:
            cause, word = error.__context__, "while handling"
        if cause is None or id(cause) in seen:
            return
        seen.add(id(cause))
        yield short(f"{word} {placed(cause, root)}")
        error = cause


def placed(error: BaseException, root: str) -> str:
    """Format an exception with where it was raised: ``ValueError: '12,5' in parse, orders.py:31``."""
    place = place_of(error, root)
    said = headline(error, root)
    room = LINE_CHARS_MAX - len(place) - len("while handling  in ")
    said = said if len(said) <= room else said[: room - 1] + "…"
    return f"{said} in {place}" if place else said


def place_of(error: BaseException, root: str) -> str:
    """Return function, file and line of the deepest frame in the DAG's files, or else of the deepest one."""
    place, own = "", False
    tb = traceback_of(error)
    while tb is not None:
        code = tb.tb_frame.f_code
        inside_root = code.co_filename.startswith(root + os.sep)
        if inside_root or not own:
            file = os.path.relpath(code.co_filename, root) if inside_root else code.co_filename
            shown = file if inside_root else os.sep.join(file.split(os.sep)[-2:])
            place, own = f"{code.co_name}, {shown}:{tb.tb_lineno}", inside_root
        tb = tb.tb_next
    return place


def name_of(kind: type, root: str) -> str:
    """Return the name of an exception's class, with its module unless Python, Headway or the DAG's files define it."""
    module = str(kind.__module__)
    if module in ("builtins", "__main__") or module.startswith(("headway.", "headway_dags_")):
        return kind.__qualname__
    return kind.__qualname__ if defined_in(module, root) else f"{module}.{kind.__qualname__}"


def defined_in(module: str, root: str) -> bool:
    file = getattr(sys.modules.get(module), "__file__", None)
    return isinstance(file, str) and file.startswith(root + os.sep)


def message_of(error: BaseException) -> str:
    """Return the message of an exception, whose ``__str__`` is the user's code."""
    try:
        return first_line(str(error))
    except BaseException as second:
        return f"(its message cannot be shown: {type(second).__name__})"


def first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= DETAIL_CHARS_MAX else line[: DETAIL_CHARS_MAX - 1] + "…"


def short(text: str) -> str:
    line = first_line(text)
    return line if len(line) <= LINE_CHARS_MAX else line[: LINE_CHARS_MAX - 1] + "…"
