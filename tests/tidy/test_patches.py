"""What a test puts in the place of something real is seen by nothing but what it tests.

A server that an earlier test left running, or the test's own, has threads in this process: a name
of the standard library that is replaced for one of them is replaced for all.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.tree import calls, dotted, name, nodes, python_files

PATCHERS: Final = ("patch.object", "monkeypatch.setattr", "mock.patch")
HARMLESS: Final = {
    ("sys", "path"): "a copy that has more",
    ("sys", "meta_path"): "refuses one package",
    ("os", "fstat"): "answers as the real one",
}
TESTS: Final = [file for file in python_files() if name(file).startswith(("tests/", "bench/"))]


def standard_modules(file: Path) -> set[str]:
    return {
        alias.asname or alias.name
        for node in nodes(file)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.partition(".")[0] in sys.stdlib_module_names
    }


def replaced_for_all(file: Path) -> Iterator[tuple[int, str, str]]:
    standard = standard_modules(file)
    for call in calls(file):
        if not dotted(call.func).endswith(PATCHERS) or not call.args:
            continue
        match call.args:
            case [ast.Constant(value=str(target)), *_]:
                owner, _, attribute = target.rpartition(".")
                if owner.partition(".")[0] in sys.stdlib_module_names:
                    yield call.lineno, owner, attribute
            case [owner, ast.Constant(value=str(attribute)), *_] if dotted(owner) in standard:
                yield call.lineno, dotted(owner), attribute


@pytest.mark.parametrize("file", TESTS, ids=name)
def test_nothing_of_the_standard_library_is_replaced_for_all_threads(file: Path) -> None:
    found = [each for each in replaced_for_all(file) if each[1:] not in HARMLESS]
    assert not found, "patch the name in the module that is tested"


def test_each_way_to_replace_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        "import selectors\nfrom unittest import mock\n"
        "mock.patch.object(selectors, 'DefaultSelector', 1)\n"
        "mock.patch('selectors.DefaultSelector', 1)\n"
        "monkeypatch.setattr(selectors, 'DefaultSelector', 1)\n"
        "monkeypatch.setattr('selectors.DefaultSelector', 1)\n"
        "mock.patch('headway.engine.scheduler.DefaultSelector', 1)\n"
    )
    assert [line for line, *_ in replaced_for_all(file)] == [3, 4, 5, 6]
