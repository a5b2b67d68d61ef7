"""Questions of tasks and watchers for the state that they keep (ADR 74): their words, their limits, and their flaws.

State is kept by key in a *scope*: a task instance of a run, with all its attempts, or an asset of the team.
"""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from headway.spec.carried import flaw_of_date, flaw_of_text, flaws, place

KIND: Final = "state"
KEY_CHARS_MAX: Final = 512
VALUE_BYTES_MAX: Final = 1024 * 1024  # as JSON
KEYS_MAX: Final = 1_000  # of one scope
BYTES_MAX: Final = 16 * 1024 * 1024  # of the values of one scope
TEAM_BYTES_MAX: Final = 2 * 1024**3  # of all that a team keeps
NOTHING: Final = msgspec.Raw(b"null")


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``asset`` or ``uri``: of this asset, else of the task instance that asks. ``assets``: those of the watcher.

    ``expires_at``: the value may be removed from then on; None: not before its run, or its asset.
    """

    ask: Literal["get", "set", "delete", "clear", "assets"]
    key: str = ""
    asset: str | None = None
    uri: str | None = None
    value: msgspec.Raw = NOTHING
    expires_at: datetime | None = None

    @property
    def is_of_asset(self) -> bool:
        return self.asset is not None or self.uri is not None


DECODER: Final = msgspec.json.Decoder(Asked)


def flaw(asked: Asked) -> str | None:
    """Return what is wrong with a question, as a sentence without its period."""
    if asked.ask in ("get", "set", "delete") and (why := flaw_of_key(asked.key)) is not None:
        return f"the key of a state {why}"
    if any(flaw_of_text(text) for text in (asked.asset or "", asked.uri or "")):
        return "the name of the asset cannot be stored"
    if asked.ask != "set":
        return None
    if asked.expires_at is not None and (why := flaw_of_date(asked.expires_at)) is not None:
        return f"the expiry of the state {asked.key!r} {why}"
    if (why := flaw_of_value(bytes(asked.value))) is not None:
        return f"the state {asked.key!r} {why}"
    return None


def flaw_of_key(key: str) -> str | None:
    if not key:
        return "is empty"
    if len(key) > KEY_CHARS_MAX:
        return f"has {len(key):,} characters; the limit is {KEY_CHARS_MAX}"
    return flaw_of_text(key)


def flaw_of_value(body: bytes) -> str | None:
    """Return what is wrong with a value, as JSON."""
    if len(body) > VALUE_BYTES_MAX:
        return (
            f"has {len(body):,} bytes as JSON; the limit is {VALUE_BYTES_MAX:,}: "
            "keep it in a file or an object store, and its path here"
        )
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return "is not valid JSON"
    if value is None:
        return "is None; to remove a state, delete it"
    return next((f"{place(path)} {why}".strip() for path, why in flaws(value)), None)
