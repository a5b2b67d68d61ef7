"""A world of DAGs that run on partitions: keys arrive from tasks and from outside, more than once, out of order, some
that no mapper reads, while DAGs are paused or get other mappers, and schedulers die between mapping a key and its run.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Final, LiteralString

from msgspec.structs import replace

from headway import wire
from headway.actions import assets as actions
from headway.core import schedules
from headway.core.partitions import BadKey
from headway.core.schedules import OnPartitions
from headway.engine import partitions as engine
from headway.spec.model import Dag
from headway.store import partitions
from headway.store.transact import Session, transact
from tests.simulation.assets import OUTSIDE, Assets, Owners, asset_of, dag_of_assets, put
from tests.simulation.dags import POOLS
from tests.simulation.people import TEAM
from tests.simulation.world import Connections

STEPS: Final = 15
HOURS: Final = tuple(f"2026-03-{day:02}T{hour:02}" for day in (28, 29, 30) for hour in (0, 8, 16))
KEYS: Final = (*HOURS, "eu", "us", "moon", None)
STEPS_OF_PARTITIONS: Final = ("take", "outdated", "arrive", "advance", "news", "judged", "consume")

ALL: Final = {"kind": "fixed", "to": "all"}
DAYS: Final = {"kind": "start_of", "period": "day"}
MAPPERS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "identity"},
    DAYS,
    {"kind": "rollup", "upstream": DAYS, "window": {"period": "day"}, "at_least": 2},
    {"kind": "rollup", "upstream": ALL, "window": {"segments": ["eu", "us"]}},
    {"kind": "rollup", "upstream": ALL, "window": {"segments": list(HOURS[:3])}, "at_least": -1},
    {"kind": "fan_out", "upstream": DAYS, "window": {"period": "day"}, "downstream": {**DAYS, "period": "week"}},
)  # fmt: skip

# Each key that a DAG has learnt of: where it is now, or in which run. By what the present schedule makes of keys it is
# checked in Python that none is lost.
LEARNT: Final[LiteralString] = """
    SELECT consumer.dag_id, dag.version, event.asset, event.partition, event.position
    FROM asset_consumer AS consumer JOIN dag USING (team_id, dag_id)
    JOIN asset_event AS event ON event.team_id = consumer.team_id AND event.asset = consumer.asset
    WHERE partitioned AND event.position <= consumer.consumed AND event.partition IS NOT NULL
"""
KEPT: Final[LiteralString] = """
    SELECT dag_id, partition, asset, key, position, 'pending' FROM arrived_partition
    UNION ALL
    SELECT dag_id, run.partition, asset, key, position, run_id FROM consumed_partition JOIN run USING (team_id, run_id)
"""
TWICE: Final[LiteralString] = """
    SELECT FROM consumed_partition JOIN run USING (team_id, run_id)
    GROUP BY team_id, dag_id, run.partition, asset, key, position HAVING count(*) > 1
"""
UNKNOWN: Final[LiteralString] = """
    SELECT FROM (
        SELECT team_id, asset, key, position FROM arrived_partition
        UNION ALL SELECT team_id, asset, key, position FROM consumed_partition) AS kept
    LEFT JOIN asset_event AS event USING (team_id, asset, position)
    WHERE event.partition IS DISTINCT FROM kept.key
"""
UNTOLD: Final[LiteralString] = """
    SELECT FROM asset_consumer AS one JOIN asset_event USING (team_id, asset)
    WHERE one.partitioned AND position > latest
"""
IDLE: Final[LiteralString] = """
    SELECT pending.dag_id, dag.version, partition, late
    FROM pending_partition AS pending JOIN dag USING (team_id, dag_id)
    WHERE NOT pending.news AND NOT EXISTS (
        SELECT FROM asset_consumer AS consumer WHERE consumer.dag_id = pending.dag_id AND consumer.news)
"""
RUNS: Final[LiteralString] = """
    SELECT run.dag_id, run.version, run.run_id, run.partition, late.run_id IS NOT NULL
    FROM run LEFT JOIN LATERAL (
        SELECT run_id FROM run AS earlier WHERE earlier.dag_id = run.dag_id AND earlier.partition = run.partition
            AND earlier.run_id <> run.run_id LIMIT 1) AS late ON true
    WHERE run.trigger = 'asset' AND run.partition IS NOT NULL
