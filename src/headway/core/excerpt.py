"""The part of a log that says why an attempt failed. Pure."""

import re
from typing import Final

LINES_MAX: Final = 40
BEFORE: Final = 6
LINE_MAX: Final = 500
LOOKED_AT_MAX: Final = 4_000  # of a line, before what nobody should see is removed
STAMP: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
# Colours and titles, as terminals know them: CSI and OSC sequences, and other controls but the tab.
CONTROL: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
TRACEBACK: Final = "Traceback (most recent call last)"
GROUP: Final = "Exception Group Traceback (most recent call last)"
LINKED: Final = re.compile(
    r"The above exception was the direct cause of the following exception:"
    r"|During handling of the above exception, another exception occurred:"
)
# Where the agent had laid the DAG's files: of a file in it, its name is what its author knows.
BUNDLE: Final = re.compile(r'(?<=File ")[^"\n]*/bundles/[^/"\n]+/(?=[^"\n]+", line \d)')


def excerpt(tail: str, detail: str | None) -> str | None:
    """Return the last traceback with those of its causes, or some lines before the one that names the error; else
    the end.

    ``tail``: the end of a log, whose first line may be cut. None: there is nothing in it.
    """
    lines = [clean(line) for line in tail.splitlines()]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return None
    last = next((at for at in range(len(lines) - 1, -1, -1) if TRACEBACK in lines[at]), None)
    if last is not None:
        return "\n".join(shortened(lines, root_of(lines, last)))
    begin = beginning(lines, (detail or "").splitlines()[0] if detail else "")
    return "\n".join(lines[begin : begin + LINES_MAX])


def root_of(lines: list[str], last: int) -> int:
    """Return where the first traceback of a chain or of an exception group begins, of which ``last`` is the last."""
    begin, place = last, last - 1
    inside_group = lines[last].lstrip().startswith("|")
    while place >= 0:
        if GROUP in lines[place] and inside_group:
            begin, inside_group = place, lines[place].lstrip().startswith("|")
        elif TRACEBACK in lines[place] and any(LINKED.search(line) for line in lines[place:begin]):
            begin = place
        elif TRACEBACK in lines[place] and not inside_group:
            break
        place -= 1
    return begin


def shortened(lines: list[str], begin: int) -> list[str]:
    """Cut the middle of a long stack: the ends of the first exception and of the last one are what matters."""
    if len(lines) - begin <= LINES_MAX:
        return lines[begin:]
    links = (at for at in range(begin, len(lines)) if LINKED.search(lines[at]))
    root_end = next(links, None)
    if root_end is None:
        return lines[-LINES_MAX:]
    root = lines[max(begin, root_end - LINES_MAX // 2) : root_end]
    return [*root, "…", *lines[max(root_end, len(lines) - (LINES_MAX - 1 - len(root))) :]]


def beginning(lines: list[str], said: str) -> int:
    wanted = said[:100].strip()
    for place in range(len(lines) - 1, -1, -1):
        if wanted and wanted in lines[place]:
            return max(0, place - BEFORE)
    return max(0, len(lines) - LINES_MAX // 2)


def clean(line: str) -> str:
    return BUNDLE.sub("", CONTROL.sub("", STAMP.sub("", line[:LOOKED_AT_MAX])))[:LINE_MAX]
