"""A team's DAGs on a real database, a scheduler's transactions and an agent that does as it is told.

Nothing here sleeps: time passes by ``world.later``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from psycopg import Connection

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.agent import protocol
from headway.agent.protocol import LEASE_S, AttemptKey
from headway.core.admission import Session
from headway.core.run import Instance, Run
from headway.engine import tick
from headway.engine.catalog import Catalog
from headway.engine.tick import Ticker, Turn
from headway.executors.agents import translate
from headway.executors.base import LEASE, Envelope, Grant
from headway.spec import model
from headway.store import assets, dags, sessions, snapshots
from headway.store import bundles as bundle_rows
from headway.store.clock import clock
from headway.store.transact import connect, once, transact

TURNS_MAX: Final = 200
ANN: Final = "user:ann"
END: Final = ("success", "failed", "cancelled")
START_DATE: Final = datetime(2040, 1, 1, tzinfo=UTC)  # no fire is due by the real clock

tokens = count(1)
numbers = count(1)

Behaviour = Callable[[Grant], dict[str, Any]]


def succeed(grant: Grant) -> dict[str, Any]:
    return {"outcome": "success"}


def task(task_id: str, *upstream: str, over: str | None = None, **options: Any) -> model.Task:
    mapping = None
    if over is not None:
        mapping = model.Mapping(axes=(model.Axis(argument="x", task_id=over),))
        upstream = (*upstream, over)
    return model.Task(task_id=task_id, upstream=tuple(sorted(upstream)), mapping=mapping, **options)


class Scheduler:
    """One scheduler: a connection, what it keeps in memory, and one agent of its own."""

    def __init__(self, conn: Connection[Any], places: int = 100, team_id: int = 1) -> None:
        self.conn = conn
        self.team_id = team_id
        self.session = f"s{next(numbers)}"
        self.places = places
        self.held: dict[AttemptKey, Grant] = {}
        self.also: tuple[str, ...] = ()  # other names of its agent's executor
        self.offset = timedelta()
        self.ticker = Ticker(
            Catalog(conn), translate.decode, lambda: f"token{next(tokens)}", lambda: 0.5
        )
        agent = (team_id, self.session, "local", "host", 1, 999)
        transact(conn, sessions.open_session, *agent, self.now, LEASE, None, "its token")

    @property
    def now(self) -> datetime:
        return transact(self.conn, clock) + self.offset

    def later(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)

    def tick(self, *envelopes: Envelope, starts: bool = True) -> Turn:
        """A tick and what follows its commit."""
        free = self.places - len(self.held)
        places = {self.team_id: [Session(self.session, "local", free, also=self.also)]}
        try:
            turn, models = once(
                self.conn, tick.advance, self.ticker, envelopes, places, starts=starts, now=self.now
            )
        except Exception as error:
            self.ticker.forget(error)
            raise
        self.ticker.settle(models)
        self.held.update((key_of(grant), grant) for grant in turn.grants)
        transact(self.conn, check_parts, turn.grants)
        return turn

    def end(self, grant: Grant, outcome: str = "success", **values: Any) -> Envelope:
        self.held.pop(key_of(grant), None)
        message = protocol.Ended(
            seq=1,
            key=key_of(grant),
            token=grant.attempt.token or "",
            outcome=outcome,  # type: ignore[arg-type]
            cause=values.pop("cause", "" if outcome == "success" else "exception"),
            **values,
        )
        body = msgspec.msgpack.encode(message)
        return Envelope(self.team_id, grant.run.run_id, translate.report(message), body)

    def start(self, grant: Grant) -> Envelope:
        """The agent tells that the task runs."""
        message = protocol.Started(1, key_of(grant), grant.attempt.token or "", 7, 0.0)
        body = msgspec.msgpack.encode(message)
        return Envelope(self.team_id, grant.run.run_id, translate.report(message), body)

    def name(self, grant: Grant, name: str, token: str | None = None) -> Envelope:
        """The agent tells how the task of a live attempt calls its mapped instance."""
        message = protocol.Named(key_of(grant), token or grant.attempt.token or "", name)
        body = msgspec.msgpack.encode(message)
        return Envelope(self.team_id, grant.run.run_id, translate.report(message), body)

    def work(self, behaviour: Behaviour = succeed) -> list[Envelope]:
        """The agent ends all that it holds."""
        return [self.end(grant, **behaviour(grant)) for grant in list(self.held.values())]

    def play(self, behaviour: Behaviour = succeed, seconds_a_turn: float = 0.0) -> None:
        """Ticks until nothing happens any more."""
        quiet = 0
        for _ in range(TURNS_MAX):
            turn = self.tick(*self.work(behaviour))
            quiet = 0 if turn.moves or self.held else quiet + 1
            if quiet > 1:
                return
            self.later(seconds_a_turn)
        raise AssertionError("it does not come to an end")

    def expire(self) -> list[str]:
        """The lease of every session that did not beat by now is over."""
        return transact(self.conn, sessions.expire, self.now, timedelta(seconds=LEASE_S))


def check_parts(conn: Connection[Any], grants: Sequence[Grant]) -> None:
    """An agent that comes later, or again, is sent what the tick granted, though only a part of the run is read."""
    for run_id, of_run in translate.grouped((each.run.run_id, each) for each in grants).items():
        row, wanted = of_run[0].row, [fields(each) for each in of_run]
        part = snapshots.load_part(conn, row, wanted, Catalog(conn).graph, of_run[0].run.now)
        for each, (task_id, map_index) in zip(of_run, wanted, strict=True):
            found = part.get(task_id, map_index)
            assert found is not None
            assert found.attempt is not None
            assert sent(part, found) == sent(each.run, each.instance), (run_id, task_id, map_index)


def fields(grant: Grant) -> tuple[str, int]:
    return grant.instance.node.task_id, grant.instance.map_index


def sent(run: Run, instance: Instance) -> protocol.Grant:
    assert instance.attempt is not None
    found = translate.grant(run, instance, instance.attempt, instance.attempt.token or "")
    if found.resumed is None:
        return found
    return replace(found, timeout_s=None, resumed=replace(found.resumed, elapsed_s=0.0))  # clocks


def key_of(grant: Grant) -> AttemptKey:
    return translate.attempt_key(grant.run.run_id, grant.instance, grant.attempt)


def names(grants: Iterable[Grant]) -> list[str]:
    return sorted(str(grant.instance) for grant in grants)


def deploy(
    conn: Connection[Any],
    *tasks: model.Task,
    dag_id: str = "d",
    team_id: int = 1,
    bundle: str = "b1",
    **options: Any,
) -> model.Dag:
    """Make this the current version of a DAG, as the loader does."""
    dag = model.Dag(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks, **options)

    def put(conn: Connection[Any]) -> None:
        now = dags.lock(conn, team_id)
        bundle_rows.add(conn, team_id, bundle, [1], now)
        version = dags.Version(
            dag_id=dag_id,
            file=dag.file,
            spec_hash=model.spec_hash(dag),
            spec=model.encode(dag).decode(),
            max_active_runs=dag.max_active_runs,
            run_strategy=dag.run_strategy,
            scheduled=dag.schedule is not None,
            goes_on="continuous" in (dag.schedule or {}),
            retimed=True,
        )
        dags.put(conn, team_id, [version], bundle, now)
        assets.register(conn, team_id, [dag], now)

    transact(conn, put)
    return dag


def trigger(
    conn: Connection[Any],
    dag_id: str = "d",
    *keys: str | None,
    team_id: int = 1,
    params: dict[str, Any] | None = None,
) -> list[str]:
    wanted = [RunRequest(params=params or {}, key=key) for key in keys or (None,)]
    return transact(conn, commands.trigger, team_id, dag_id, wanted, ANN)


def states(conn: Connection[Any], run_id: str) -> dict[str, str]:
    """By task, or task[index]."""
    found = conn.execute(
        "SELECT task_id, map_index, state FROM task_instance WHERE run_id = %s", [run_id]
    )
    return {t if index < 0 else f"{t}[{index}]": state for t, index, state in found}


def run_state(conn: Connection[Any], run_id: str) -> str:
    return str(value(conn, "SELECT state FROM run WHERE run_id = %s", run_id))


def value(conn: Connection[Any], query: str, *values: Any) -> Any:
    row = conn.execute(query.encode(), values).fetchone()
    assert row is not None, query
    return row[0]


def graphs(scheduler: Scheduler) -> Callable[[int, str, int], Any]:
    return scheduler.ticker.catalog.graph


@contextmanager
def several(dsn: str, number: int) -> Iterator[Sequence[Connection[Any]]]:
    conns = [connect(dsn) for _ in range(number)]
    try:
        yield conns
    finally:
        for conn in conns:
            conn.close()
