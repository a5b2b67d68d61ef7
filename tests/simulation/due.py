"""A world of partitions that are due: hours pass, some before their keys have come, while DAGs are paused or become due
at other times, and schedulers die between a look and what they tell.

A partition that was due and has no run is told of once, and none is left out.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from headway import wire
from headway.actions import assets as actions
from headway.spec.model import Dag
from headway.store import partitions_due
from headway.store.transact import Session
from tests.simulation.assets import OUTSIDE, asset_of
from tests.simulation.partitions import Partitions, Senders
from tests.simulation.world import Connections

STEPS: Final = 15
HOURS: Final = tuple(f"2026-01-01T{hour:02}" for hour in range(8))
DUE_S: Final = (0, 1, 20, 90)
STARTS_OF_HOURS: Final = {"kind": "start_of", "period": "hour"}
SEEN_AGAIN: Final = timedelta(seconds=60)  # longer than a pause between two looks

TOLD: Final = """
    SELECT dag_id, version, at, reason ->> 'partition', (reason ->> 'due')::timestamptz FROM event
    WHERE name = 'overdue_partition'
"""
RUNS: Final = (
    "SELECT dag_id, partition, min(created_at) FROM run WHERE partition IS NOT NULL GROUP BY 1, 2"
)
PRESENT: Final = "SELECT dag_id, version FROM dag WHERE partitions_due_at IS NOT NULL"


class Due(Partitions):
    seams = (*Partitions.seams, *((partitions_due, name) for name in ("due", "tell", "looked")))

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.people: Hours = Hours(self)

    def begin(self) -> None:
        """An hour ends soon."""
        self.elapsed = 3600.0 - self.chance.choice([2.0, 10.0, 25.0])
        super().begin()

    def schedule_of(self, number: int) -> dict[str, Any]:
        return random_schedule(self.chance, number)

    def check(self) -> None:
        super().check()
        began = {(dag_id, hour): at for dag_id, hour, at in self.observer.execute(RUNS)}
        told: set[tuple[str, str]] = set()
        for dag_id, version, at, hour, due_at in self.observer.execute(TOLD).fetchall():
            assert (dag_id, hour) not in told, f"I69 {hour} of {dag_id} is told of twice"
            told.add((dag_id, hour))
            assert self.due_at(dag_id, version, hour) == due_at <= at, (
                f"I70 {hour} of {dag_id} is told of before it is due"
            )
            run_at = began.get((dag_id, hour))
            assert run_at is None or run_at >= at, f"I70 {hour} of {dag_id} has a run"

    def due_at(self, dag_id: str, version: int, hour: str) -> datetime:
        schedule = self.schedule(dag_id, version)
        span = schedule.span(hour)
        assert span is not None
        assert schedule.due is not None
        return span.end + schedule.due

    def all_is_quiet(self) -> None:
        """Hours pass in the calm, two of them without a look, before there is nothing left to do."""
        for hours in (1, 2, 1):
            self.pass_time(3600.0 * hours)
            for _ in range(4):
                self.processes[0].turn()
                self.pass_time(SEEN_AGAIN.total_seconds())
        self.check()
        assert not (left := sorted(self.untold())), f"I71 overdue, and nobody is told: {left}"
        super().all_is_quiet()

    def untold(self) -> Iterator[tuple[str, str]]:
        told = {(row[0], row[3]) for row in self.observer.execute(TOLD)}
        began = {(row[0], row[1]) for row in self.observer.execute(RUNS)}
        for dag_id, version in self.observer.execute(PRESENT).fetchall():
            if dag_id in self.interrupted:
                continue  # what was due in a pause is not told
            for hour in HOURS:
                due_at = self.due_at(dag_id, version, hour)
                if due_at < self.now - SEEN_AGAIN and (dag_id, hour) not in told | began:
                    yield dag_id, hour


def random_schedule(chance: Random, number: int) -> dict[str, Any]:
    names = [OUTSIDE, *map(asset_of, range(number))]
    first, second = chance.choice(names), chance.choice(names)
    on = chance.choice([first, {"all": [first, second]}, {"any": [first, second]}])
    late, due_s = chance.choice(["wait", "run"]), chance.choice(DUE_S)
    return {"partitions": {"on": on, "mapper": STARTS_OF_HOURS, "late": late, "due_s": due_s}}


class Hours(Senders):
    """Those who report the keys of hours."""

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            pauses = [self.switch] if self.chance.random() < 0.3 else []
            deeds = [self.trigger] * 4 + [self.send] * 4 + [self.edit, self.clear, self.cancel]
            self.attempt(conn, self.chance.choice([*deeds, *pauses]))

    def send(self, conn: Session) -> None:
        asset = self.chance.choice([OUTSIDE, *map(asset_of, range(len(self.world.dag_ids)))])
        request = wire.AssetEventRequest(asset=asset, partition=self.chance.choice(HOURS[:4]))
        self.do(conn, actions.emit, request, "user:ann")

    def another(self, known: Dag) -> Dag:
        """Its partitions are due at another time."""
        assert known.schedule is not None
        given = {**known.schedule["partitions"], "due_s": self.chance.choice(DUE_S)}
        return replace(known, schedule={"partitions": given})
