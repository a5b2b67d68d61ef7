"""The part of a log that says why an attempt failed. Pure."""

import re
from typing import Final

LINES_MAX: Final = 40
BEFORE: Final = 6
LINE_MAX: Final = 500
STAMP: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
# Colours and titles, as terminals know them: CSI and OSC sequences, and other controls but the tab.
CONTROL: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
TRACEBACK: Final = "Traceback (most recent call last)"
# Where the agent had laid the DAG's files: of a file in it, its name is what its author knows.
BUNDLE: Final = re.compile(r'(?<=File ")[^"\n]*/bundles/[^/"\n]+/(?=[^"\n]+", line \d)')


def excerpt(tail: str, detail: str | None) -> str | None:
    """From the last traceback, or some lines before the one that names the error; else the end.

    ``tail``: the end of a log, whose first line may be cut. None: there is nothing in it.
    """
    lines = [clean(line) for line in tail.splitlines()]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return None
    begin = beginning(lines, (detail or "").splitlines()[0] if detail else "")
    return "\n".join(lines[begin : begin + LINES_MAX])


def beginning(lines: list[str], said: str) -> int:
    for place in range(len(lines) - 1, -1, -1):
        if TRACEBACK in lines[place]:
            # A long one is cut in the middle of a stack: its end is what matters.
            return max(place, len(lines) - LINES_MAX)
    wanted = said[:100].strip()
    for place in range(len(lines) - 1, -1, -1):
        if wanted and wanted in lines[place]:
            return max(0, place - BEFORE)
    return max(0, len(lines) - LINES_MAX // 2)


def clean(line: str) -> str:
    return BUNDLE.sub("", CONTROL.sub("", STAMP.sub("", line)))[:LINE_MAX]