"""


class Partitions(Assets):
    seams = (*Assets.seams, *((partitions, name) for name in STEPS_OF_PARTITIONS))

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.people: Senders = Senders(self)
        self.judged_runs: set[str] = set()

    def populate(self) -> None:
        self.trouble = False
        with self.observer.transaction():
            for name in POOLS:
                self.observer.execute("INSERT INTO pool VALUES (1, %s, 3)", [name])
        for number in range(self.chance.choice([2, 3])):
            self.dag_ids.append(f"d{number}")
            dag = dag_of_assets(self.chance, number, self.now)
            if number:
                dag = replace(dag, schedule=self.schedule_of(number))
            transact(self.connections.people[0], put, TEAM, dag, self)
        self.trouble = True

    def schedule_of(self, number: int) -> dict[str, Any]:
        return random_schedule(self.chance, number)

    def check(self) -> None:
        super().check()
        found = [
            name
            for name, query in (
                ("I61 a key that no event brought", UNKNOWN),
                ("I62 a key of an event in two runs of a partition", TWICE),
                ("I63 an event that a DAG on partitions was not told of", UNTOLD),
            )
            if self.observer.execute(query).fetchone() is not None
        ]
        assert not found, found
        kept = list(self.observer.execute(KEPT))
        self.nothing_is_lost(kept)
        self.runs_are_complete(kept)
        self.complete_ones_run(kept)

    def nothing_is_lost(self, kept: list[Any]) -> None:
        latest: dict[tuple[str, str, str, str], int] = {}
        for dag_id, partition, asset, key, position, _ in kept:
            place = dag_id, partition, asset, key
            latest[place] = max(latest.get(place, 0), position)
        for dag_id, version, asset, key, position in self.observer.execute(LEARNT):
            if (
                dag_id in self.dropped
            ):  # what another mapper made of a key went with a run of that time
                continue
            for partition in self.mapped(dag_id, version, asset, key):
                found = latest.get((dag_id, partition, asset, key), 0)
                assert found >= position, (
                    f"I60 {key} of {asset} is lost for {partition} of {dag_id}"
                )

    def mapped(self, dag_id: str, version: int, asset: str, key: str) -> Iterator[str]:
        schedule = self.schedule(dag_id, version)
        if asset in schedule.assets:
            try:
                yield from schedule.map(asset, key)
            except BadKey:
                return

    def schedule(self, dag_id: str, version: int) -> OnPartitions:
        found = schedules.read(self.version(dag_id, version).schedule, None)
        assert isinstance(found, OnPartitions)
        return found

    def runs_are_complete(self, kept: list[Any]) -> None:
        for dag_id, version, run_id, partition, is_late in self.observer.execute(RUNS).fetchall():
            if run_id in self.judged_runs:
                continue
            self.judged_runs.add(run_id)
            here = keys_of(kept, dag_id, partition, run_id)
            schedule = self.schedule(dag_id, version)
            is_due = schedule.is_complete(partition, here) or (is_late and schedule.late == "run")
            assert is_due, f"I64 {run_id} of {dag_id} for {partition} came too early"

    def complete_ones_run(self, kept: list[Any]) -> None:
        for dag_id, version, partition, late in self.observer.execute(IDLE).fetchall():
            schedule, here = (
                self.schedule(dag_id, version),
                keys_of(kept, dag_id, partition, "pending"),
            )
            if engine.is_due(
                schedule, partitions.Pending(partition, self.now, self.now, late), here
            ):
                raise AssertionError(f"I65 {partition} of {dag_id} never gets its run")


def keys_of(kept: list[Any], dag_id: str, partition: str, where: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for dag, part, asset, key, _, place in kept:
        if (dag, part, place) == (dag_id, partition, where):
            found.setdefault(asset, []).append(key)
    return found


def random_schedule(chance: Random, number: int) -> dict[str, Any]:
    names = [OUTSIDE, *map(asset_of, range(number))]
    first, second = chance.choice(names), chance.choice(names)
    on = chance.choice([first, {"all": [first, second]}, {"any": [first, second]}])
    given = {"on": on, "mapper": chance.choice(MAPPERS), "late": chance.choice(["wait", "run"])}
    return {"partitions": given}


class Senders(Owners):
    """Those who report keys, and the people."""

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds = [self.trigger] * 2 + [self.send] * 8 + [self.switch, self.edit]
            self.attempt(conn, self.chance.choice([*deeds, self.clear, self.cancel]))

    def send(self, conn: Session) -> None:
        asset = self.chance.choice([OUTSIDE, *map(asset_of, range(len(self.world.dag_ids)))])
        request = wire.AssetEventRequest(asset=asset, partition=self.chance.choice(KEYS))
        self.do(conn, actions.emit, request, "user:ann")

    def edit(self, conn: Session) -> None:
        """Another schedule, in the next version; the condition stays."""
        number = self.chance.randrange(1, len(self.world.dag_ids))
        dag_id = self.world.dag_ids[number]
        row = self.world.observer.execute(
            "SELECT version FROM dag WHERE dag_id = %s", [dag_id]
        ).fetchone()
        assert row is not None
        self.world.dropped.add(dag_id)
        known: Dag = self.world.version(dag_id, row[0])
        self.do(conn, put, self.another(known), self.world)

    def another(self, known: Dag) -> Dag:
        """Its keys are mapped by another mapper."""
        assert known.schedule is not None
        given = {**known.schedule["partitions"], "mapper": self.chance.choice(MAPPERS)}
        return replace(known, schedule={"partitions": given})
