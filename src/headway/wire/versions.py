"""Versions of a DAG, their source files, and differences."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from headway.wire.bounds import said


class VersionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """``bundle_version``: of the latest run with this version, or of the next run."""

    version: int
    spec_hash: str
    bundle_version: str | None
    created_at: datetime
    runs: int
    last_run_at: datetime | None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A source file. ``others``: other files of the bundle; ``truncated``: the file is longer than shown."""

    file: str
    text: str
    bundle_version: str
    others: list[str]
    truncated: bool


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    change: Annotated[str, said(enum=("added", "removed", "changed"))]


class CodeChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the code of a DAG: of its specification, which gives another ``version``, or of ``files`` that its
    file imports. ``bundle_version``: None if it is not known any more.
    """

    number: int
    version: int
    bundle_version: str | None
    files: list[FileChange]
    created_at: datetime


class FileDiff(msgspec.Struct, frozen=True, kw_only=True):
    """``diff``: unified; None if the file is too long or its content was removed."""

    file: str
    diff: str | None


class SpecChange(msgspec.Struct, frozen=True, kw_only=True):
    """``what``: task added, removed or changed, or the field of the DAG that differs."""

    what: str
    path: str
    before: Any
    after: Any


class CodeDiff(msgspec.Struct, frozen=True, kw_only=True):
    """The difference between the code after two changes: in the specification, and in each imported file.

    ``since`` is None for the first change, with nothing to compare. ``reason``: why the files cannot be compared.
    """

    since: CodeChange | None
    change: CodeChange
    changes: list[SpecChange]
    files: list[FileDiff]
    reason: str | None


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """``source_diff``: unified diff of the DAG file; ``reason``: why there is no diff."""

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    changes: list[SpecChange]
    source_diff: str
    reason: str | None
