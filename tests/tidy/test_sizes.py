"""Files and functions keep below the walls; what is beyond them may only shrink."""

import json
from typing import Final

from tests.tidy.tree import ROOT, functions, name, python_files

FILE_LINES: Final = 500
FUNCTION_LINES: Final = 70
KNOWN: Final = ROOT / "tests" / "tidy" / "sizes.json"


def excesses() -> dict[str, int]:
    found = {}
    for file in python_files():
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > FILE_LINES:
            found[name(file)] = lines
        for function in functions(file):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > FUNCTION_LINES:
                found[f"{name(file)}:{function.name}"] = lines
    return found


def test_nothing_grows_beyond_the_walls() -> None:
    known: dict[str, int] = json.loads(KNOWN.read_text(encoding="utf-8"))
    grown = {place: lines for place, lines in excesses().items() if lines > known.get(place, 0)}
    assert not grown, (
        f"longer than {FILE_LINES} lines a file or {FUNCTION_LINES} a function: divide it"
    )


def test_what_has_shrunk_stays_small() -> None:
    known: dict[str, int] = json.loads(KNOWN.read_text(encoding="utf-8"))
    found = excesses()
    stale = {
        place: found.get(place, 0) for place, lines in known.items() if found.get(place) != lines
    }
    assert not stale, (
        f"write these lower figures to {name(KNOWN)}, or remove the line where it is 0"
    )
