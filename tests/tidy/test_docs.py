"""The documents are true: their Python compiles, what is marked runs, what they name exists.

A block that starts with ```` ```python run ```` is executed in a process of its own.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.tree import ROOT, functions, name

COVERAGE: Final = ROOT / "docs" / "coverage.md"
BLOCK: Final = re.compile(
    r"^```python(?P<run> run)?[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
NAMED_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PAGE_TEST: Final = re.compile(r"`(ui/[\w/.-]+\.test\.ts)`")


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks() -> list[tuple[str, str, bool]]:
    """Each block's place, code, and whether it is to be run."""
    found = []
    for file in documents():
        text = file.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            code = "\n" * (line - 1) + match["code"]  # so that an error names the document's line
            found.append((f"{name(file)}:{line}", code, match["run"] is not None))
    return found


def test_code_blocks_compile() -> None:
    for place, code, _ in blocks():
        compile(code, place, "exec")


@pytest.mark.long
def test_marked_code_blocks_run(tmp_path: Path) -> None:
    failed = {}
    for place, code, run in blocks():
        if run:
            result = subprocess.run(
                [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
            )
            if result.returncode:
                failed[place] = result.stderr
    assert failed == {}


def coverage() -> list[str]:
    """The lines of its tables, without their heads."""
    lines = COVERAGE.read_text(encoding="utf-8").splitlines()
    return [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("| ") and not after.startswith("|---")
    ]


def test_every_line_of_the_coverage_names_a_test_or_what_is_missing() -> None:
    silent = [
        row
        for row in coverage()
        if not NAMED_TEST.search(row) and not PAGE_TEST.search(row) and "not yet" not in row.lower()
    ]
    assert silent == []


def test_each_requirement_has_one_line_in_the_coverage() -> None:
    """A merge of two changes of one line may leave both."""
    names = Counter(row.split("|")[1].strip() for row in coverage())
    assert [name for name, count in names.items() if count > 1] == []


def test_the_tests_that_the_coverage_names_exist() -> None:
    named = {match.groups() for row in coverage() for match in NAMED_TEST.finditer(row)}
    assert named
    assert [
        f"{path}::{test}"
        for path, test in sorted(named)
        if not (ROOT / path).exists()
        or test not in {function.name for function in functions(ROOT / path)}
    ] == []
    pages = {path for row in coverage() for path in PAGE_TEST.findall(row)}
    assert pages
    assert [path for path in sorted(pages) if not (ROOT / path).exists()] == []


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
    assert [
        f"{name(file)} -> {target}"
        for file in documents()
        for target in link.findall(file.read_text(encoding="utf-8"))
        if not (file.parent / target).exists()
    ] == []
