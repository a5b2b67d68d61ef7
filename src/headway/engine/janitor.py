"""Retention: removes what ended long enough ago, in small steps.

Teams come one after another, each in transactions that entered it: what is broken in one is told, and
the next one has its turn. A turn removes as many runs as fit into ``TURN_S``, in one transaction; after
its commit a thread removes their files. While more is to be removed it turns for half of the time, ticks wait for one
turn at most, and rows wait while too many files do. A crash leaves files of runs that are gone: the
first turns of the next life remove them, by the history of the days before. A run that has not ended
is never touched. Logs may go before their run: ``log_retention``.
"""

import logging
import os
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from headway import clock
from headway.config import Layout
from headway.core.log_retention import WITH_THE_RUN, Policy
from headway.core.run_retention import DAYS_MIN, in_effect
from headway.engine.log_retention import LogSweep, of_installation
from headway.engine.removals import Removals
from headway.errors import EXHAUSTED, UsageError
from headway.events import held
from headway.loader.bundles import Bundles
from headway.paths import plain_name
from headway.store import (
    airflow_runs,
    audit,
    bundles,
    events,
    idempotency,
    retention,
    run_retention,
    teams,
)
from headway.store.clock import clock as database_clock
from headway.store.teams import Team
from headway.store.transact import in_team, transact

log = logging.getLogger(__name__)

VARIABLE: Final = "HEADWAY_RETENTION_DAYS"
AUDIT_VARIABLE: Final = "HEADWAY_AUDIT_DAYS"
RETENTION_DAYS: Final = 90.0
RETENTION_DAYS_MIN: Final = float(DAYS_MIN)  # the owner of the history allows no less
AUDIT_DAYS_MIN: Final = 30.0  # nor does that of the audit
EVERY_S: Final = 600.0
RUNS_MIN: Final = 20  # a turn costs as much again, however few they are
RUNS_MAX: Final = 500
TURN_S: Final = 0.03
REST: Final = 1.0  # after a turn, as many times as long as it took
FULL_S: Final = 0.05  # until there may be room for the files of more
EVENTS_MAX: Final = 10_000
STATES_MAX: Final = 10_000
AIRFLOW_RUNS_MAX: Final = 2_000
REPEATS: Final = timedelta(days=1)  # a request is not sent again after that
REPEAT: Final = timedelta(days=2)  # files of runs removed so lately may be left by a crash


def audit_retention_from(environment: dict[str, str]) -> timedelta | None:
    """Return how long audit entries are kept; None, the default, means forever."""
    text = environment.get(AUDIT_VARIABLE)
    return None if text is None else days_of(text, AUDIT_VARIABLE, AUDIT_DAYS_MIN, "forever")


def retention_from(environment: dict[str, str]) -> timedelta:
    text = environment.get(VARIABLE, str(RETENTION_DAYS))
    return days_of(text, VARIABLE, RETENTION_DAYS_MIN, f"for {RETENTION_DAYS:g}")


def days_of(text: str, variable: str, least: float, otherwise: str) -> timedelta:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not least <= days <= 36_500:
        raise UsageError(
            f"{text!r} is not a valid number of days to keep ended runs",
            where=variable,
            hint=f"give {least:g} or more, or leave it unset {otherwise}",
        )
    return timedelta(days=days)


def prune(
    conn: Connection[Any], team_id: int, older_than: datetime, now: datetime, limit: int
) -> Sequence[str]:
    """Remove one batch of a team, in a transaction that entered it; answers with the runs that are gone.

    What somebody who follows events has not read stays longer, with its runs, within bounds.
    """
    unread = held(older_than, events.unread_since(conn, team_id))
    gone = retention.prune_runs(conn, team_id, unread, now, limit)
    idempotency.prune(conn, team_id, now - REPEATS)
    if len(gone) < limit:
        retention.prune_rest(conn, team_id, older_than)
        retention.prune_states(conn, team_id, now, STATES_MAX)
        retention.prune_history(conn, team_id, unread, EVENTS_MAX)
    return gone


def fitting(runs: int, took_s: float) -> int:
    """Return the batch size for the next turn from the duration of this one, at most twice as many."""
    return max(RUNS_MIN, min(RUNS_MAX, 2 * runs, int(runs * TURN_S / max(took_s, 0.001))))


