"""Questions of tasks about the variables of their team, beside one value: set one, delete one, list their keys."""

from typing import Final, Literal

import msgspec

from headway.spec.carried import flaw_of_text

KIND: Final = "variables"
VALUE_CHARS_MAX: Final = 64_000
DESCRIPTION_CHARS_MAX: Final = 4_000
KEYS_MAX: Final = 10_000  # of a team, once tasks set them
BYTES_MAX: Final = 16 * 1024 * 1024  # of their values and descriptions, as far as tasks fill it
PAGE_MAX: Final = 10_000


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``description``: None leaves the one that is there. ``prefix``, ``limit``, ``offset``: of the keys to list."""

    ask: Literal["set", "delete", "keys"]
    key: str = ""
    value: str = ""
    description: str | None = None
    prefix: str = ""
    limit: int = 1_000
    offset: int = 0


class Keys(msgspec.Struct, frozen=True):
    """One page of keys, in their order; ``total``: on all pages."""

    keys: list[str]
    total: int


DECODER: Final = msgspec.json.Decoder(Asked)


def flaw(asked: Asked) -> str | None:
    """Return what is wrong with a question, as a sentence without its period."""
    for text, words, most in (
        (asked.key, "the key of the variable", VALUE_CHARS_MAX),
        (asked.value, f"the value of the variable {asked.key!r:.80}", VALUE_CHARS_MAX),
        (asked.description or "", "the description of the variable", DESCRIPTION_CHARS_MAX),
        (asked.prefix, "the prefix of keys", VALUE_CHARS_MAX),
    ):
        if len(text) > most:
            return f"{words} has {len(text):,} characters; the limit is {most:,}"
        if why := flaw_of_text(text):
            return f"{words} {why}"
    if not 0 < asked.limit <= PAGE_MAX or not 0 <= asked.offset <= KEYS_MAX:
        return f"a page has 1 to {PAGE_MAX:,} keys"
    return None
