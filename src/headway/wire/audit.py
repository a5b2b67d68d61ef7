"""Who asked for what."""

from datetime import datetime
from typing import Any

import msgspec


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    at: datetime
    actor: str
    via: str
    action: str
    subject: str
    detail: dict[str, Any]
    address: str


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every entry is as it was written. ``broken_at``: the first that is not; ``removed``: how
    many of the oldest were removed by age, which the chain vouches for.
    """

    entries: int
    intact: bool
    broken_at: int | None
    removed: int = 0
