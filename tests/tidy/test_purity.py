"""Time and chance have one door each, transactions one room, and talk one mouth."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Final

import pytest

from headway import clock, ids
from tests.tidy.tree import (
    SOURCE,
    calls,
    dotted,
    imports,
    name,
    parsed,
    python_files,
    source_files,
)

# Modules whose very import is a reading of a clock or a throw of dice.
IMPURE_MODULES: Final = {"time", "random", "secrets"}
IMPURE_CALLS: Final = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4", "os.urandom", "os.getrandom"),
}
DOORS: Final = {"src/headway/clock.py", "src/headway/ids.py"}

# Files that run inside the user's own process, where no decision is taken. Each with its reason.
EXEMPT: Final[dict[str, str]] = {
    "src/headway/authoring/macros.py": "functions that templates of a task call, as in Airflow",
}

# Who may end a transaction, and who may speak to a terminal.
COMMITS: Final = (
    "src/headway/loader/",
    "src/headway/engine/",
    "src/headway/actions/",
    "src/headway/up/",
    "src/headway/store/transact.py",
    "tests/",
    "bench/",
)
PRINTS: Final = (
    "src/headway/frontends/airflow/runs.py",  # into the log of the task that asks
    "src/headway/frontends/airflow/stores.py",
    "src/headway/frontends/airflow/comms.py",  # and of the wait
    "src/headway/cli/",
    "src/headway/agent/child",
    "src/headway/authoring/operators/",  # in a task, into its log
    # A process that cannot start or go on says why on stderr, which its supervisor keeps.
    "src/headway/agent/__main__.py",
    "src/headway/outbound/__main__.py",
    "src/headway/loader/loader.py",
    "src/headway/engine/scheduler.py",
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


# Time in SQL that no decision of the engine depends on.
SQL_CLOCKS: Final = {
    "src/headway/store/clock.py": "asks the source first",
    "src/headway/store/api_tokens.py": "how long a token is good",
    "src/headway/store/browser_sessions.py": "how long a session is good",
    "src/headway/store/run_links.py": "how long a link is good",
    "src/headway/store/grants.py": "when a grant was changed",
    "src/headway/store/people.py": "when somebody was locked out",
    "src/headway/store/moments.py": "when a follower looked, beside the snapshot",
    "src/headway/store/migrate.py": "when a migration was applied",
    "src/headway/store/views/": "what a person reads",
}
SQL_CLOCK: Final = re.compile(
    r"\b(clock_timestamp|statement_timestamp|transaction_timestamp|now|timeofday)\(\)"
    r"|\b(current_(date|time|timestamp)|localtime(stamp)?)\b"
    r"|\b(random|gen_random_uuid|uuidv[47])\(\)",
    re.IGNORECASE,
)


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Its strings, but for docstrings."""
    tree = parsed(file)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


def sql_clocks(file: Path) -> list[str]:
    return [
        f"{name(file)}:{line} {match[0]}"
        for line, text in texts(file)
        for match in SQL_CLOCK.finditer(text)
    ]


def test_sql_is_handed_the_time() -> None:
    stores = [file for file in source_files() if name(file).startswith("src/headway/store/")]
    judged = [file for file in stores if not name(file).startswith(tuple(SQL_CLOCKS))]
    assert [place for file in judged for place in sql_clocks(file)] == []
    idle = [
        place
        for place in SQL_CLOCKS
        if not any(sql_clocks(file) for file in stores if name(file).startswith(place))
    ]
    assert idle == []


@pytest.mark.parametrize(
    "text", ["SELECT now()", "at < clock_timestamp() - %(age)s", "CURRENT_TIMESTAMP", "random()"]
)
def test_the_check_sees_a_clock_in_sql(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "planted.py"
    file.write_text(f'ASK = """{text}"""')
    monkeypatch.setattr("tests.tidy.tree.ROOT", tmp_path)
    assert sql_clocks(file)


def test_every_clock_asks_the_source_when_it_is_called() -> None:
    """Whoever imported it, as a module or by its name, before or after: nobody can be missed."""
    assert {
        module.__name__: sorted(deaf(module, source))
        for module, source in ((clock, clock.Clock), (ids, ids.Chance))
    } == {"headway.clock": [], "headway.ids": []}


def deaf(module: ModuleType, source: type) -> set[str]:
    """Public functions of a door that answer without the source which is used."""
    doors = {
        name: function
        for name, function in vars(module).items()
        if isinstance(function, FunctionType)
        and function.__module__ == module.__name__
        and name != "use"
    }
    assert doors
    heard: list[str] = []
    answers = {name: lambda self, *_, name=name: heard.append(name) for name in doors}
    with module.use(type("Listening", (source,), answers)()):
        for function in doors.values():
            function(*[None] * function.__code__.co_argcount)
    return set(doors) - set(heard)


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
        if marker.search(file.read_text(encoding="utf-8"))  # few have: the others need no tokens
        for line, text in comments(file)
        if marker.search(text)
    ] == []
