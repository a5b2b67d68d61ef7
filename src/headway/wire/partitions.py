"""Partitions that DAGs wait for, and those that assets have."""

from datetime import datetime

import msgspec


class MissingKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of an asset that a partition waits for: the first 50 of ``total``. ``needed``: so many of them complete
    it.
    """

    asset: str
    keys: list[str]
    total: int
    needed: int


class PendingPartition(msgspec.Struct, frozen=True, kw_only=True):
    """A partition of a DAG of which keys have arrived, or that is overdue, and that has no run yet.

    ``arrived``: numbers of keys by asset; ``late``: it has a run (``run_id``), and keys arrived again; ``starts_at``,
    ``ends_at``: the time it stands for; ``due_at``: when it was due, if it is overdue.
    """

    partition: str
    since: datetime
    latest_at: datetime
    late: bool
    run_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    arrived: dict[str, int]
    missing: list[MissingKeys]
    reason: str
    due_at: datetime | None = None


class AssetPartition(msgspec.Struct, frozen=True, kw_only=True):
    """A partition of an asset, with its last event. ``by`` says who reported one from outside."""

    partition: str
    event_id: int
    at: datetime
    run_id: str | None
    by: str | None
