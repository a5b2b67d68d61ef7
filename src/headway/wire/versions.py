"""Versions of a DAG: what they were, what they were made from, how two differ."""

from datetime import datetime
from typing import Any

import msgspec


class VersionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """``bundle_version``: of the latest run that had it, or the one new runs get."""

    version: int
    spec_hash: str
    bundle_version: str | None
    created_at: datetime
    runs: int
    last_run_at: datetime | None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was. ``others``: the files beside it; ``truncated``: it is longer than shown."""

    file: str
    text: str
    bundle_version: str
    others: list[str]
    truncated: bool


class SpecChange(msgspec.Struct, frozen=True, kw_only=True):
    """``what``: task added, task removed, task changed, or the field of the DAG that differs."""

    what: str
    path: str
    before: Any
    after: Any


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """``source_diff``: of the DAG's file, unified; ``reason``: why there is none."""

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    changes: list[SpecChange]
    source_diff: str
    reason: str | None
