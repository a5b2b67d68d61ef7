"""Files of a bundle, as they were when it was made: for reading, never beyond it.

A path is looked up among the files that the bundle has; nothing that a client says is ever joined
to a folder before it was found there.
"""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway.errors import NotFound
from headway.paths import bundle_root
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
    """Invalid UTF-8 is replaced. NotFound: no such bundle any more, or no such file in it."""
    root = bundle_root(data, bundle_version)
    files = listing(root)
    if not files:
        raise NotFound(
            "the files of this version are gone",
            hint="a bundle is kept for as long as a run or a DAG refers to it",
        )
    if file not in files:
        advice = did_you_mean(file, files) or f"it has {len(files):,} files"
        raise NotFound(f"the bundle has no file {file!r}", hint=advice)
    with open(root / file, "rb", opener=no_link) as opened:
        content = opened.read(TEXT_BYTES_MAX + 1)
    return SourceFile(
        file=file,
        text=content[:TEXT_BYTES_MAX].decode("utf-8", "replace"),
        others=[other for other in files if other != file],
        truncated=len(content) > TEXT_BYTES_MAX,
    )


def listing(root: Path) -> list[str]:
    """Relative paths with forward slashes, in order; links are not followed."""
    found = []
    for parent, folders, names in os.walk(root):
        folders.sort()
        here = Path(parent).relative_to(root)
        found += [(here / name).as_posix() for name in sorted(names)]
        if len(found) > FILES_MAX:
            break
    return found[:FILES_MAX]


def no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def difference(before: SourceFile, after: SourceFile) -> str | None:
    """Unified; None: too long to be compared."""
    old, new = before.text.splitlines(keepends=True), after.text.splitlines(keepends=True)
    if len(old) + len(new) > DIFF_LINES_MAX or before.truncated or after.truncated:
        return None
    return "".join(
        line if line.endswith("\n") else line + "\n"
        for line in difflib.unified_diff(old, new, before.file, after.file)
    )
