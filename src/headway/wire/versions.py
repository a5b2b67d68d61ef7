"""Versions of a DAG, their source files, and differences."""

from datetime import datetime
from typing import Any

import msgspec


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


class SpecChange(msgspec.Struct, frozen=True, kw_only=True):
    """``what``: task added, removed or changed, or the field of the DAG that differs."""

    what: str
    path: str
    before: Any
    after: Any


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """``source_diff``: unified diff of the DAG file; ``reason``: why there is no diff."""

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    changes: list[SpecChange]
    source_diff: str
    reason: str | None
