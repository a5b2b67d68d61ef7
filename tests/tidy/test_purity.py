"""Time and chance have one door each, transactions one room, and talk one mouth."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.tree import SOURCE, calls, dotted, imports, name, python_files, source_files

# Modules whose very import is a reading of a clock or a throw of dice.
IMPURE_MODULES: Final = {"time", "random", "secrets"}
IMPURE_CALLS: Final = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4", "os.urandom", "os.getrandom"),
}
DOORS: Final = {"src/headway/clock.py", "src/headway/ids.py"}

# Files that run inside the user's own process, where no decision is taken. Each with its reason.
EXEMPT: Final[dict[str, str]] = {}

# Who may end a transaction, and who may speak to a terminal.
COMMITS: Final = ("src/headway/services/", "src/headway/store/transact.py", "tests/", "bench/")
PRINTS: Final = (
    "src/headway/cli/",
    "src/headway/agent/child",
    # A process that cannot start or go on says why on stderr, which its supervisor keeps.
    "src/headway/agent/__main__.py",
    "src/headway/services/loader.py",
    "src/headway/services/scheduler.py",
    "src/headway/spec/schema.py",
    "tests/",
    "bench/",
    "examples/",
)


def impure(file: Path) -> list[str]:
    found = [
        f"{name(file)}:{line} imports {module}"
        for module, line in imports(file)
        if module.partition(".")[0] in IMPURE_MODULES
    ]
    found += [
        f"{name(file)}:{call.lineno} calls {dotted(call.func)}"
        for call in calls(file)
        if dotted(call.func) in IMPURE_CALLS
        or dotted(call.func).removeprefix("datetime.") in IMPURE_CALLS
    ]
    return found


def test_only_the_doors_read_clocks_and_draw_chance() -> None:
    judged = [f for f in source_files() if name(f) not in DOORS and name(f) not in EXEMPT]
    assert [place for file in judged for place in impure(file)] == []


def test_every_exemption_is_needed() -> None:
    idle = [file for file in EXEMPT if not (SOURCE.parents[1] / file).exists()]
    idle += [name(f) for f in source_files() if name(f) in EXEMPT and not impure(f)]
    assert idle == []


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from random import choice",
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "uuid4()",
        "uuid.uuid4()",
        "os.urandom(8)",
    ],
)
def test_the_check_sees_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "planted.py"
    file.write_text(text)
    monkeypatch.setattr("tests.tidy.tree.ROOT", tmp_path)
    assert impure(file)


def test_only_services_and_transact_end_transactions() -> None:
    assert [
        f"{name(file)}:{call.lineno} {call.func.attr}("
        for file in python_files()
        if not name(file).startswith(COMMITS)
        for call in calls(file)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"commit", "rollback", "transaction"}
    ] == []


def test_only_the_command_line_and_tasks_print() -> None:
    assert [
        f"{name(file)}:{call.lineno}"
        for file in python_files()
        if not name(file).startswith(PRINTS)
        for call in calls(file)
        if dotted(call.func) == "print"
    ] == []


def comments(file: Path) -> Iterator[tuple[int, str]]:
    with file.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def test_what_is_left_to_do_is_linked() -> None:
    marker = re.compile(r"\b(TODO|FIXME|XXX)\b(?!.*https?://)")
    assert [
        f"{name(file)}:{line} {text}"
        for file in python_files()
        for line, text in comments(file)
        if marker.search(text)
    ] == []
