"""Processes that run as another user than ours: those of a team that has a user id of its own (``up.isolation``)."""

import os
from typing import Final, TypedDict

# What the environment says of the user who started the server.
PERSONAL: Final = (
    "USER",
    "LOGNAME",
    "MAIL",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
)


class Spawn(TypedDict, total=False):
    """Arguments of ``subprocess`` to start a program as another user."""

    user: int
    group: int
    extra_groups: list[int]
    cwd: str


def spawned_as(uid: int | None) -> Spawn:
    """Return how to start a program as a user who has a group of the same number, and no other; None: as ours."""
    if uid is None:
        return Spawn()
    return Spawn(user=uid, group=uid, extra_groups=[], cwd="/")


class Umask:
    """The modes of new files: ours are for nobody else, and the code of teams gets back what we were started with."""

    original = -1  # unchanged, as ``subprocess`` has it

    @classmethod
    def close(cls) -> None:
        cls.original = os.umask(0o077)
