"""The directory that ``initdb`` makes: there, complete and of our version, or not there at all."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from headway.errors import Conflict, HeadwayError, NotReachable, StorageFull
from headway.pg.account import ENVIRONMENT, Account, Spawn
from headway.pg.binaries import Binaries

SUPERUSER: Final = "headway"
DATABASE: Final = "headway"  # one that can be renamed away: a restore swaps it
FULL: Final = "No space left on device"

INITDB: Final = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C",
    # Who can reach the socket may log in, and only the account and root can: it lies in the
    # cluster's directory, which is 0700. Over the network nobody can, whatever is listening.
    "--auth-local=trust",
    "--auth-host=reject",
    "--no-instructions",
)


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
            "this is not the data directory of a PostgreSQL server",
            where=str(cluster),
            hint="move it away, or choose another directory with --data",
        ) from None
    if theirs != ours:
        raise Conflict(
            f"the data was written by PostgreSQL {theirs}, this is PostgreSQL {ours}",
            where=str(cluster),
            hint=f"back up with a Headway version that includes PostgreSQL {theirs}, then restore with this one",
        )


def create(cluster: Path, account: Account, binaries: Binaries) -> None:
    """Under another name first: a crash half way leaves nothing that looks like a cluster."""
    draft = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        account.give(draft)
        with account.entrance(draft) as (name, spawn):
            run([binaries.program("initdb"), f"--pgdata={name}", *INITDB], spawn)
            single = [binaries.program("postgres"), "--single", "-D", name, "template1"]
            run(single, spawn, f"CREATE DATABASE {DATABASE}\n")
    except HeadwayError as error:
        error.where = str(cluster)
        shutil.rmtree(draft, ignore_errors=True)
        raise
    draft.rename(cluster)
    sync(cluster.parent)


def run(command: list[str], spawn: Spawn, said: str = "") -> None:
    done = subprocess.run(
        command,
        input=said,
        cwd="/",
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        **spawn,
    )
    # A single-user server ends well even when what it was told did not.
    if done.returncode == 0 and "ERROR:" not in done.stderr:
        return
    if FULL in done.stderr:
        raise StorageFull("the disk is full", hint="free disk space, then start again")
    raise NotReachable(f"cannot create the database: {last_line(done.stderr)}")


def last_line(text: str) -> str:
    return next(iter(reversed(text.strip().splitlines())), "no reason given")


def sync(directory: Path) -> None:
    """Make a rename in it durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