class Janitor:
    """Removes old data. Call ``turn`` whenever there is time; it checks whether it is due."""

    def __init__(
        self,
        conn: Connection[Any],
        data: Path,
        keep: timedelta,
        keep_audit: timedelta | None = None,
        keep_logs: Policy = WITH_THE_RUN,
        *,
        ships_logs: bool = False,
    ) -> None:
        self.conn = conn
        self.layout = Layout(data)
        self.keep = keep
        self.keep_audit = keep_audit
        self.removals = Removals()
        self.logs = LogSweep(conn, self.layout, self.removals, keep_logs, ships_logs=ships_logs)
        self.due_at = clock.monotonic() + EVERY_S / 10  # not while everything starts
        self.runs = RUNS_MIN  # removed in a turn
        self.teams: list[Team] = []  # those still to be cleaned in this round
        self.left: tuple[datetime, int] | None = None  # by a crash: looked for up to here
        self.first = True

    def turn(self) -> None:
        began = clock.monotonic()
        if began < self.due_at:
            return
        if self.removals.room() < RUNS_MAX:
            self.due_at = began + FULL_S
            return
        self.due_at = began + EVERY_S  # also when it goes wrong
        if self.work():
            self.due_at = began + (clock.monotonic() - began) * (1 + REST)

    def due_in(self) -> float:
        """Seconds."""
        return self.due_at - clock.monotonic()

    def work(self) -> bool:
        """Do one batch of one team. Whether there is more, of it or of another."""
        now = transact(self.conn, database_clock)
        if self.first:
            self.left, self.first = (now - REPEAT, 0), False
        if self.left is not None:
            self.remove_left(*self.left)
            return True
        self.teams = self.teams or transact(self.conn, teams.every)
        if self.has_more(self.teams[0], now):
            return True
        del self.teams[0]
        if self.teams:
            return True
        self.clean_rest(now)
        return False

    def has_more(self, team: Team, now: datetime) -> bool:
        """Clean a batch of a team. One that cannot be cleaned has no more now: others go on."""
        try:
            return self.clean(team, now)
        except EXHAUSTED:
            raise
        except Exception:
            if self.conn.closed:
                raise
            log.exception("cannot remove old data of team %s; retrying in %g s", team.name, EVERY_S)
            return False

    def clean(self, team: Team, now: datetime) -> bool:
        began, limit = clock.monotonic(), self.runs
        older_than = now if team.is_deleted else now - self.keep_of(team)
        if team.is_deleted:
            transact(self.conn, in_team, team.team_id, retention.prune_dead)
        gone = transact(self.conn, in_team, team.team_id, prune, older_than, now, limit)
        for run_id in gone:
            self.removals.add(partial(self.remove_files, team.name, run_id))
        if gone:
            log.info("%d runs removed: they ended before %s", len(gone), older_than)
        if len(gone) == limit:
            self.runs = fitting(limit, clock.monotonic() - began)
            return True
        # In a transaction of its own: who registers files holds the team, and waits for rows that ``prune`` removes.
        of_airflow = airflow_runs.prune
        transact(self.conn, in_team, team.team_id, of_airflow, older_than, AIRFLOW_RUNS_MAX)
        if self.logs.work(team, now):
            return True
        if self.keep_audit is not None:
            before = now - self.keep_audit
            transact(self.conn, in_team, team.team_id, audit.prune, before, EVENTS_MAX)
        return False

    def keep_of(self, team: Team) -> timedelta:
        """Return for how long a team keeps its runs, as it says now."""
        own = transact(self.conn, in_team, team.team_id, run_retention.days)
        return in_effect(own, self.keep)

    def clean_rest(self, now: datetime) -> None:
        """Clean what is of no team, once no team has more."""
        transact(self.conn, retention.prune_schedulers, now - self.keep)
        in_use, active = transact(self.conn, bundles.in_use), transact(self.conn, bundles.active)
        compared = transact(self.conn, bundles.compared)
        try:
            Bundles(self.layout.data).prune(in_use, active, compared)
        except OSError as error:
            log.warning("cannot remove old bundles: %s", error)

    def remove_left(self, at: datetime, seq: int) -> None:
        """Remove a batch of files that the previous process may not have removed."""
        batch = transact(self.conn, retention.removed_after, at, seq, RUNS_MAX)
        for each in batch:
            if each.is_run:
                self.removals.add(partial(self.remove_files, each.team, each.run_id))
            else:
                self.removals.add(partial(self.logs.remove, each.team, each.run_id, each.at))
        self.left = (batch[-1].at, batch[-1].seq) if len(batch) == RUNS_MAX else None

    def remove_files(self, team: str, run_id: str) -> None:
        self.logs.forget(team, run_id)
        for folder in (self.layout.logs, self.layout.xcom):
            shutil.rmtree(folder / plain_name(run_id), ignore_errors=True)

    def close(self) -> None:
        """Wait until the files of removed runs are deleted."""
        self.removals.settle()


def of_process(conn: Connection[Any], data: Path, *, ships_logs: bool) -> Janitor:
    """Read the settings. Raises UsageError for an invalid one."""
    environment = dict(os.environ)
    return Janitor(
        *(conn, data, retention_from(environment), audit_retention_from(environment)),
        of_installation(environment),
        ships_logs=ships_logs,
    )
