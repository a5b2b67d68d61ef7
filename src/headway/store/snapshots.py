"""A run's task instances and live attempts as the core's model.

Every function takes a connection; none commits.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

from headway.core import mapping, stored_reasons
from headway.core.graph import Graph, remains
from headway.core.run import NOT_MAPPED, Attempt, Instance, Run
from headway.core.states import AttemptState, Event, RunState, State
from headway.store import deferrals as waits
from headway.store.runs import Claimed
from headway.store.transact import pipelined

INSTANCE: LiteralString = """
    team_id, run_id, task_id, map_index, state, attempts, failures, losses, rank, intent, intent_by, wake_at, length,
    item, follow, blocked_reason::text, reason::text, ready_at, queued_at, started_at, ended_at
"""
ATTEMPT: LiteralString = "session_id, queued_at, state, started_at, pid, deferrals"

# Behind a fence (see ``headway.store``).
INSTANCES: LiteralString = f"""
    SELECT found.* FROM unnest(%(teams)s::integer[], %(runs)s::text[]) AS wanted (team_id, run_id)
    CROSS JOIN LATERAL (
        SELECT {INSTANCE} FROM task_instance AS instance
        WHERE instance.team_id = wanted.team_id AND instance.run_id = wanted.run_id
        OFFSET 0
    ) AS found
"""

SOME_INSTANCES: LiteralString = f"""
    SELECT found.* FROM unnest(%(tasks)s::text[], %(indexes)s::integer[]) AS wanted (task_id, map_index)
    CROSS JOIN LATERAL (
        SELECT {INSTANCE} FROM task_instance AS instance
        WHERE instance.team_id = %(team_id)s AND instance.run_id = %(run_id)s
            AND instance.task_id = wanted.task_id AND instance.map_index = wanted.map_index
        OFFSET 0
    ) AS found
"""

SOME_ATTEMPTS: LiteralString = f"""
    SELECT found.* FROM unnest(%(tasks)s::text[], %(indexes)s::integer[]) AS wanted (task_id, map_index)
    CROSS JOIN LATERAL (
        SELECT task_id, map_index, number, token, {ATTEMPT} FROM attempt
        WHERE attempt.team_id = %(team_id)s AND attempt.run_id = %(run_id)s
            AND attempt.task_id = wanted.task_id AND attempt.map_index = wanted.map_index
            AND attempt.ended_at IS NULL
        OFFSET 0
    ) AS found
"""

# How many items the lists of mapped tasks have, as ``core.run`` counts them.
ITEMS: LiteralString = """
    SELECT wanted.task_id, (
        SELECT count(*) FROM task_instance AS instance
        WHERE instance.team_id = %(team_id)s AND instance.run_id = %(run_id)s
            AND instance.task_id = wanted.task_id AND instance.item AND instance.state = 'success'
    )
    FROM unnest(%(tasks)s::text[]) AS wanted (task_id)
"""


def live_attempts(token: LiteralString) -> LiteralString:
    """Return the query for live attempts, and the last ones of instances that are gone.

    Live is what has not ended: said by the states, it would allow a plan to take the
    partial index of all live attempts instead of the run's own.
    """
    return f"""
        SELECT found.* FROM unnest(%(teams)s::integer[], %(runs)s::text[]) AS wanted (team_id, run_id)
        CROSS JOIN LATERAL (
            SELECT team_id, run_id, task_id, map_index, former, number, {token}, {ATTEMPT}
            FROM attempt
            WHERE attempt.team_id = wanted.team_id AND attempt.run_id = wanted.run_id
                AND (attempt.ended_at IS NULL OR attempt.former)
            OFFSET 0
        ) AS found
    """


ATTEMPTS: LiteralString = live_attempts("token")
# For whoever may not read tokens, and needs none: nothing is granted or reported with it.
ATTEMPTS_OF_A_PERSON: LiteralString = live_attempts("NULL::text AS token")

# Of a run whose version cannot be read.
TASKS: LiteralString = """
    SELECT DISTINCT ON (task_id) task_id, pool, pool_slots FROM task_instance
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s
    ORDER BY task_id, map_index
"""

Graphs = Callable[[int, str, int], Graph]


def load(
    conn: Connection[Any], claimed: Sequence[Claimed], graphs: Graphs, now: datetime
) -> list[Run]:
    """The models of locked runs, in their order."""
    return load_with(conn, claimed, graphs, now, ATTEMPTS)


def look(conn: Connection[Any], row: Claimed, graphs: Graphs, now: datetime) -> Run:
    """The model of one run for a person's command, without the tokens of its attempts."""
    (run,) = load_with(conn, [row], graphs, now, ATTEMPTS_OF_A_PERSON)
    return run


