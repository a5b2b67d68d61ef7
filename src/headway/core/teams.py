"""The rules for names and settings of teams."""

import re
from decimal import Decimal
from typing import Final

NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
# Words that stand for something else where a team's name is expected: in grants, role maps, paths and options.
RESERVED: Final = frozenset({"all", "any", "headway", "lib", "new", "none", "platform", "system"})
TITLE_CHARS_MAX: Final = 100
SLOTS_MAX: Final = 2**31 - 1
WEIGHT: Final = Decimal(1)
WEIGHT_MAX: Final = 1000


def name_trouble(name: str) -> str | None:
    """Return why a team cannot have the name, or None."""
    if not NAME.fullmatch(name):
        return f"{name!r} is not a valid team name"
    if name in RESERVED:
        return f"{name!r} is reserved, so no team can have this name"
    return None


def title_trouble(title: str) -> str | None:
    if 1 <= len(title) <= TITLE_CHARS_MAX and title.isprintable():
        return None
    return f"a title must have 1 to {TITLE_CHARS_MAX} visible characters"


def slots_trouble(slots: int) -> str | None:
    return None if 0 <= slots <= SLOTS_MAX else f"slots must be 0 to {SLOTS_MAX:,}, not {slots:,}"


def weight_trouble(weight: float) -> str | None:
    """NaN compares as false, so it is refused too."""
    return (
        None
        if 0 < weight <= WEIGHT_MAX
        else f"a weight must be above 0 and at most {WEIGHT_MAX}, not {weight:g}"
    )
