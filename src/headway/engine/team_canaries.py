"""The canaries of teams: every few minutes a run of each team with live agents, on those agents (ADR 66).

It is a run like any other, of a DAG of ours whose tasks do nothing, one for each queue that the agents serve. People
see nothing of it, and nothing is left once it has ended. A look takes one step: it triggers a run, or sees how far the
last one has come. Each team is looked at by one scheduler at a time, in a transaction of its own.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Connection

from headway import clock, ids
from headway.core import commands
from headway.core.canary import (
    DAG_ID,
    QUEUES_MAX,
    RUN_PREFIX,
    TIMEOUT_S,
    look_s,
    obstacle,
)
from headway.core.states import RunState
from headway.core.triggers import Trigger
from headway.core.warm import WARM
from headway.core.wording import said
from headway.core.words import counted
from headway.errors import EXHAUSTED
from headway.executors.base import LEASE
from headway.runs import again
from headway.runs.again import Graphs
from headway.spec.model import Dag, Task
from headway.store import runs, team_canaries
from headway.store.clock import clock as database_clock
from headway.store.runs import NewRun
from headway.store.team_canaries import LockedRun
from headway.store.transact import in_team, read, transact

log = logging.getLogger(__name__)

FIRST_S: Final = 60.0  # after the first agent of a team has come
TEAMS_MAX: Final = 20  # in one turn: each costs some milliseconds
REST_S: Final = 0.5  # between two turns while more teams are due


class TeamCanaries:
    """Call ``turn`` whenever there is time; it checks whether it is due. ``graphs``: of the versions of DAGs."""

    def __init__(self, conn: Connection[Any], period_s: float, graphs: Graphs) -> None:
        self.conn = conn
        self.period_s = period_s
        self.graphs = graphs
        self.due_at = clock.monotonic() + look_s(period_s)

    def due_in(self) -> float:
        """Seconds."""
        return self.due_at - clock.monotonic()

    def turn(self) -> None:
        if self.due_in() > 0:
            return
        self.due_at = clock.monotonic() + look_s(self.period_s)
        due = transact(self.conn, found_due, self.period_s)
        for team_id in due:
            self.at_own_cost(team_id)
        if len(due) == TEAMS_MAX:
            self.due_at = clock.monotonic() + min(REST_S, look_s(self.period_s))

    def at_own_cost(self, team_id: int) -> None:
        """Look at a team. What is wrong with it stops no look at another one."""
        try:
            transact(self.conn, in_team, team_id, look, self.period_s, self.graphs)
        except EXHAUSTED:
            raise
        except Exception as error:
            if self.conn.closed:
                raise
            log.error("cannot look at the canary of team %d", team_id, exc_info=error)

    def ignored(self) -> str:
        """Return why no run of any team is taken up, or nothing. One that is lies with its team."""
        return read(self.conn, why_ignored, self.period_s)


def found_due(conn: Connection[Any], period_s: float) -> list[int]:
    """Watch the teams whose agents have come, and return those to look at."""
    now = database_clock(conn)
    first = now + timedelta(seconds=min(FIRST_S, period_s / 2))
    team_canaries.watch(conn, period_s, first, now, LEASE)
    return list(team_canaries.due(conn, now, TEAMS_MAX))


def why_ignored(conn: Connection[Any], period_s: float) -> str:
    before = database_clock(conn) - timedelta(seconds=period_s / 2)
    teams, left, reason = team_canaries.ignored(conn, before)
    if not teams or left < teams:
        return ""
    why = "" if reason is None else f": {said(reason)}"
    return f"no run of {counted(teams, 'team')} with agents is taken up{why}"


def look(
    conn: Connection[Any],
    team_id: int,
    period_s: float,
    graphs: Graphs,
    now: datetime | None = None,
) -> None:
    """Take the next step with the canary of a team."""
    now = now or database_clock(conn)
    claimed = team_canaries.claim(conn, team_id, period_s, now)
    if claimed is None:
        return
    queues = team_canaries.queues(conn, team_id, now, LEASE, QUEUES_MAX)
    (run_id,) = claimed
    soon = now + timedelta(seconds=look_s(period_s))
    if run_id is None or not team_canaries.has_run(conn, team_id, run_id):
        begin(conn, team_id, queues, soon, now)
        return
    run = team_canaries.lock_run(conn, team_id, run_id)
    if run is None:
        return  # a tick has it: the next turn looks again
    next_at = run.created_at + timedelta(seconds=period_s)
    if run.ended_at is not None:
        team_canaries.remove_run(conn, team_id, run_id)
        end(conn, team_id, run, max(soon, next_at))
    elif run.sight.holds_slots:
        if now >= next_at:
            cancel(conn, team_id, run_id, graphs)
        team_canaries.tell(conn, team_id, soon, *obstacle(run.sight))
    elif not queues or not run.queues <= set(queues):  # the agents that it wanted are gone
        team_canaries.remove_run(conn, team_id, run_id)
        begin(conn, team_id, queues, soon, now)
    else:
        team_canaries.tell(conn, team_id, soon, *obstacle(run.sight))


def begin(
    conn: Connection[Any], team_id: int, queues: tuple[str, ...], soon: datetime, now: datetime
) -> None:
    """Trigger a run for these queues. Without agents there is nothing to prove."""
    if not queues:
        team_canaries.forget(conn, team_id)
        return
    team_canaries.put_dag(conn, team_id, spec_for(queues), now)
    run_id = RUN_PREFIX + ids.run_id()
    new = NewRun(
        team_id=team_id,
        run_id=run_id,
        dag_id=DAG_ID,
        run_key=f"canary:{run_id}",
        trigger=Trigger.MANUAL,
        logical_date=now,
        interval_start=now,
        interval_end=now,
        created_by="scheduler",
    )
    runs.create(conn, [new], now)
    runs.wake_schedulers(conn)
    team_canaries.start(conn, team_id, run_id, soon)


def end(conn: Connection[Any], team_id: int, run: LockedRun, next_at: datetime) -> None:
    match run.sight.state:
        case RunState.SUCCESS:
            team_canaries.end(conn, team_id, next_at, proved_at=run.ended_at)
        case RunState.FAILED:
            team_canaries.end(conn, team_id, next_at, reason=obstacle(run.sight)[1])
        case _:  # cancelled by us: why it was is written
            team_canaries.end(conn, team_id, next_at)


def cancel(conn: Connection[Any], team_id: int, run_id: str, graphs: Graphs) -> None:
    """End a run whose attempts were granted a period ago: it holds slots that others may want."""
    row, run = again.locked(conn, team_id, run_id, graphs, "scheduler")
    commands.cancel(run, "scheduler")
    again.save(conn, row, run)


def spec_for(queues: tuple[str, ...]) -> Dag:
    """Return the DAG with a task for each queue. Any agent of the team runs them; none needs a file."""
    tasks = tuple(
        Task(
            task_id=f"prove_{number}",
            kind="empty",
            pool=DAG_ID,
            queue=queue,
            executor=WARM,
            execution_timeout_s=TIMEOUT_S,
            do_xcom_push=False,
        )
        for number, queue in enumerate(queues)
    )
    return Dag(dag_id=DAG_ID, file="", tasks=tasks)
