"""The audit."""

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


class WordedEntry(AuditEntry, frozen=True, kw_only=True):
    """An entry for people. ``words``: what the actor did, as a sentence without its subject."""

    words: str


class AuditRecord(AuditEntry, frozen=True, kw_only=True):
    """An entry as it is exported. ``chain``: the hash of this entry and of the one before."""

    chain: str


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Result of verifying the audit. ``broken_at``: the first changed entry; ``removed``: the number of
    oldest entries that retention removed, as the hash chain confirms.
    """

    entries: int
    intact: bool
    broken_at: int | None
    removed: int = 0
