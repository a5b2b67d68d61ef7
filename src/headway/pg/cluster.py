"""The directory that ``initdb`` makes: there, complete and of our version, or not there at all."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from headway.errors import Conflict, NotReachable, StorageFull
from headway.pg.account import ENVIRONMENT, Account
from headway.pg.binaries import Binaries

SUPERUSER: Final = "headway"
FULL: Final = "No space left on device"


def ensure(cluster: Path, account: Account, binaries: Binaries) -> None:
    if cluster.exists():
        check_version(cluster, binaries.major)
    else:
        create(cluster, account, binaries)


def check_version(cluster: Path, ours: int) -> None:
    try:
        theirs = int((cluster / "PG_VERSION").read_text())
    except (FileNotFoundError, ValueError):
        raise Conflict(
            "this is not the directory of a PostgreSQL server",
            where=str(cluster),
            hint="move it away, or choose another directory with --data",
        ) from None
    if theirs != ours:
        raise Conflict(
            f"the data was written by PostgreSQL {theirs}, this is PostgreSQL {ours}",
            where=str(cluster),
            hint=f"back up with a Headway that carries PostgreSQL {theirs}, restore with this one",
        )


def create(cluster: Path, account: Account, binaries: Binaries) -> None:
    """Under another name first: a crash half way leaves nothing that looks like a cluster."""
    draft = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    account.give(draft)
    with account.entrance(draft) as (name, spawn):
        done = subprocess.run(
            [
                binaries.program("initdb"),
                f"--pgdata={name}",
                f"--username={SUPERUSER}",
                "--encoding=UTF8",
                "--locale=C",
                # Who can reach the socket may log in, and only the account and root can: it lies
                # in a directory of mode 0700. Over the network nobody can, whatever is listening.
                "--auth-local=trust",
                "--auth-host=reject",
                "--no-instructions",
            ],
            cwd="/",
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            **spawn,
        )
    if done.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        if FULL in done.stderr:
            raise StorageFull("the disk is full", where=str(cluster), hint="make room, start again")
        raise NotReachable(
            f"the database could not be created: {last_line(done.stderr)}", where=str(cluster)
        )
    draft.rename(cluster)
    sync(cluster.parent)


def last_line(text: str) -> str:
    return next(iter(reversed(text.strip().splitlines())), "no reason given")


def sync(directory: Path) -> None:
    """Make a rename in it durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
