"""Roles in a team. Each role includes the ones before it."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    VIEWER = "viewer"  # sees everything that runs
    OPERATOR = "operator"  # starts, ends, repeats and marks it
    AUTHOR = "author"  # changes what can run
    ADMIN = "admin"  # pools, people, audit


ORDER: Final = tuple(Role)


def allows(role: Role, needed: Role) -> bool:
    return ORDER.index(role) >= ORDER.index(needed)


def lesser(one: Role, other: Role) -> Role:
    """A token never lets its bearer do more than the person who owns it may."""
    return min(one, other, key=ORDER.index)
