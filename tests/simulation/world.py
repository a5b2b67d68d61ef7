"""A seeded world in one thread: the real schedulers, gateways and store on a real PostgreSQL;
virtual time, simulated agents and people, and faults.

A step is one thing that happens. While a transaction is between two of its steps, other things
happen on other connections, or its process dies. After every step all invariants are checked; in
the end the faults stop, and every run must end as the reference says. ``FAULTS`` says which faults
of ``docs/coverage.md`` there are, and where.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from unittest import mock

import psycopg
from psycopg import Connection

from headway import clock, ids
from headway.agent.protocol import AttemptKey, Deferral, Ended
from headway.core.graph import Graph
from headway.core.reports import Ended as End
from headway.engine import scheduler, tick
from headway.engine.catalog import Catalog
from headway.executors.agents.gateway import Gateway
from headway.executors.base import Envelope
from headway.spec.model import Dag, Task, decode
from headway.store import changes, pools, queue, reports, runs, sessions, snapshots
from headway.store.transact import ENGINE, Limits, Session, connect, transact
from tests.postgres import fresh_database
from tests.simulation import invariants, reference, rest
from tests.simulation.agents import Agent
from tests.simulation.dags import POOLS, no_wait, random_dag, with_queues
from tests.simulation.line import Listener
from tests.simulation.people import TEAM, People, put
from tests.simulation.process import Crash, Process
from tests.simulation.sources import WorldChance, WorldClock, nobody_signs_in
from tests.simulation.truth import Truth

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
STEPS: Final = 60
CALM_ROUNDS_MAX: Final = 1000
CALM_CHECK_EVERY: Final = 4
STILL_MAX: Final = 40  # calm rounds in which nothing happens
QUIET_ROUNDS: Final = 3
DEPTH_MAX: Final = 2
PRECIOUS: Final = 5.0  # so much likelier are faults where an end could be lost
# In one thread a wait for a lock never ends. No other limit counts: the time is not the world's.
WAITS_FOR_NOBODY: Final = Limits(
    lock_timeout_s=0.001, statement_timeout_s=0, idle_in_transaction_timeout_s=0
)
TABLES: Final = (
    "report, wait, xcom, event, attempt, task_instance, agent_session, run, backfill, scheduler, pool, "
    "asset, asset_alias, asset_event, watch, dag, dag_version, code_change, run_link, import_error, bundle, capacity"
)

FAULTS: Final = {
    "F01 F02 F08 a scheduler dies at any point": "point, mischief: dies; test: at each point",
    "F03 F69 several schedulers and people at once": "point: meanwhile",
    "F04 frozen for 60 s": "mischief: frozen",
    "F05 one holds what another needs": "connections wait for nobody; SKIP LOCKED is checked",
    "F06 all schedulers down": "mischief with one scheduler",
    "F15 the answer to a COMMIT is lost": "crash at: before settle, a command is committed",
    "F16 serialization failures": "point, CAN_CONFLICT",
    "F24 clocks that drift, are set back, jump": "agents: rate; time_passes",
    "F28 F58 F59 deploys, pauses, catch-up": "people: deploy, switch",
    "F30-F34 F41-F45 pods lost, stuck, deleted; an API server that fails": "pods: nodes, road",
    "F29 tasks that fail": "dags: deed; agents: end_some",
    "F32 F36 F37 agents lost, silent or late": "mischief: agent dies, agent frozen, cut",
    "F40 XC8 reports again, late, of another life": "mischief: repeat; hang-ups in mid-flight",
    "F63 F64 mapping and trigger rules": "dags: random_dag against reference",
    "F66 a poisoned run": "tests/scenarios",
    "F67 pools resized and deleted": "people: resize, delete_pool",
    "F68 triggers again": "people: trigger",
    "F72 priorities": "dags: priority_weight; nothing waits for ever",
    "F73 delays of nothing and of months": "dags: DELAYS_S",
    "F09-F14 F17-F23 F35 F38 F39 F46-F57 F60-F62 F65 F70 F71 F74-F76": "elsewhere: real processes",
}

# Where a transaction can be interrupted: before and after each of these.
SEAMS: Final[list[tuple[Any, str]]] = [
    (queue, "startable"),
    (runs, "claim"),
    (reports, "take"),
    (reports, "put"),
    (snapshots, "load"),
    (pools, "lock"),
    (changes, "write"),
    (sessions, "renew"),
    (sessions, "expire"),
    (sessions, "open_session"),
    (queue, "due_dags"),
    (queue, "fires_decided"),
    (tick.Ticker, "settle"),
    (Gateway, "acknowledge"),
    (Gateway, "deliver"),
]
# By agent: the first can run everything, so that every run ends.
QUEUES: Final = (("default", "gpu"), ("default",), ("gpu",))
CAN_CONFLICT: Final = {"claim", "load", "lock", "write", "expire", "renew", "due_dags"}


class Connections:
    """Of one database, used again by one seed after another."""

    @classmethod
    @contextmanager
    def of_a_fresh_database(cls, dsn: str) -> "Iterator[Connections]":
        with fresh_database(dsn) as own:
            connections = cls(own)
            try:
                yield connections
            finally:
                connections.close()

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.observer = connect(dsn)
        self.observer.execute("SET plan_cache_mode = force_generic_plan")
        self.observer.prepare_threshold = 0
        self.engines = [connect(dsn, role=ENGINE, limits=WAITS_FOR_NOBODY) for _ in range(3)]
        self.people = [connect(dsn, role=ENGINE, limits=WAITS_FOR_NOBODY) for _ in range(3)]

    def close(self) -> None:
        for conn in (self.observer, *self.engines, *self.people):
            conn.close()


class World:
    seams = tuple(SEAMS)
    wait_of: Callable[..., Deferral | None] = staticmethod(no_wait)
    salt: Callable[..., bytes] = staticmethod(nobody_signs_in)
    left: Callable[..., list[str]] = staticmethod(rest.left)
    still_max = STILL_MAX

    def __init__(
        self,
        seed: int,
        connections: Connections,
        *,
        crash_at: tuple[int, ...] = (),
        steps: int = STEPS,
    ) -> None:
        self.steps = steps
        self.chance = Random(seed)
        self.mischief = self.chance.choice([0.0, 0.3, 1.0, 1.0])
        self.meanwhile = 0.1  # how often others act between two steps of a transaction
        self.elapsed = 0.0  # true seconds
        self.set_back = 0.0  # of the database's clock
        self.trouble = True
        self.crash_at = crash_at
        self.points = self.story_points = 0
        self.depth = 0
        self.precious = False  # the tick that goes on takes in the end of an attempt
        self.ids = 0
        self.checked = self.step_from = 0
        self.hash = hashlib.sha256()
        self.trace: list[str] = []
        self.violations: list[str] = []
        self.connections = connections
        self.observer = connections.observer
        self.lent: set[int] = set()
        self.old_reports: list[Ended] = []
        self.retimed: set[str] = set()
        self.specs: dict[tuple[str, int], Dag] = {}
        self.truth = Truth(self.observer, self.note)
        self.people = People(self)
        self.processes = [
            Process(conn, self.note)
            for conn in connections.engines[: self.chance.choice([1, 2, 3, 3])]
        ]
        self.labelled = Random(f"labels of {seed}").random() < 0.3
        self.agents = [
            Agent(
                self,
                f"agent{number}",
                slots=self.chance.choice([1, 2, 4]),
                processes=self.chance.choice([1, 2, 4]),
                rate=self.chance.choice([0.9, 1.0, 1.0, 1.1]),
                queues=QUEUES[number % len(QUEUES)] if self.labelled else ("default",),
            )
            for number in range(self.chance.choice([1, 2, 3]))
        ]
        self.dag_ids: list[str] = []

    # -- time, chance and names

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed - self.set_back)

    def happens(self, chance: float) -> bool:
        return self.trouble and self.chance.random() < chance * self.mischief

    def new_id(self, kind: str = "r") -> str:
        self.ids += 1
        return f"{kind}{self.ids:04}"

    def pass_time(self, seconds: float) -> None:
        self.elapsed += seconds
        for agent in self.agents:
            agent.keep_the_fence()

    # -- what the others ask

    def somewhere_to_connect(self) -> Listener | None:
        up = [p.listener for p in self.processes if p.scheduler is not None]
        return self.chance.choice(up) if up else None

    def free_connection(self) -> Session | None:
        free = [conn for conn in self.connections.people if id(conn) not in self.lent]
        return free[0] if free else None

    def graphs(self, conn: Connection[Any]) -> Callable[[int, str, int], Graph]:
        return Catalog(conn).graph

    def version(self, dag_id: str, number: int) -> Dag:
        if (dag_id, number) not in self.specs:
            row = self.observer.execute(
                "SELECT spec::text FROM dag_version WHERE dag_id = %s AND version = %s",
                [dag_id, number],
            ).fetchone()
            assert row is not None
            self.specs[dag_id, number] = decode(row[0])
        return self.specs[dag_id, number]

    def task_of(self, key: AttemptKey) -> tuple[Dag, Task]:
        row = self.observer.execute(
            "SELECT dag_id, version FROM run WHERE run_id = %s", [key.run_id]
        ).fetchone()
        assert row is not None
        dag = self.version(*row)
        return dag, next(task for task in dag.tasks if task.task_id == key.task_id)

    # -- interruptions

    def point(self, name: str) -> None:
        """A step of a transaction lies behind, the next before it."""
        self.points += 1
        if self.points in self.crash_at:
            self.note(f"crash: {name}")
            raise Crash(name)
        precious = PRECIOUS if self.precious else 1.0
        if self.happens(0.006 * precious):
            self.note(f"crash: {name}")
            raise Crash(name)
        if name.removeprefix("before ") in CAN_CONFLICT and self.happens(0.015 * precious):
            self.note(f"serialization failure: {name}")
            raise psycopg.errors.SerializationFailure("injected")
        if self.depth < DEPTH_MAX and self.happens(self.meanwhile):
            self.note(f"meanwhile: {name}")
            self.depth += 1
            try:
                others = [self.scheduler_turns] * 4 + [self.agent_turns] + [self.people.act] * 2
                self.chance.choice(others)()
            finally:
                self.depth -= 1

    def seam(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def passing(*args: Any, **kwargs: Any) -> Any:
            self.point(f"before {name}")
            try:
                result = work(*args, **kwargs)
            except psycopg.errors.LockNotAvailable:
                if name == "claim":
                    self.violations.append("F05 a tick waited for a run that another one holds")
                raise
            self.point(f"after {name}")
            return result

        return passing

    def noticing(self, drain: Callable[[Gateway], list[Envelope]]) -> Callable[[Gateway], Any]:
        def noticed(gateway: Gateway) -> list[Envelope]:
            found = drain(gateway)
            self.precious = any(isinstance(envelope.report, End) for envelope in found)
            return found

        return noticed

    # -- what can happen next

    def scheduler_turns(self) -> None:
        idle = [p for p in self.processes if not p.busy and self.elapsed >= p.frozen_until]
        hearing = [p for p in idle if p.has_news()] if self.depth else []
        if idle:
            self.chance.choice(hearing or idle).turn()

    def agent_turns(self) -> None:
        self.chance.choice(self.agents).turn()

    def time_passes(self) -> None:
        self.pass_time(self.chance.choice([0.1, 0.5, 1.0, 2.0, 5.0]))
        if self.happens(0.03):
            self.pass_time(self.chance.choice([12.0, 40.0, 150.0]))
        if self.happens(0.02):
            self.set_back += self.chance.choice([0.5, 5.0, 30.0])

    def mischief_happens(self) -> None:
        """One fault."""
        if not self.happens(1.0):
            return
        agent = self.chance.choice(self.agents)
        process = self.chance.choice(self.processes)
        kinds = ["cut", "cut", "repeat", "repeat", "agent dies", "agent frozen", "frozen", "dies"]
        kind = self.chance.choice(kinds)
        self.note(kind)
        match kind:
            case "cut":
                agent.hang_up()
            case "repeat":
                agent.repeat_itself()
            case "agent dies":
                agent.fence()
            case "agent frozen":
                agent.away_until = self.elapsed + self.chance.choice([6.0, 30.0])
            case "frozen" if not process.busy:
                process.frozen_until = self.elapsed + 60.0
            case "dies" if not process.busy:
                process.die()

    # -- what must always hold, and what must hold in the end

    def check(self) -> None:
        broken = invariants.check(self.observer, self.step_from, tuple(self.retimed))
        broken += invariants.untrue_reasons(self.observer)
        broken += self.violations
        assert not broken, broken
        self.truth.check()
        self.truth.check_choices(self.version)
        self.remember()
        self.step_from = self.checked

    def remember(self) -> None:
        rows = self.observer.execute(
            "SELECT seq, run_id, task_id, map_index, attempt, name, actor, reason FROM event"
            " WHERE seq > %s ORDER BY seq",
            [self.checked],
        ).fetchall()
        for row in rows:
            self.note(" ".join(str(value) for value in row if value is not None))
            self.checked = row[0]

    def note(self, line: str) -> None:
        self.hash.update(line.encode())
        self.trace.append(f"{self.elapsed:8.1f} {line}")

    def unfinished(self) -> list[str]:
        rows = self.observer.execute(
            "SELECT run_id FROM run WHERE set_aside IS NULL"
            " AND state NOT IN ('success', 'failed', 'cancelled', 'skipped') ORDER BY run_id"
        )
        return [str(row[0]) for row in rows]

    def run(self) -> None:
        logging.disable(logging.CRITICAL)
        try:
            with self.patched():
                self.begin()
                self.trouble_comes()
                self.all_ends_well()
        finally:
            logging.disable(logging.NOTSET)
            for process in self.processes:
                process.die()

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Time, chance and names are the world's; each seam lets the world in."""
        with ExitStack() as stack:
            stack.enter_context(clock.use(WorldClock(self)))
            stack.enter_context(ids.use(WorldChance(self)))
            patch = mock.patch.object
            stack.enter_context(patch(Gateway, "drain", self.noticing(Gateway.drain)))
            for owner, name in self.seams:
                work = self.seam(name, getattr(owner, name))
                stack.enter_context(patch(owner, name, work))
            yield

    def begin(self) -> None:
        with self.observer.transaction():
            self.observer.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
            reset = "UPDATE share SET used = 0, allotted = NULL, fair = NULL, short = false"
            self.observer.execute(reset)
            self.observer.execute("INSERT INTO bundle VALUES (1, 'v', 1, 1, %s)", [self.now])
        self.populate()

    def populate(self) -> None:
        with self.observer.transaction():
            for name in POOLS:
                slots = self.chance.randrange(5)
                self.observer.execute("INSERT INTO pool VALUES (1, %s, %s)", [name, slots])
        conn = self.connections.people[0]
        for number in range(self.chance.choice([1, 2, 3])):
            self.dag_ids.append(f"d{number}")
            dag = random_dag(self.chance, f"d{number}", self.now)
            transact(conn, put, TEAM, with_queues(dag) if self.labelled else dag, self)

    def trouble_comes(self) -> None:
        moves = [self.scheduler_turns] * 6 + [self.agent_turns] * 6 + [self.time_passes] * 4
        moves += [self.people.act] * 3 + [self.mischief_happens] * 2
        for _ in range(self.steps):
            self.chance.choice(moves)()
            self.check()

    def all_ends_well(self) -> None:
        self.trouble = False
        for process in self.processes:
            process.frozen_until = 0.0
        for agent in self.agents:
            agent.away_until = 0.0
        self.people.settle(self.connections.people[0])
        # One scheduler must do, whatever the others leave behind.
        for process in self.processes[1:]:
            process.die()
        quiet = 0
        for number in range(CALM_ROUNDS_MAX):
            before = self.checked
            self.outside_goes_on()
            self.processes[0].turn()
            if self.processes[0].scheduler is not None:  # it did not die of it
                late = invariants.overdue(self.observer, self.now)
                assert not late, f"I17 bound to a session whose lease is over: {late}"
            for agent in self.agents * 2:
                agent.turn()
            self.remember()
            if not (left := self.unfinished()):
                break
            if number % CALM_CHECK_EVERY == 0:
                self.check()
            quiet = quiet + 1 if self.checked == before else 0
            assert quiet < self.still_max, f"S5 runs never end, and nothing happens: {left}"
            self.pass_time(2.5 if quiet < 8 else self.until_next_timer())
        else:
            raise AssertionError(f"S5 runs never end: {left}")
        self.check()
        self.truth.check_results(self.set_back)
        left_out = "SELECT run_id, set_aside FROM run WHERE set_aside IS NOT NULL"
        aside = self.observer.execute(left_out).fetchall()
        assert not aside, f"F66 set aside for no fault of theirs: {aside}"
        self.compare()
        self.all_is_quiet()

    def all_is_quiet(self) -> None:
        """S10 and S7: the agents leave without a word, and then there is nothing left to do."""
        self.crash_at = ()  # a point in the quiet is none of the story
        self.story_points = self.points
        for agent in self.agents:
            agent.fence()
        self.pass_time(rest.last_lease_ends_in_s(self.observer, self.now) + 1)
        process = self.processes[0]
        for _ in range(QUIET_ROUNDS):
            process.turn()
            self.pass_time(scheduler.REST_S)
        assert not (left := self.left(self.observer)), f"S10 left when all is quiet: {left}"
        before = rest.written(self.observer)
        process.turn()
        assert process.scheduler is not None
        assert not process.scheduler.wanted, "S7 a tick wants another, and there is nothing to do"
        assert rest.written(self.observer) == before, "S7 a tick with nothing to do wrote something"

    def outside_goes_on(self) -> None:
        """What else goes on in a calm world: here nothing."""

    def until_next_timer(self) -> float:
        first = "SELECT min(due_at) FROM run WHERE set_aside IS NULL"
        row = self.observer.execute(first).fetchone()
        if row is None or row[0] is None:
            return 5.0
        return max(5.0, float((row[0] - self.now).total_seconds()))

    def compare(self) -> None:
        """S6: what nobody touched ends as if nothing had gone wrong."""
        rows = self.observer.execute(
            "SELECT run_id, dag_id, version, state FROM run WHERE cancelled_by IS NULL AND state <> 'skipped'"
            " AND set_aside IS NULL AND NOT EXISTS (SELECT FROM task_instance AS ti"
            "   WHERE ti.run_id = run.run_id AND losses > 5) ORDER BY run_id"
        ).fetchall()
        for run_id, dag_id, number, state in rows:
            dag = self.version(dag_id, number)
            if run_id in self.people.touched:
                continue
            outcome, ends = reference.expected(dag)
            found = self.observer.execute(
                "SELECT task_id, map_index, state FROM task_instance WHERE run_id = %s", [run_id]
            ).fetchall()
            states = {(task, index): end for task, index, end in found}
            differing = {
                key: f"{states.get(key)} instead of {ends.get(key)}"
                for key in sorted({*states, *ends})
                if states.get(key) != ends.get(key)
            }
            assert not differing, f"S6 {run_id} of {dag_id}.{number}: {differing}"
            assert state == outcome, f"S6 {run_id} is {state} instead of {outcome}"
