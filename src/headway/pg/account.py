"""Whom the server runs as.

PostgreSQL refuses to run as root, and rightly. For root the server therefore runs as the owner of
the data directory or, where that is root too, as ``nobody``: no account is created. Such a user
often cannot walk to the data directory (``/root`` is 0700), and no permission of a parent directory
is ours to widen. So root opens the cluster's directory and hands it over as a file descriptor:
``/proc/self/fd/N`` leads to it without a walk. The parents stay closed, for it and for all others.
"""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from headway.errors import NotAllowed


class Spawn(TypedDict, total=False):
    """Arguments of ``subprocess`` to start a program as another user."""

    user: int
    group: int
    extra_groups: list[int]
    pass_fds: tuple[int, ...]


# What a program of the server gets to see of our environment, which may hold secrets: nothing.
ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    def give(self, directory: Path) -> None:
        if not self.is_ours:
            os.chown(directory, self.uid, self.gid)

    def may_reach(self, path: Path) -> bool:
        """Return whether the account can reach ``path`` with the rights of others."""
        return self.is_ours or all(step.stat().st_mode & 0o001 for step in path.resolve().parents)

    @contextmanager
    def entrance(self, directory: Path) -> Iterator[tuple[str, Spawn]]:
        """The name by which the account's programs open ``directory``, and how to start them."""
        if self.is_ours:
            yield str(directory), Spawn()
            return
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield (
                f"/proc/self/fd/{handle}",
                Spawn(user=self.uid, group=self.gid, extra_groups=[], pass_fds=(handle,)),
            )
        finally:
            os.close(handle)


def account_for(cluster: Path) -> Account:
    """Return the account that runs the server of this cluster, which may not exist yet."""
    uid = os.geteuid()
    owner = (cluster if cluster.exists() else cluster.parent).stat()
    if uid != 0:
        if cluster.exists() and owner.st_uid != uid:
            raise NotAllowed(
                f"the data directory belongs to {user_name(owner.st_uid)}",
                where=str(cluster),
                hint=f"start Headway as {user_name(owner.st_uid)}, or choose another directory with --data",
            )
        return Account(uid, os.getegid())
    if not sys.platform.startswith("linux"):
        raise NotAllowed(
            "PostgreSQL does not run as root",
            hint="start Headway as an ordinary user, or use your own database with --database-url",
        )
    return ordinary(owner.st_uid) or nobody()


def ordinary(uid: int) -> Account | None:
    """The account of a user whom the system knows, as PostgreSQL demands, and who is not root."""
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return None
    return None if uid == 0 else Account(found.pw_uid, found.pw_gid)


def nobody() -> Account:
    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        raise NotAllowed(
            "PostgreSQL does not run as root, and this system has no user 'nobody'",
            hint="change the owner of the data directory to an ordinary user with chown, or start Headway as one",
        ) from None
    return Account(found.pw_uid, found.pw_gid)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
