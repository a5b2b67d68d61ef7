"""A world of DAGs that run on data: tasks update assets, several attempts each for some partitions, events come from
outside, with keys that are used twice, and DAGs wait for some of the assets, for an alias, or for any of them. People
pause DAGs and edit the conditions, while schedulers die between handing on an event and making the run that it brings.

A DAG waits for assets of DAGs before it only, so that everything ends.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from msgspec.structs import replace
from psycopg import Connection

from headway import wire
from headway.actions import assets as actions
from headway.actions import commands
from headway.core.aliases import key
from headway.core.schedules import on_assets
from headway.spec.model import Asset, Dag, Task
from headway.store import assets
from headway.store.clock import clock
from headway.store.transact import Session, transact
from tests.simulation import asset_invariants, people
from tests.simulation.dags import POOLS, draw, random_dag
from tests.simulation.minds import willing
from tests.simulation.people import TEAM, People
from tests.simulation.world import SEAMS, Connections, World

STEPS: Final = 15
TASKS_MAX: Final = 4  # of a DAG: the runs are many
KEYS: Final = 8
OUTSIDE: Final = "outside"  # no DAG updates it
ALIAS: Final = key("both")  # of that one and of the asset of the first DAG
STEPS_OF_ASSETS: Final = ("lock", "route", "due", "queues", "judged", "consume", "register", "put")

RUNS: Final = """
    SELECT run_id, dag_id, version, array_agg(asset) FROM run JOIN consumed_asset USING (team_id, run_id)
    WHERE events > 0 GROUP BY run_id, dag_id, version
"""
# Of those that nobody is about to judge.
WAITING: Final = """
    SELECT dag_id, version, coalesce(array_agg(asset) FILTER (WHERE since IS NOT NULL), '{}')
    FROM asset_consumer JOIN dag USING (team_id, dag_id)
    GROUP BY dag_id, version HAVING NOT bool_or(news)
