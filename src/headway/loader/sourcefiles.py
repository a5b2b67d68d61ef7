"""Reads files of a bundle, and only those.

A path is looked up in the list of the bundle's files; a client's input is never joined to a folder
before it was found there.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway import bundle
from headway.errors import NotFound
from headway.spec.errors import did_you_mean

TEXT_BYTES_MAX: Final = 1024 * 1024
FILES_MAX: Final = 5_000
DIFF_LINES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    file: str
    text: str
    others: list[str]
    truncated: bool


def read(data: Path, bundle_version: str, file: str) -> SourceFile:
    """Read a file; invalid UTF-8 is replaced. Raises NotFound if bundle or file do not exist, Lost if the
    content is lost.
    """
    entries = bundle.read_list(data, bundle_version)
    if file not in entries:
        advice = did_you_mean(file, entries) or f"it has {len(entries):,} files"
        raise NotFound(f"the bundle has no file {file!r}", hint=advice)
    content = bundle.read_blob(data, file, entries[file])
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
    """Return a unified diff, or None if the files are too long."""
    old, new = before.text.splitlines(keepends=True), after.text.splitlines(keepends=True)
    if len(old) + len(new) > DIFF_LINES_MAX or before.truncated or after.truncated:
        return None
    return "".join(
        line if line.endswith("\n") else line + "\n"
        for line in difflib.unified_diff(old, new, before.file, after.file)
    )
