"""Zipped DAGs: found as Airflow finds them, and refused file by file. Headway reads files, not archives."""

import io
import zipfile
from pathlib import PurePosixPath
from typing import Final

from headway.frontends.airflow import ignore
from headway.spec.errors import BadSpec, listing

SUFFIX: Final = ".zip"
TEXT_BYTES_MAX: Final = 1024 * 1024  # that are looked at of one file
FILES_MAX: Final = 200  # that are looked at of one archive
ENTRIES_MAX: Final = 20_000  # of an archive that is looked at
ENTRY: Final = b"PK\x01\x02"  # begins each in the list of an archive
WORDS: Final = (b"airflow", b"dag")


def dag_files(content: bytes) -> list[str]:
    """Return the Python files at the root of an archive that Airflow would read for DAGs."""
    if content.count(ENTRY) > ENTRIES_MAX:
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [info.filename for info in archive.infolist() if is_at_root(info.filename)]
            texts = {name: text_in(archive, name) for name in names[:FILES_MAX]}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
        return []
    rules = texts.pop(ignore.FILE, b"").decode("utf-8", "replace")
    found = [name for name, text in texts.items() if all(w in text.lower() for w in WORDS)]
    try:
        left_out = ignore.ignored({ignore.FILE: rules}, found) if rules and found else set()
    except BadSpec:
        left_out = set()
    return sorted(name for name in found if name not in left_out)


def is_at_root(name: str) -> bool:
    return "/" not in name and (name.endswith(".py") or name == ignore.FILE)


def text_in(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(TEXT_BYTES_MAX)


def refusal(file: str, content: bytes) -> BadSpec:
    """Return what is to be said of an archive with DAG files: which they are, and how they run."""
    inside = dag_files(content)
    folder = PurePosixPath(file).with_suffix("")
    what = "DAG file is" if len(inside) == 1 else "DAG files are"
    return BadSpec(
        f"the zipped {what} not read: {listing(inside)}",
        file=file,
        hint=f"unpack it beside itself, and remove it: unzip {file} -d {folder}",
    )
