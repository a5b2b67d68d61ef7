"""The documents are true: their Python compiles, what is marked runs, what they name exists.

A block that starts with ```` ```python run ```` is executed in a process of its own.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.tidy.tree import ROOT, name

COVERAGE: Final = ROOT / "docs" / "coverage.md"
BLOCK: Final = re.compile(
    r"^```python(?P<run> run)?[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
TEST_PATH: Final = re.compile(r"\b(?:tests|bench)/[\w/.\-]*\w")


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


def test_every_line_of_the_coverage_names_a_test_that_exists() -> None:
    rows = [
        line
        for line in (COVERAGE.read_text(encoding="utf-8") if COVERAGE.exists() else "").splitlines()
        if re.match(r"\|\s*[A-Z]{1,4}-?\d+", line)
    ]
    unproven = [row for row in rows if not TEST_PATH.search(row)]
    missing = [
        path for row in rows for path in TEST_PATH.findall(row) if not (ROOT / path).exists()
    ]
    assert (unproven, missing) == ([], [])


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
    assert [
        f"{name(file)} -> {target}"
        for file in documents()
        for target in link.findall(file.read_text(encoding="utf-8"))
        if not (file.parent / target).exists()
    ] == []
