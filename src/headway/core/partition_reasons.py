"""Reasons of partitions."""

from headway.core.holding import Facts
from headway.core.reason_kinds import Kind as K


class AwaitsPartitions(Facts, frozen=True, tag=K.AWAITS_PARTITIONS.value):
    """``partition``: the one that waits longest, empty: of none has anything arrived; ``missing``: first keys that it
    waits for, as asset and key; ``more``: how many others; ``needed``: how many of them are enough; ``pending``: how
    many partitions wait in all; ``late``: it has a run, and keys arrived again; ``limit``: nothing is missing, but the
    team has reached this limit; ``refused``: the last key that no partition takes, and why.
    """

    partition: str = ""
    missing: tuple[tuple[str, str], ...] = ()
    more: int = 0
    needed: int = 0
    pending: int = 0
    since: str = ""
    late: bool = False
    limit: str = ""
    closed: tuple[str, ...] = ()  # assets of other teams that no grant lets it use
    refused: str = ""
    due: str = ""  # when it was due, if it is overdue


class LatePartition(Facts, frozen=True, tag=K.LATE_PARTITION.value):
    """A key of an asset arrived for a partition that has a run already."""

    partition: str
    asset: str
    arrived: str


class OverduePartition(Facts, frozen=True, tag=K.OVERDUE_PARTITION.value):
    """A partition of a DAG was due and has no run. ``arrived``: something of it has arrived."""

    partition: str
    due: str
    arrived: bool
