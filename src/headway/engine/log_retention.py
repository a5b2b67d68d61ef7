"""Removes logs before their run, after the time that the team chose.

A turn decides on at most so many runs in one transaction; after its commit a thread removes their
files. A crash between the two leaves files that nobody is shown any more: the janitor's next life
removes them. A run that is opened again between the two keeps what its new attempts write. What is
in the log store is removed there by who ships logs; what it has whole may go from this machine before.
"""

import logging
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from headway import clock
from headway.agent.logs import FINISHED
from headway.config import Layout
from headway.core import log_retention as core
from headway.core.log_retention import Policy
from headway.engine.removals import Removals
from headway.errors import UsageError
from headway.logs import unwanted
from headway.logs.unwanted import Unwanted
from headway.paths import plain_name
from headway.store import log_retention as store
from headway.store.teams import Team
from headway.store.transact import in_team, transact

log = logging.getLogger(__name__)

VARIABLE: Final = "HEADWAY_LOG_DAYS"
LOCAL_VARIABLE: Final = "HEADWAY_LOG_LOCAL_DAYS"
RUNS_MAX: Final = 100
ALL_AGAIN_S: Final = 86_400.0  # what was not shipped when it was looked at
BEGINNING: Final = (datetime.min.replace(tzinfo=UTC), "")


def of_installation(environment: Mapping[str, str] = os.environ) -> Policy:
    """The defaults for teams without own settings."""
    return Policy(*(days_of(environment.get(name), name) for name in (VARIABLE, LOCAL_VARIABLE)))


def days_of(text: str | None, variable: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= core.DAYS_MAX:
        raise UsageError(
            f"{text!r} is not a valid number of days to keep logs",
            where=variable,
            hint=f"set 1 to {core.DAYS_MAX}, or leave it unset to keep logs as long as their run",
        )
    return int(text)


def policy_of(conn: Connection[Any], team_id: int) -> Policy:
    """Return the settings of a team."""
    return core.in_effect(store.policy(conn, team_id), of_installation())


def change(conn: Connection[Any], team_id: int, wanted: Policy) -> None:
    wrong = core.refusal(wanted)
    if wrong is not None:
        raise UsageError(wrong, hint="default: what the installation says")
    store.set_policy(conn, team_id, wanted)


class LogSweep:
    """The janitor's part for logs."""

    def __init__(
        self,
        conn: Connection[Any],
        layout: Layout,
        removals: Removals,
        installation: Policy,
        *,
        ships_logs: bool,
    ) -> None:
        self.conn = conn
        self.layout = layout
        self.removals = removals
        self.installation = installation
        self.ships_logs = ships_logs
        self.thinned: dict[int, tuple[datetime, str]] = {}  # by team: up to which run
        self.all_again_at = clock.monotonic() + ALL_AGAIN_S

    def work(self, team: Team, now: datetime) -> bool:
        """Do one batch of a team. Whether there is more."""
        if clock.monotonic() > self.all_again_at:
            self.thinned.clear()
            self.all_again_at = clock.monotonic() + ALL_AGAIN_S
        if self.removals.room() < 2 * RUNS_MAX:
            return True
        wish = transact(self.conn, in_team, team.team_id, store.policy)
        policy = core.in_effect(wish, self.installation)
        more = policy.days is not None and self.expire(team, policy.days, now)
        if policy.local_days is not None and self.ships_logs:
            more |= self.thin(team.team_id, policy.local_days, now)
        return more

    def expire(self, team: Team, days: int, now: datetime) -> bool:
        older_than = now - timedelta(days=days)
        gone = transact(self.conn, in_team, team.team_id, store.remove, older_than, now, RUNS_MAX)
        for run_id in gone:
            self.removals.add(partial(self.remove, team.name, run_id, now))
        if gone:
            kept = core.counted(days)
            log.info("logs of %d runs removed: they ended more than %s ago", len(gone), kept)
        return len(gone) == RUNS_MAX

    def thin(self, team_id: int, days: int, now: datetime) -> bool:
        """Remove logs from this machine that are complete in the log store. No data is lost by it."""
        after, older_than = self.thinned.get(team_id, BEGINNING), now - timedelta(days=days)
        ended = transact(self.conn, in_team, team_id, store.ended, after, older_than, RUNS_MAX)
        for _, run_id in ended:
            folder = self.layout.logs / plain_name(run_id)
            self.removals.add(partial(remove_logs, folder, Shipped(now - core.MARGIN)))
        if ended:
            self.thinned[team_id] = ended[-1]
        return len(ended) == RUNS_MAX

    def remove(self, team: str, run_id: str, decided_at: datetime) -> None:
        before = decided_at - core.MARGIN
        remove_logs(self.layout.logs / plain_name(run_id), Older(before))
        self.forget(team, run_id, before)

    def forget(self, team: str, run_id: str, before: datetime | None = None) -> None:
        """Ask the shipper to remove logs in the log store. On a full disk, the next process asks again."""
        if not self.ships_logs:
            return
        try:
            unwanted.ask(self.layout, Unwanted(team, run_id, before))
        except OSError as error:
            log.warning("cannot tell the shipper which logs to remove: %s", error)


@dataclass(frozen=True, slots=True)
class Older:
    before: datetime

    def __call__(self, log: os.stat_result) -> bool:
        return log.st_mtime < self.before.timestamp()


@dataclass(frozen=True, slots=True)
class Shipped:
    """The test that a log is complete in the log store: it is final and no longer in the spool."""

    before: datetime

    def __call__(self, log: os.stat_result) -> bool:
        is_finished = stat.S_IMODE(log.st_mode) == FINISHED
        return is_finished and log.st_nlink == 1 and log.st_mtime < self.before.timestamp()


def remove_logs(folder: Path, is_over: Callable[[os.stat_result], bool]) -> None:
    """Remove the logs below ``folder`` that are complete in the log store, and the folders that become empty.

    Rendered fields are in another file, which stays as long as the run. Links are not followed.
    """
    with suppress(FileNotFoundError):
        for _, folders, names, place in os.fwalk(folder, topdown=False):
            for name in names:
                if name.endswith(".log"):
                    remove_log(name, place, is_over)
            for name in folders:
                with suppress(OSError):  # it holds something
                    os.rmdir(name, dir_fd=place)
    with suppress(OSError):
        folder.rmdir()


def remove_log(name: str, place: int, is_over: Callable[[os.stat_result], bool]) -> None:
    try:
        if is_over(os.stat(name, dir_fd=place, follow_symlinks=False)):
            os.unlink(name, dir_fd=place)
    except OSError as error:
        log.warning("cannot remove log %s: %s", name, error.strerror)
