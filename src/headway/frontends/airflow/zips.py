"""Zipped DAGs: the Python files at the root of an archive, which import packages inside of it, as in Airflow.

Airflow's runner reads them as it does; here are the files that are looked at, and the bounds of an archive: Python's
own import of archives unpacks whatever a member holds, so each is unpacked here first, up to its limit.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Final

from headway.frontends.airflow import ignore, may_define_dags
from headway.spec.errors import BadSpec

SUFFIX: Final = ".zip"
TEXT_BYTES_MAX: Final = 1024 * 1024  # that are looked at of one file
FILES_MAX: Final = 200  # that are looked at of one archive
MEMBERS_MAX: Final = 10_000
BYTES_MAX: Final = 256 * 1024 * 1024  # of all members, unpacked
TEXTS_BYTES_MAX: Final = 16 * 1024 * 1024  # of all of them
ENTRY: Final = b"PK\x01\x02"  # before each in the list of an archive
HEAD_BYTES: Final = 30  # before the name of a member
BROKEN: Final = (
    zipfile.BadZipFile,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    EOFError,
    zlib.error,
)


def dag_files(content: bytes) -> list[str]:
    """Return the Python files at the root of an archive that Airflow would read for DAGs."""
    return sorted(texts_of(content))


def texts_of(content: bytes) -> dict[str, bytes]:
    """Return those files by their names; nothing if it is not an archive, or has too many files."""
    if content.count(ENTRY) > MEMBERS_MAX:
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [info.filename for info in archive.infolist() if is_at_root(info.filename)]
            texts, left = {}, TEXTS_BYTES_MAX
            for name in names[:FILES_MAX]:
                texts[name] = text_in(archive, name, min(left, TEXT_BYTES_MAX))
                left -= len(texts[name])
    except BROKEN:
        return {}
    rules = texts.pop(ignore.FILE, b"").decode("utf-8", "replace")
    found = {name: text for name, text in texts.items() if may_define_dags(text)}
    try:
        left_out = ignore.ignored({ignore.FILE: rules}, found) if rules and found else set()
    except BadSpec:
        left_out = set()
    return {name: text for name, text in found.items() if name not in left_out}


def shown(content: bytes) -> bytes:
    """Return the DAG files for people: the text of the only one, or each below its name."""
    texts = sorted(texts_of(content).items())
    if len(texts) == 1:
        return texts[0][1]
    return b"\n".join(b"# %s\n\n%s" % (name.encode(), text) for name, text in texts)


def is_at_root(name: str) -> bool:
    return "/" not in name and (name.endswith(".py") or name == ignore.FILE)


def text_in(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        return file.read(most)


def sources(path: Path, file: str) -> dict[str, bytes]:
    """Return the DAG files of the archive by their names. Raises BadSpec if it is too large or damaged."""
    content = path.read_bytes()
    try:
        check(content)
    except TooLarge as error:
        raise BadSpec(str(error), file=file, hint="keep data outside of the archive") from None
    except BROKEN as error:
        raise BadSpec(
            f"the archive is damaged: {error}", file=file, hint="make it again, and try: unzip -t"
        ) from None
    return texts_of(content)


class TooLarge(Exception):
    """The archive holds more than may be unpacked."""


def check(content: bytes) -> None:
    """Raise TooLarge, or one of BROKEN. What a member says of its own size is not trusted."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if len(members) > MEMBERS_MAX:
            raise TooLarge(f"the archive has more than {MEMBERS_MAX:,} files")
        left = BYTES_MAX
        for member in members:
            left -= unpacked_size(content, member, left)
            if left < 0:
                raise TooLarge(f"the archive unpacks to more than {BYTES_MAX >> 20} MB")


def unpacked_size(content: bytes, member: zipfile.ZipInfo, most: int) -> int:
    """Return how many bytes a member has, as an import would unpack it; more than ``most`` if it is too many."""
    head = content[member.header_offset : member.header_offset + HEAD_BYTES]
    begin = member.header_offset + HEAD_BYTES
    begin += int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    data = memoryview(content)[begin : begin + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        return len(data)
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise NotImplementedError(
            f"{member.filename} is compressed in a way that Python does not import"
        )
    unpack, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    rest: bytes | memoryview = data
    while rest and not unpack.eof and size <= most:
        size += len(unpack.decompress(rest, TEXT_BYTES_MAX))
        rest = unpack.unconsumed_tail
    return size