def load_part(
    conn: Connection[Any],
    row: Claimed,
    wanted: Collection[tuple[str, int]],
    graphs: Graphs,
    now: datetime,
) -> Run:
    """Return what grants of some instances read of a run: these, their live attempts, and what they are mapped over.

    ``wanted``: task and map index of each. A run may have 100,000 instances and a pod for each: read whole for every
    pod that comes, the rows would grow with the square.
    """
    run = empty(row, graphs, now)
    sources = {
        source.task_id: source
        for task_id, _ in wanted
        if task_id in run.graph.by_id
        for source in mapping.sources(run, run.graph.nodes[run.graph.by_id[task_id]])
    }
    lists = [task_id for task_id, source in sources.items() if source.axes is not None]
    whole = {*wanted, *((task_id, NOT_MAPPED) for task_id in sources.keys() - set(lists))}
    places = {
        "team_id": row.team_id,
        "run_id": row.run_id,
        "tasks": [task_id for task_id, _ in whole],
        "indexes": [map_index for _, map_index in whole],
    }
    for _, _, *columns in conn.execute(SOME_INSTANCES, places).fetchall():
        add_instance(run, *columns)
    is_deferred = False
    for task_id, map_index, *columns in conn.execute(SOME_ATTEMPTS, places).fetchall():
        if (instance := run.get(task_id, map_index)) is not None:
            instance.attempt = attempt_from_row(*columns)
            is_deferred |= instance.attempt.deferrals > 0
    if is_deferred:
        waits.load_some(conn, run, places)
    if lists:
        for task_id, items in conn.execute(ITEMS, {**places, "tasks": lists}).fetchall():
            run.items[sources[task_id].index] = items
    return run


def load_remains(conn: Connection[Any], row: Claimed, now: datetime) -> Run:
    """The model of a locked run whose version cannot be read: good for ending it, and nothing else."""
    (run,) = load_with(conn, [row], graph_of_rows(conn, row), now, ATTEMPTS)
    return run


def look_at_remains(conn: Connection[Any], row: Claimed, now: datetime) -> Run:
    """Load a run whose version cannot be read, for a command of a person."""
    (run,) = load_with(conn, [row], graph_of_rows(conn, row), now, ATTEMPTS_OF_A_PERSON)
    return run


def graph_of_rows(conn: Connection[Any], row: Claimed) -> Graphs:
    tasks = conn.execute(TASKS, {"team_id": row.team_id, "run_id": row.run_id}).fetchall()
    return lambda team_id, dag_id, version: remains(dag_id, tasks)


def load_with(
    conn: Connection[Any],
    claimed: Sequence[Claimed],
    graphs: Graphs,
    now: datetime,
    live_attempts: LiteralString,
) -> list[Run]:
    if not claimed:
        return []
    models = {row.key: empty(row, graphs, now) for row in claimed}
    wanted = {"teams": [row.team_id for row in claimed], "runs": [row.run_id for row in claimed]}
    with pipelined(conn):
        instances = conn.execute(INSTANCES, wanted)
        attempts = conn.execute(live_attempts, wanted)
    for team_id, run_id, *columns in instances.fetchall():
        add_instance(models[team_id, run_id], *columns)
    deferred: dict[tuple[int, str], Run] = {}
    for team_id, run_id, task_id, map_index, former, *columns in attempts.fetchall():
        run = models[team_id, run_id]
        instance = run.get(task_id, map_index)
        if former:
            run.remember(task_id, map_index, columns[0])
            continue
        assert instance is not None, f"a live attempt of no task instance: {task_id}"
        instance.attempt = attempt_from_row(*columns)
        if instance.attempt.deferrals:
            deferred[team_id, run_id] = run
    if deferred:
        waits.load(conn, deferred)
    for run in models.values():
        # A command may have changed what the last tick had settled: everything is judged once.
        run.judge_all()
    return [models[row.key] for row in claimed]


def empty(row: Claimed, graphs: Graphs, now: datetime) -> Run:
    run = Run(
        team_id=row.team_id,
        run_id=row.run_id,
        graph=graphs(row.team_id, row.dag_id, row.version),
        state=RunState(row.state),
        now=now,
        revision=row.revision,
        backfill=row.backfill_id is not None,
        cancelled_by=row.cancelled_by,
        started_at=row.started_at,
        paused_by=row.paused_by,
        tasks_max=row.tasks_max,
        partition=row.partition,
    )
    run.due_at = row.due_at
    note_time(run, row.started_at)
    return run


def add_instance(run: Run, task_id: str, map_index: int, state: str, *columns: Any) -> None:
    (attempts, failures, losses, rank, intent, intent_by, wake_at, length, item, follow, *rest) = (
        columns
    )
    (blocked_reason, reason, ready_at, queued_at, started_at, ended_at) = rest
    known = State(state)
    held_by = None if blocked_reason is None else stored_reasons.stored(blocked_reason)
    instance = Instance(
        node=run.graph.nodes[run.graph.by_id[task_id]],
        map_index=map_index,
        state=known,
        stored=known,
        attempts=attempts,
        failures=failures,
        losses=losses,
        rank=rank,
        intent=None if intent is None else Event(intent),
        intent_by=intent_by,
        wake_at=wake_at,
        length=length,
        item=item,
        follow=None if follow is None else frozenset(follow),
        blocked_reason=held_by,
        waited_for=held_by,
        reason=None if reason is None else stored_reasons.stored(reason),
        ready_at=ready_at,
        queued_at=queued_at,
        started_at=started_at,
        ended_at=ended_at,
    )
    run.add(instance)
    note_time(run, queued_at)
    note_time(run, started_at)


def note_time(run: Run, at: datetime | None) -> None:
    """A clock that was set back must not put an end before a start."""
    if at is not None and at > run.now:
        run.now = at


def attempt_from_row(
    number: int,
    token: str,
    session: str,
    queued_at: datetime,
    state: str,
    started_at: datetime | None,
    pid: int | None,
    deferrals: int,
) -> Attempt:
    return Attempt(
        number=number,
        token=token,
        session=session,
        queued_at=queued_at,
        state=AttemptState(state),
        started_at=started_at,
        pid=pid,
        deferrals=deferrals,
    )