"""


class Assets(World):
    seams = (*SEAMS, *((assets, name) for name in STEPS_OF_ASSETS))
    others: tuple[str, ...] = (OUTSIDE, ALIAS)  # that DAGs wait for, beside the assets of DAGs

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.meanwhile = 0.2
        self.labelled = False
        self.interrupted: set[str] = set()
        self.dropped: set[str] = set()
        self.people: Owners = Owners(self)

    def begin(self) -> None:
        self.observer.execute("ALTER SEQUENCE asset_position RESTART")
        super().begin()

    def trouble_comes(self) -> None:
        """Command upon command, while something happens with what the others brought."""
        for _ in range(self.steps):
            self.people.act()
            for _ in range(self.chance.choice([0, 1, 2, 4])):
                self.pass_time(self.chance.choice([0.1, 1.0]))
                self.scheduler_turns()
                self.agent_turns()
            if self.chance.random() < 0.3:
                self.mischief_happens()
            self.check()

    def populate(self) -> None:
        self.trouble = False
        with self.observer.transaction():
            for name in POOLS:
                self.observer.execute("INSERT INTO pool VALUES (1, %s, 3)", [name])
        for number in range(self.chance.choice([2, 3, 4])):
            self.dag_ids.append(f"d{number}")
            dag = dag_of_assets(self.chance, number, self.now, self.others)
            transact(self.connections.people[0], put, TEAM, dag, self)
        for asset in (OUTSIDE, asset_of(0)):
            self.observer.execute(
                "INSERT INTO asset_alias VALUES (1, 'both', %s, 0, now())", [asset]
            )
        self.trouble = True

    def check(self) -> None:
        super().check()
        broken = asset_invariants.check(self.observer, self.interrupted, self.dropped)
        assert not broken, broken
        for run_id, dag_id, version, arrived in self.observer.execute(RUNS).fetchall():
            assert self.is_met(dag_id, version, arrived), f"I40 {run_id} of {dag_id} came too early"
        for dag_id, version, arrived in self.observer.execute(WAITING).fetchall():
            assert not self.is_met(dag_id, version, arrived), f"I41 {dag_id} never gets its run"

    def named(self, dag: Dag) -> Dag:
        """Return the DAG as its file has it."""
        return dag

    def is_met(self, dag_id: str, version: int, arrived: list[str]) -> bool:
        condition = condition_of(self.version(dag_id, version))
        return condition is not None and on_assets.is_met(on_assets.frozen(condition), arrived)

    def unfinished(self) -> list[str]:
        return super().unfinished() or asset_invariants.left(self.observer)

    def all_is_quiet(self) -> None:
        super().all_is_quiet()
        assert not (left := asset_invariants.left(self.observer)), f"S10 left of assets: {left}"


class Owners(People):
    """Those of the DAGs, and what reports events from outside."""

    world: Assets

    def __init__(self, world: Assets) -> None:
        super().__init__(world)
        self.keys: dict[tuple[str, str], int] = {}  # asset and key: the event that was answered

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds = [self.trigger] * 2 + [self.emit] * 5 + [self.edit] * 2 + [self.switch]
            self.attempt(conn, self.chance.choice([*deeds, self.clear, self.mark, self.cancel]))

    def emit(self, conn: Session) -> None:
        asset = self.chance.choice([OUTSIDE, *map(asset_of, range(len(self.world.dag_ids)))])
        key = self.chance.choice([None, f"k{self.chance.randrange(KEYS)}"])
        partition = self.chance.choice([None, "p1"])
        request = wire.AssetEventRequest(asset=asset, partition=partition, idempotency_key=key)
        event = self.do(conn, actions.emit, request, "user:ann")
        if key is not None:
            known = self.keys.setdefault((asset, key), event.event_id)
            assert known == event.event_id, f"G1 key {key} made two events of {asset}"

    def switch(self, conn: Session) -> None:
        dag_id = self.chance.choice(self.world.dag_ids)
        self.world.interrupted.add(dag_id)  # before: it may be committed and then not answered
        self.do(conn, self.chance.choice([commands.pause, commands.resume]), dag_id, "user:bob")

    def edit(self, conn: Session) -> None:
        """Another condition, in its next version."""
        number = self.chance.randrange(1, len(self.world.dag_ids))
        dag_id = self.world.dag_ids[number]
        row = self.world.observer.execute(
            "SELECT version FROM dag WHERE dag_id = %s", [dag_id]
        ).fetchone()
        assert row is not None
        self.world.dropped.add(dag_id)
        condition = random_condition(self.chance, number, self.world.others)
        dag = with_condition(self.world.version(dag_id, row[0]), condition)
        self.do(conn, put, dag, self.world)

    def calm_down(self, conn: Session) -> None:
        for dag_id in self.world.dag_ids:
            self.do(conn, commands.resume, dag_id, "user:bob")


def put(conn: Connection[Any], team_id: int, dag: Dag, world: Assets) -> None:
    dag = world.named(dag)
    people.put(conn, team_id, dag, world)
    assets.register(conn, team_id, [dag], clock(conn))


def asset_of(number: int) -> str:
    return f"a{number}"


def dag_of_assets(
    chance: Random, number: int, now: Any, others: Sequence[str] = (OUTSIDE, ALIAS)
) -> Dag:
    """A random DAG, some of whose tasks update the asset of its number."""
    dag_id = f"d{number}"
    made = random_dag(chance, dag_id, now)
    tasks = tuple(
        updating(task, dag_id, asset_of(number))
        if place == 0 or draw(task, -1, "outlet") % 3 == 0
        else task
        for place, task in enumerate(made.tasks[:TASKS_MAX])
    )
    dag = replace(made, tasks=tasks, start_date=None, dagrun_timeout_s=None)
    names = (*others, *map(asset_of, range(number + 1)))
    known = tuple(Asset(name=name) for name in names)
    dag = replace(dag, assets=known)
    return with_condition(dag, random_condition(chance, number, others) if number else None)


def updating(task: Task, dag_id: str, asset: str) -> Task:
    """The same task with an outlet; it succeeds at once."""
    return replace(task, outlets=(asset,), doc=willing(task.task_id, dag_id))


def random_condition(chance: Random, number: int, others: Sequence[str]) -> Any:
    """On assets of DAGs before this one."""
    names = [*others, *map(asset_of, range(number))]
    first, second, third = (chance.choice(names) for _ in range(3))
    shapes = [first, {"all": [first, second]}, {"any": [first, second]}]
    return chance.choice([*shapes, {"all": [first, {"any": [second, third]}]}])


def with_condition(dag: Dag, condition: Any) -> Dag:
    return replace(dag, schedule=None if condition is None else {"assets": condition})


def condition_of(dag: Dag) -> Any:
    return None if dag.schedule is None else dag.schedule.get("assets")
