"""What is stored of warm pools, and the load that they are sized by. The database is real."""

from datetime import timedelta
from typing import Any

from psycopg import Connection

from headway.core.reasons import WarmStarting
from headway.store import warm_pools
from headway.store.clock import clock
from headway.store.transact import read, transact
from headway.store.warm_pools import PoolAgent
from tests.scenarios.world import Scheduler as World
from tests.scenarios.world import deploy, task, trigger

SERVED = ("", "agents", "warm")


def waiting(conn: Connection[Any], limit: int = 100) -> int:
    before = read(conn, clock) + timedelta(seconds=1)
    return read(conn, warm_pools.waiting, 1, SERVED, ("default",), before, limit)


def test_one_scheduler_looks_at_a_time_and_the_next_one_goes_on(conn: Connection[Any]) -> None:
    now = read(conn, clock)
    assert transact(conn, warm_pools.claim, 1, "kubernetes", now, 1.0) is not None
    assert transact(conn, warm_pools.claim, 1, "kubernetes", now, 1.0) is None
    found = [PoolAgent("a", now, is_ready=True, held=2, idle_since=None)]
    why = WarmStarting("b", now.isoformat())
    transact(conn, warm_pools.tell, 1, "kubernetes", 2, found, why, ("default",))
    later = now + timedelta(seconds=1)
    row = transact(conn, warm_pools.claim, 1, "kubernetes", later, 1.0)
    assert row is not None
    assert (row.replicas, row.known, row.why) == (2, {"a": found[0]}, why)
    transact(conn, warm_pools.forget, 1, "kubernetes")
    assert read(conn, warm_pools.every, "kubernetes") == {}


def test_only_what_needs_nothing_but_an_agent_counts(conn: Connection[Any]) -> None:
    conn.execute("UPDATE pool SET slots = 3 WHERE team_id = 1 AND name = 'default'")
    needs = ("", "warm", "kubernetes")
    deploy(conn, *(task(f"t{n}", executor=each) for n, each in enumerate(needs)))
    trigger(conn)
    World(conn, places=0).play()
    assert waiting(conn) == 2  # the third wants a pod
    assert waiting(conn, limit=1) == 1
    conn.execute("UPDATE pool SET slots = 1 WHERE team_id = 1 AND name = 'default'")
    assert waiting(conn) == 1  # an agent more would help one of them
    assert read(conn, warm_pools.waiting, 1, SERVED, ("far",), read(conn, clock), 9) == 0


def test_runs_that_a_timetable_starts_soon(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    now = read(conn, clock)
    conn.execute("UPDATE dag SET next_fire_at = %s", [now + timedelta(seconds=30)])
    assert read(conn, warm_pools.coming, 1, now, 60.0, 9) == [("d", 1)]
    assert read(conn, warm_pools.coming, 1, now, 20.0, 9) == []
