"""One tick: lock, load, plan, apply, commit; what follows outside happens after the commit.

One transaction locks the runs that something happened to, absorbs the reports of their attempts,
plans, grants free slots and writes it all with its history. Its cost depends on what changed:
models are kept, and used again when the run's revision is still theirs under the lock. A run that
cannot be read, planned or written is left out, and in the end set aside (``failing``).
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg
from psycopg import Connection

from headway.agent.protocol import AttemptKey
from headway.core import admission, plan
from headway.core.admission import Session
from headway.core.reports import Ended, Report
from headway.core.run import SCHEDULER, Run
from headway.core.states import LIVE, RUN_FINAL, RunState
from headway.engine import gates, lines, slots
from headway.engine.catalog import Catalog
from headway.engine.failing import Failing, RunKey, pause, verdict
from headway.engine.lines import Decided
from headway.errors import EXHAUSTED, explained
from headway.executors.base import Envelope, Grant
from headway.spec.carried import INTEGER_MAX
from headway.store import changes, queue, reports, runs, sessions, snapshots
from headway.store.clock import clock
from headway.store.runs import Claimed

log = logging.getLogger(__name__)

DUE_MAX: Final = 200  # runs that one tick takes up by itself
DAGS_MAX: Final = 50
STARTS_MAX: Final = 200
UNREADABLE: Final = (ValueError, msgspec.MsgspecError, RecursionError)
CACHE_INSTANCES_MAX: Final = 200_000  # at about 1 kB each


@dataclass(slots=True)
class Turn:
    """The result of a tick, to act on after the commit."""

    grants: list[Grant] = field(default_factory=list)
    # Runs of which agents may remember wrong results: somebody else changed them, or they have others.
    read: list[str] = field(default_factory=list)
    claimed: int = 0
    moves: int = 0
    finished: int = 0  # runs that ended: others of their DAGs may start
    intents: bool = False  # live attempts are to be ended
    more: bool = False  # there is work left that could be done now
    emitted: bool = False  # assets have events, or something that may have callbacks
    uneven: bool = False  # the slots of the teams are to be divided anew
    starts_left: bool = False  # there are DAGs left whose queued runs were not looked at


class Ticker:
    """The state that a scheduler keeps between ticks. All of it can be lost at any time."""

    def __init__(
        self,
        catalog: Catalog,
        decode: Callable[[bytes], Report],
        token: Callable[[], str],
        chance: Callable[[], float],
        executors: Sequence[str] = (),
    ) -> None:
        self.executors = executors  # the names of all there are
        self.catalog = catalog
        self.decode = decode
        self.token = token
        self.chance = chance
        self.models: OrderedDict[RunKey, Run] = OrderedDict()
        self.failing = Failing()
        self.sharing = True  # teams shared slots when a tick last saw a run
        self.dags_after: dict[
            int, str
        ] = {}  # how far a team's DAGs with queued runs were looked at

    def forget(self, error: Exception) -> None:
        """Drop all models, after a transaction that failed or whose end is unknown."""
        self.models.clear()
        self.failing.failed(error)

    def settle(self, turn_runs: Sequence[Run]) -> None:
        """Keep the models after the commit, when they equal the database."""
        changes.settle(turn_runs)
        self.failing.passed([(run.team_id, run.run_id) for run in turn_runs])
        for run in turn_runs:
            key = (run.team_id, run.run_id)
            if run.state is RunState.RUNNING:
                self.models[key] = run
                self.models.move_to_end(key)
            else:
                self.models.pop(key, None)
        held = sum(run.open for run in self.models.values())
        while held > CACHE_INSTANCES_MAX and len(self.models) > 1:
            _, dropped = self.models.popitem(last=False)
            held -= dropped.open

    def rebind(self, team_id: int, key: AttemptKey, session: str, revision: int) -> None:
        """Follow an attempt to another session: the model stays true if nothing else has changed its run.

        Thousands of pods take their attempts over one after the other; read for each of them, a large run would
        take all the time there is.
        """
        run = self.models.get((team_id, key.run_id))
        if run is None or run.revision != revision - 1:
            return
        instance = run.get(key.task_id, key.map_index)
        attempt = None if instance is None else instance.attempt
        if attempt is not None and (attempt.number, attempt.deferrals) == (
            key.number,
            key.deferrals,
        ):
            attempt.session, run.revision = session, revision


def advance(
    conn: Connection[Any],
    ticker: Ticker,
    envelopes: Sequence[Envelope],
    places: dict[int, list[Session]],
    *,
    starts: bool,
    now: datetime | None = None,
    only: int | None = None,
) -> tuple[Turn, list[Run]]:
    """The transaction of a tick. ``places``: the caller's agents by team; ``starts``: look for
    queued runs too; ``only``: take up runs of this team alone.

    Nothing but ``conn`` and models of locked runs is touched, so a failed one is undone by
    ``ticker.forget``.
    """
    if now is None:
        now = clock(conn)
    failing = ticker.failing
    failing.planned = ()
    for key, why in sorted(failing.to_set_aside.items()):
        set_aside(conn, key, why, now)
    turn = Turn()
    due = start_some(conn, ticker, turn, now) if starts else Decided()
    if only is not None:
        due = due.of(only)
    claimed = runs.claim(
        conn,
        {*due.start, *due.skip, *(envelope.key for envelope in envelopes), *failing.suspects[:1]},
        now,
        due_max=DUE_MAX if only is None else 0,
        offers=offered(places, ending(envelopes)),
        ending=ending(envelopes),
        sharing=ticker.sharing,
    )
    if claimed:
        ticker.sharing = any(row.shares for row in claimed)
    turn.more = len(claimed) >= DUE_MAX or len(due.start) >= STARTS_MAX or due.more
    if failing.alone is not None:
        claimed = [row for row in claimed if row.key == failing.alone]
        turn.more = True
    turn.claimed = len(claimed)
    models, turn.read = load(conn, ticker, claimed, now)
    readable = [row for row in claimed if row.key in models]
    absorbed = inbox(conn, ticker, readable) + keep(conn, envelopes, readable)
    planned = plan_all(conn, ticker, readable, models, absorbed, due)
    gates.ask(conn, planned)
    failing.planned = [row.key for row, _ in planned]
    give_slots(conn, ticker, planned, places, turn, now)
    return turn, [run for _, run in planned]


def start_some(conn: Connection[Any], ticker: Ticker, turn: Turn, now: datetime) -> Decided:
    """Find queued runs that may start, or are to be skipped. Each tick looks at some of the DAGs, in turn."""
    found = queue.startable(
        conn, after=ticker.dags_after, dags_max=DAGS_MAX, runs_max=STARTS_MAX, now=now
    )
    ticker.dags_after = found.left
    turn.starts_left = bool(found.left)
    decided = lines.decide_all(conn, found.in_line, now)
    decided.start.update(found.found)
    return decided


def ending(envelopes: Sequence[Envelope]) -> int:
    return sum(isinstance(envelope.report, Ended) for envelope in envelopes)


def offered(places: dict[int, list[Session]], ending: int) -> dict[tuple[int, str, str], int]:
    """Return how many places there are by team, executor and queue, also those of attempts that end now."""
    found: dict[tuple[int, str, str], int] = {}
    for team_id, sessions_of_team in places.items():
        for session in sessions_of_team:
            for need in session.serves():
                key = (team_id, *need)
                free = found.get(key, ending) + max(0, session.free)
                found[key] = min(free, INTEGER_MAX)
    return {key: free for key, free in found.items() if free > 0}


def keep(
    conn: Connection[Any], envelopes: Sequence[Envelope], claimed: Sequence[Claimed]
) -> list[tuple[RunKey, Report, bytes]]:
    """Return the reports of locked runs. Reports of other runs go to the inbox, so that they survive us.

    Not those that are true of one session only: the executor that saw them sees them again.
    """
    mine = {row.key for row in claimed}
    others = [each for each in envelopes if each.key not in mine and not is_of_session(each.report)]
    foreign = [(each.team_id, each.run_id, each.body) for each in others]
    if foreign:
        reports.put(conn, foreign)
    return [(e.key, e.report, e.body) for e in envelopes if e.key in mine]


def is_of_session(report: Report) -> bool:
    return isinstance(report, Ended) and bool(report.session)


def inbox(
    conn: Connection[Any], ticker: Ticker, claimed: Sequence[Claimed]
) -> list[tuple[RunKey, Report, bytes]]:
    keys = [row.key for row in claimed if row.has_report]
    if not keys:
        return []
    found = []
    for team_id, run_id, body in reports.take(conn, keys):
        if not body:  # only to have the run looked at
            continue
        try:
            found.append(((team_id, run_id), ticker.decode(body), body))
        except UNREADABLE as error:  # of another version of Headway: it will never be readable
            log.error("cannot read a report for run %s: %s", run_id, error)
    return found


def load(
    conn: Connection[Any], ticker: Ticker, claimed: Sequence[Claimed], now: datetime
) -> tuple[dict[RunKey, Run], list[str]]:
    """Return models of the locked runs: valid ones from memory, others read, and which were read."""
    models: dict[RunKey, Run] = {}
    unknown: list[Claimed] = []
    for row in claimed:
        model = ticker.models.get(row.key)
        if model is None or model.revision != row.revision:
            unknown.append(row)
        else:
            models[row.key] = model
    for row in claimed:
        if row.key in models:
            # A clock that was set back must not put an end before a start.
            models[row.key].now = max(now, models[row.key].now)
    for run in read_runs(conn, ticker, unknown, now):
        models[run.team_id, run.run_id] = run
    return models, [row.run_id for row in unknown]


def read_runs(
    conn: Connection[Any], ticker: Ticker, unknown: Sequence[Claimed], now: datetime
) -> list[Run]:
    """Read all models in two round trips, or one by one if one of them cannot be read."""
    try:
        return snapshots.load(conn, unknown, ticker.catalog.graph, now)
    except (psycopg.Error, *EXHAUSTED):
        raise
    except Exception as error:
        if len(unknown) > 1:
            return [run for row in unknown for run in read_runs(conn, ticker, [row], now)]
        if unknown[0].cancelled_by not in (None, plan.TIMEOUT):  # only its end is wanted
            return [snapshots.load_remains(conn, unknown[0], now)]
        count_failure(conn, ticker, unknown[0], error, now)
        return []


def plan_all(
    conn: Connection[Any],
    ticker: Ticker,
    claimed: Sequence[Claimed],
    models: dict[RunKey, Run],
    absorbed: Sequence[tuple[RunKey, Report, bytes]],
    due: Decided,
) -> list[tuple[Claimed, Run]]:
    by_run: dict[RunKey, list[tuple[Report, bytes]]] = {}
    for key, report, body in absorbed:
        by_run.setdefault(key, []).append((report, body))
    planned = []
    for row in claimed:
        run = models[row.key]
        mine = by_run.get(row.key, [])
        try:
            plan_run(conn, ticker, row, run, [report for report, _ in mine], due)
        except (psycopg.Error, *EXHAUSTED):
            raise
        except Exception as error:
            count_failure(conn, ticker, row, error, run.now)
            reports.put(conn, [(*row.key, body) for _, body in mine])
        else:
            planned.append((row, run))
    return planned


def plan_run(
    conn: Connection[Any],
    ticker: Ticker,
    row: Claimed,
    run: Run,
    absorbed: Sequence[Report],
    due: Decided,
) -> None:
    run.paused_by, run.tasks_max = row.paused_by, row.tasks_max
    run.gates = {}
    if row.paused_by is not None and run.queues.ranked_total:
        run.hold()
    if run.state is RunState.QUEUED and row.key in due.skip:
        plan.skip(run, due.skip[row.key])
    elif run.state is RunState.QUEUED and row.key in due.start:
        plan.begin(run)
    for report in absorbed:
        plan.absorb(run, report, ticker.chance)
    if row.due_at is not None and row.due_at <= run.now:
        bound = {i.attempt.session for i in run.all() if i.state in LIVE and i.attempt is not None}
        if bound:
            plan.rescue(run, sessions.dead(conn, bound), ticker.chance)
        # A timer that has rung is set again, or not: what it was for is decided now.
        run.due_at, run.changes.run = None, True
    plan.settle(run)


def count_failure(
    conn: Connection[Any], ticker: Ticker, row: Claimed, error: Exception, now: datetime
) -> None:
    """Skip a run so that the others continue. The third time it is set aside."""
    ticker.models.pop(row.key, None)
    log.error("planning of run %s failed", row.run_id, exc_info=error)
    if ticker.failing.count(row.key):
        set_aside(conn, row.key, explained(error), now)


def set_aside(conn: Connection[Any], key: RunKey, error: str, now: datetime) -> None:
    """Set a run aside until its pause is over or a person acts on it."""
    until = now + pause(runs.times_set_aside(conn, *key))
    reason = verdict(error, until)
    runs.set_aside(conn, *key, error=error, reason=reason, until=until, now=now)


def take_back(conn: Connection[Any], key: RunKey) -> None:
    """Take back a run whose pause is over. If it makes ticks fail again, the next pause is longer."""
    now = clock(conn)
    runs.announce(conn, *key)
    runs.take_back(conn, *key, SCHEDULER, now, anew=False)
    runs.alarm(conn, *key, now)


def alive(conn: Connection[Any], places: dict[int, list[Session]]) -> dict[int, list[Session]]:
    """Return the capacity without dead agents, whose open connections still offer some."""
    mine = [s.session_id for team in places.values() for s in team if s.free > 0]
    dead = sessions.dead(conn, mine) if mine else frozenset()
    return {team: [s for s in found if s.session_id not in dead] for team, found in places.items()}


def give_slots(
    conn: Connection[Any],
    ticker: Ticker,
    planned: Sequence[tuple[Claimed, Run]],
    places: dict[int, list[Session]],
    turn: Turn,
    now: datetime,
) -> None:
    """Lock pools and shares, return slots of ended attempts, grant free slots by rank, and write everything."""
    models = [run for _, run in planned]
    held = slots.lock(conn, planned)
    held.give_back(models)
    if any(run.queues.by_need for run in models):
        places = alive(conn, places)
    for team in sorted({run.team_id for run in models}):
        admission.grant(
            [run for run in models if run.team_id == team],
            held.pools.get(team, {}),
            places.get(team, []),
            ticker.token,
            ticker.executors,
            held.shares.get(team),
        )
    turn.grants = [
        Grant(row, run, instance, attempt)
        for row, run in planned
        for instance, attempt in run.changes.granted
    ]
    turn.read += [run.run_id for run in models if replaces_results(run)]
    turn.moves = sum(len(run.changes.moves) for run in models)
    turn.finished = sum(run.changes.run and run.state in RUN_FINAL for run in models)
    turn.emitted = any(
        run.changes.emitted or (run.graph.has_callbacks and run.changes.moves) for run in models
    )
    turn.intents = any(run.intended for run in models)
    turn.uneven = held.are_uneven(conn) or held.pools_are_uneven(conn, models)
    changes.write(conn, models, now, held.of_pools(), held.of_teams(models))
    turn.more |= gates.wake(conn, models) > 0


def replaces_results(run: Run) -> bool:
    """Return whether a result was withdrawn, or replaced after a clear."""
    return bool(run.changes.forgotten) or any(
        attempt > instance.failures + instance.losses + 1
        for instance, attempt, _ in run.changes.results
    )
