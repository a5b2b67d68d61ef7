"""Logs that are over: they go before their run, for as long as a team says.

A turn decides on at most so many runs in one transaction, and removes their files after its commit.
A crash between the two leaves files that nobody is shown any more: the first turn of the next life
removes them. A run that is opened again between the two keeps what its new attempts write.
"""

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from headway.config import Layout
from headway.core import log_retention as core
from headway.core.log_retention import Policy
from headway.errors import UsageError
from headway.paths import plain_name
from headway.store import log_retention as store
from headway.store.transact import transact

log = logging.getLogger(__name__)

VARIABLE: Final = "HEADWAY_LOG_DAYS"
RUNS_MAX: Final = 100
REPEAT: Final = timedelta(days=2)  # files of decisions so late may be left by a crash


def of_installation(environment: Mapping[str, str] = os.environ) -> Policy:
    """What holds for a team that says nothing."""
    return Policy(days_of(environment.get(VARIABLE), VARIABLE))


def days_of(text: str | None, variable: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= core.DAYS_MAX:
        raise UsageError(
            f"{text!r} is no number of days to keep logs",
            where=variable,
            hint=f"give 1 to {core.DAYS_MAX}, or leave it out: as long as the run",
        )
    return int(text)


def policy_of(conn: Connection[Any], team_id: int) -> Policy:
    """What holds for a team."""
    return core.in_effect(store.policy(conn, team_id), of_installation())


def change(conn: Connection[Any], team_id: int, wanted: Policy) -> None:
    wrong = core.refusal(wanted)
    if wrong is not None:
        raise UsageError(wrong, hint="default: what the installation says")
    store.set_policy(conn, team_id, wanted)


class LogSweep:
    """What the janitor does about logs. ``begin`` once, then ``work``."""

    def __init__(self, conn: Connection[Any], layout: Layout, installation: Policy) -> None:
        self.conn = conn
        self.layout = layout
        self.installation = installation

    def begin(self, now: datetime) -> None:
        """What the life before decided and did not come to do."""
        for run_id, at in transact(self.conn, store.removed_since, now - REPEAT):
            self.remove_files(run_id, at)

    def work(self, now: datetime) -> bool:
        """One batch of each team. Whether there is more."""
        more = False
        for team_id, wish in transact(self.conn, store.policies):
            policy = core.in_effect(wish, self.installation)
            if policy.days is None:
                continue
            older_than = now - timedelta(days=policy.days)
            gone = transact(self.conn, store.remove, team_id, older_than, now, RUNS_MAX)
            for run_id in gone:
                self.remove_files(run_id, now)
            if gone:
                kept = core.counted(policy.days)
                log.info("logs of %d runs removed: they ended more than %s ago", len(gone), kept)
            more = more or len(gone) == RUNS_MAX
        return more

    def remove_files(self, run_id: str, decided_at: datetime) -> None:
        remove_logs(self.layout.logs / plain_name(run_id), decided_at - core.MARGIN)


def remove_logs(folder: Path, before: datetime) -> None:
    """The logs below ``folder`` that were last written before then, and the folders that this empties.

    What each attempt got is told in another file, which stays as long as the run. No link is followed.
    """
    with suppress(FileNotFoundError):
        for _, folders, names, place in os.fwalk(folder, topdown=False):
            for name in names:
                if name.endswith(".log"):
                    remove_log(name, place, before.timestamp())
            for name in folders:
                with suppress(OSError):  # it holds something
                    os.rmdir(name, dir_fd=place)
    with suppress(OSError):
        folder.rmdir()


def remove_log(name: str, place: int, before: float) -> None:
    try:
        if os.stat(name, dir_fd=place, follow_symlinks=False).st_mtime < before:
            os.unlink(name, dir_fd=place)
    except OSError as error:
        log.warning("a log cannot be removed: %s: %s", name, error.strerror)
