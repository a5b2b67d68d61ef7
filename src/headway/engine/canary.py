"""The canary: every few minutes a scheduler takes a run from its trigger to its success, and undoes it (ADR 59).

All of it happens in one transaction that is rolled back: a team, a DAG, a run and a session of an agent that nobody
else ever sees. The statements, decisions and writes are those of every other run: a scheduler that cannot schedule
cannot do this. What comes after the commit is not in it: agents tell of themselves by their heartbeats.
"""

import logging
import os
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import Connection

from headway import clock, ids
from headway.core.admission import Session
from headway.core.canary import PERIOD_S, is_late
from headway.core.reports import Ended, Outcome, Report
from headway.core.states import RunState
from headway.core.triggers import Trigger
from headway.engine.catalog import Catalog
from headway.engine.team_canaries import TeamCanaries
from headway.engine.tick import Ticker, advance
from headway.errors import EXHAUSTED, HeadwayError, UsageError, explained
from headway.executors.base import LEASE, Envelope, Grant
from headway.runs.again import Graphs
from headway.spec.model import Dag, Task, encode, spec_hash
from headway.store import bundles, canary, dags, pools, runs, schedulers, sessions
from headway.store.clock import clock as database_clock
from headway.store.runs import NewRun
from headway.store.transact import once, transact

log = logging.getLogger(__name__)

VARIABLE: Final = "HEADWAY_CANARY_S"
FIRST_S: Final = 5.0  # after the start
NAME: Final = "canary"
SPEC: Final = Dag(dag_id=NAME, file="canary.py", tasks=(Task(task_id="prove", kind="empty"),))


def period_from(environment: Mapping[str, str]) -> float:
    """Return the seconds between two proofs; 0: there is no canary. Raises UsageError."""
    text = environment.get(VARIABLE, f"{PERIOD_S:g}")
    try:
        period_s = float(text)
    except ValueError:
        period_s = -1.0
    if period_s != 0 and not 1 <= period_s <= 86_400:
        raise UsageError(
            f"{text!r} is not a valid number of seconds",
            where=VARIABLE,
            hint=f"give 1 to 86400, 0 for no canary, or leave it unset for {PERIOD_S:g}",
        )
    return period_s


class Canary:
    """Call ``turn`` whenever there is time; it checks whether it is due.

    ``of_teams``: the canaries of the teams. If none of them is taken up, what is proven alone is of no use.
    """

    def __init__(
        self,
        conn: Connection[Any],
        scheduler_id: str,
        period_s: float,
        of_teams: TeamCanaries,
    ) -> None:
        self.conn = conn
        self.scheduler_id = scheduler_id
        self.period_s = period_s
        self.of_teams = of_teams
        self.good_at = clock.monotonic()
        self.due_at = self.good_at + min(FIRST_S, period_s)
        self.why = ""
        self.is_ours = False  # what keeps it from success is the scheduler's, not the database's

    def due_in(self) -> float:
        """Seconds."""
        return min(self.due_at - clock.monotonic(), self.of_teams.due_in())

    def turn(self) -> None:
        if self.due_at <= clock.monotonic():
            self.prove_alone()
        self.of_teams.turn()

    def prove_alone(self) -> None:
        self.due_at = clock.monotonic() + self.period_s
        before, self.why = self.why, self.prove()
        if not self.why:
            self.good_at = clock.monotonic()
        if self.why and not before:
            log.error("the canary got no run to success: %s", self.why)
        elif before and not self.why:
            log.info("the canary gets runs to success again")
        transact(self.conn, schedulers.tell_proof, self.scheduler_id, self.why)

    def prove(self) -> str:
        """Return why no run gets to success, or nothing."""
        self.is_ours = False
        try:
            why = once(self.conn, proof) or self.of_teams.ignored()
        except EXHAUSTED:
            raise
        except Exception as error:
            if self.conn.closed:
                raise
            self.is_ours = not isinstance(error, psycopg.OperationalError | HeadwayError)
            return explained(error)
        self.is_ours = bool(why)
        return why

    def trouble(self) -> str:
        """Return why a new process should take the place of this one, or nothing. Called on any thread.

        Not for the database: a new process would find it as it is. Each process has two periods of its own.
        """
        silent_s = clock.monotonic() - self.good_at
        if not self.is_ours or not is_late(self.period_s, silent_s):
            return ""
        return f"no run got to success for {silent_s:.0f} s: {self.why}"


def canary_of(
    conn: Connection[Any], scheduler_id: str, period_s: float, graphs: Graphs
) -> Canary | None:
    """Return the canary of a scheduler, with those of the teams. None without a period."""
    if not period_s:
        return None
    return Canary(conn, scheduler_id, period_s, TeamCanaries(conn, period_s, graphs))


def proof(conn: Connection[Any]) -> str:
    """Take a run from its trigger to its success, and undo it. Returns where it got stuck, or nothing."""
    with conn.transaction(force_rollback=True):
        return obstacle(conn, database_clock(conn))


def obstacle(conn: Connection[Any], now: datetime) -> str:
    team_id = canary.make_team(conn, f"{NAME}-{ids.run_id()}")
    session, run_id = ids.token(), ids.run_id()
    pools.resize(conn, team_id, "default", 1, NAME, now)
    bundles.add(conn, team_id, NAME, [], now)
    dags.put(conn, team_id, [version()], NAME, now)
    host, pid = socket.gethostname(), os.getpid()
    sessions.open_session(conn, team_id, session, NAME, host, pid, 1, now, LEASE)
    runs.create(conn, [new_run(team_id, run_id, now)], now)
    ticker = Ticker(Catalog(conn), unread, ids.token, ids.fraction)
    offered = {team_id: [Session(session, NAME, 1)]}
    turn, models = advance(conn, ticker, [], offered, starts=True, now=now, only=team_id)
    ticker.settle(models)
    if len(turn.grants) != 1:
        return f"a run was triggered, and {len(turn.grants)} of its 1 task was granted"
    ended = Envelope(team_id, run_id, end_of(turn.grants[0]), b"")
    advance(conn, ticker, [ended], offered, starts=False, now=now, only=team_id)
    row = runs.read(conn, team_id, run_id)
    state = "gone" if row is None else row.state
    return (
        "" if state == RunState.SUCCESS else f"the task of a run succeeded, and the run is {state}"
    )


def version() -> dags.Version:
    return dags.Version(
        dag_id=SPEC.dag_id,
        file=SPEC.file,
        spec_hash=spec_hash(SPEC),
        spec=encode(SPEC).decode(),
        max_active_runs=1,
        scheduled=False,
        retimed=False,
    )


def new_run(team_id: int, run_id: str, now: datetime) -> NewRun:
    return NewRun(
        team_id=team_id,
        run_id=run_id,
        dag_id=SPEC.dag_id,
        run_key=f"{NAME}:{run_id}",
        trigger=Trigger.MANUAL,
        logical_date=now,
        interval_start=now,
        interval_end=now,
        created_by=NAME,
    )


def end_of(grant: Grant) -> Ended:
    assert grant.attempt.token is not None
    return Ended(
        task_id=grant.instance.node.task_id,
        map_index=grant.instance.map_index,
        number=grant.attempt.number,
        token=grant.attempt.token,
        outcome=Outcome.SUCCESS,
        item=False,
    )


def unread(body: bytes) -> Report:
    raise AssertionError("nobody else reports for it")
