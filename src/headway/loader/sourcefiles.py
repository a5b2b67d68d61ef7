"""Reads files of a bundle, and only those.

A path is looked up in the list of the bundle's files; a client's input is never joined to a folder
before it was found there.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway import bundle, frontends
from headway.errors import NotFound
from headway.spec.errors import did_you_mean

TEXT_BYTES_MAX: Final = 1024 * 1024
FILES_MAX: Final = 5_000
DIFF_LINES_MAX: Final = 20_000
DIFF_PAIRS_MAX: Final = 10_000_000  # of equal lines that are looked at: about a second


@dataclass(frozen=True, slots=True)
class SourceFile:
    file: str
    text: str
    others: list[str]
    truncated: bool


def read(data: Path, bundle_version: str, file: str) -> SourceFile:
    """Read the text of a file; invalid UTF-8 is replaced. Raises NotFound if bundle or file do not exist, Lost if the
    content is lost.
    """
    entries = bundle.read_list(data, bundle_version)
    if file not in entries:
        advice = did_you_mean(file, entries) or f"it has {len(entries):,} files"
        raise NotFound(f"the bundle has no file {file!r}", hint=advice)
    content = bundle.read_blob(data, file, entries[file])
    if (front_end := frontends.claimant(file, content)) is not None:
        content = front_end.text(content)
    others = [other for other in entries if other != file]
    return SourceFile(
        file=file,
        text=content[:TEXT_BYTES_MAX].decode("utf-8", "replace"),
        others=others[:FILES_MAX],
        truncated=len(content) > TEXT_BYTES_MAX,
    )


def read_or_empty(data: Path, bundle_version: str, file: str) -> SourceFile:
    """Like `read`, for a file that need not be in the bundle: its text is empty then."""
    entries = bundle.read_list(data, bundle_version)
    if file not in entries:
        return SourceFile(file=file, text="", others=[], truncated=False)
    return read(data, bundle_version, file)


def difference(before: SourceFile, after: SourceFile) -> str | None:
    """Return a unified diff, or None if the files are too long, or of lines that repeat too often."""
    old, new = before.text.splitlines(keepends=True), after.text.splitlines(keepends=True)
    if len(old) + len(new) > DIFF_LINES_MAX or before.truncated or after.truncated:
        return None
    if takes_too_long(old, new):
        return None
    return "".join(
        line if line.endswith("\n") else line + "\n"
        for line in difflib.unified_diff(old, new, before.file, after.file)
    )


class Bounded(difflib.SequenceMatcher[str]):
    """Finds equal lines as ``difflib`` does, and counts the pairs. Raises TimeoutError above a number of them."""

    def __init__(self, old: Sequence[str], new: Sequence[str], pairs_max: int) -> None:
        super().__init__(None, old, new)
        self.pairs_left = pairs_max
        self.before = [0]  # pairs of the lines before each
        times = Counter(new)
        popular = max(200, len(new)) // 100 + 1  # lines that are there more often are not compared
        for line in old:
            pairs = times[line] if times[line] <= popular else 0
            self.before.append(self.before[-1] + 1 + pairs)

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> difflib.Match:
        end = len(self.before) - 1 if ahi is None else ahi
        self.pairs_left -= self.before[end] - self.before[alo]
        if self.pairs_left < 0:
            raise TimeoutError
        return super().find_longest_match(alo, ahi, blo, bhi)


def takes_too_long(old: Sequence[str], new: Sequence[str]) -> bool:
    """Return whether the comparison would keep a thread of the API busy for long, as texts made for it can."""
    try:
        Bounded(old, new, DIFF_PAIRS_MAX).get_matching_blocks()
    except TimeoutError:
        return True
    return False
