"""Which runs come into being, and which of them may start."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import ClientCursor, Connection

from headway import ids
from headway.actions import backfills, commands
from headway.actions.commands import RunRequest
from headway.engine import timetables
from headway.engine.catalog import Catalog
from headway.errors import Conflict, NotFound, UsageError
from headway.store import queue
from headway.store.transact import transact
from tests.scenarios.world import (
    ANN,
    START_DATE,
    Scheduler,
    deploy,
    run_state,
    task,
    trigger,
    value,
)

DAILY = {"cron": "0 0 * * *"}
ACTIVE = "SELECT count(*) FROM run WHERE state = 'running'"


def due(scheduler: Scheduler, now: datetime) -> int:
    return transact(
        scheduler.conn, timetables.create_due, scheduler.ticker.catalog, ids.run_id, now
    )


def dates(conn: Connection[Any]) -> list[int]:
    """Days after the start date."""
    found = conn.execute("SELECT logical_date FROM run ORDER BY logical_date").fetchall()
    return [(date - START_DATE).days for (date,) in found]


def test_max_active_runs(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), max_active_runs=2)
    scheduler = Scheduler(conn)
    ids = trigger(conn, "d", *(f"k{n}" for n in range(5)))
    scheduler.tick()
    assert value(conn, ACTIVE) == 2
    scheduler.tick(*scheduler.work())
    scheduler.tick()
    assert value(conn, ACTIVE) == 2
    scheduler.play()
    assert {run_state(conn, run_id) for run_id in ids} == {"success"}
    assert not value(conn, "SELECT has_queued FROM dag")


def test_a_trigger_with_the_same_key_is_the_same_run(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    first = trigger(conn, "d", "k1", "k2")
    assert trigger(conn, "d", "k2", "k3", "k1")[::2] == first[::-1]
    assert value(conn, "SELECT count(*) FROM run") == 3
    assert value(conn, "SELECT count(*) FROM event WHERE name = 'create' AND subject = 'run'") == 3
    assert len(set(trigger(conn, "d", None, None))) == 2


def test_a_trigger_of_what_is_not_there(conn: Connection[Any]) -> None:
    with pytest.raises(NotFound):
        trigger(conn, "nope")
    deploy(conn, task("a"))
    with pytest.raises(UsageError):
        transact(conn, commands.trigger, 1, "d", [RunRequest(params={"x": 1})], ANN)
    conn.execute("UPDATE dag SET missing_since = now()")
    with pytest.raises(Conflict):
        trigger(conn)
    assert value(conn, "SELECT count(*) FROM run") == 0


def test_fires_are_made_once_however_often_they_are_due(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE, catchup=True)
    scheduler = Scheduler(conn)
    now = START_DATE + timedelta(days=3, hours=1)
    assert due(scheduler, now) == 4
    assert due(scheduler, now) == 0
    conn.execute("UPDATE dag SET last_fire = NULL, next_fire_at = %s", [START_DATE])
    assert due(scheduler, now) == 0
    assert due(scheduler, now + timedelta(days=1)) == 1
    assert dates(conn) == [0, 1, 2, 3, 4]


def test_without_catch_up_only_the_latest(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE, catchup=False)
    scheduler = Scheduler(conn)
    assert due(scheduler, START_DATE + timedelta(days=10, hours=1)) == 1
    assert dates(conn) == [10]
    assert due(scheduler, START_DATE + timedelta(days=14)) == 1
    assert dates(conn) == [10, 14]


def test_a_long_catch_up_comes_in_bursts(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE, catchup=True)
    scheduler = Scheduler(conn)
    now = START_DATE + timedelta(days=119)
    made = [due(scheduler, now) for _ in range(4)]
    assert made == [50, 50, 20, 0]
    assert dates(conn) == list(range(120))


def test_a_paused_dag_has_no_fires(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE, catchup=True)
    scheduler = Scheduler(conn)
    transact(conn, commands.pause, 1, "d", ANN)
    assert due(scheduler, START_DATE + timedelta(days=3)) == 0
    transact(conn, commands.resume, 1, "d", ANN)
    assert due(scheduler, START_DATE + timedelta(days=3)) == 4


def backfill(
    conn: Connection[Any], days: int, active: int, first: datetime = START_DATE
) -> list[str]:
    wanted = [first + timedelta(days=n) for n in range(days)]

    def create(conn: Connection[Any]) -> list[str]:
        planned = backfills.plan(conn, 1, "d", wanted, backfills.Again.MISSING)
        graphs = Catalog(conn).graph
        made = backfills.create(conn, 1, "d", planned, {}, active, graphs, ANN)[1]
        return [made[date] for date in wanted]

    return transact(conn, create)


def test_a_backfill_has_a_lane_of_its_own(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE, max_active_runs=1)
    scheduler = Scheduler(conn, places=0)
    filled = backfill(conn, 5, 2, START_DATE - timedelta(days=9000))
    (manual,) = trigger(conn)
    scheduler.tick()
    assert [run_state(conn, run) for run in filled] == ["running"] * 2 + ["queued"] * 3
    assert run_state(conn, manual) == "running"
    scheduler.places = 1
    (grant,) = scheduler.tick().grants
    assert grant.row.run_id == manual
    scheduler.places = 10
    scheduler.play()
    assert {run_state(conn, run) for run in filled} == {"success"}


@pytest.mark.parametrize("analysed", [False, True])
def test_a_long_paused_backfill_costs_the_others_of_its_dag_nothing(
    conn: Connection[Any], owner_conn: Connection[Any], analysed: bool
) -> None:
    """Each of 40 backfills, and the DAG itself, reads its own next runs: not the 2,000 that wait."""
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE, max_active_runs=4)
    for number in range(40):
        backfill(conn, 50, 2, first=START_DATE - timedelta(days=9000 - 50 * number))
    trigger(conn, "d", *(f"k{n}" for n in range(50)))
    conn.execute(
        "UPDATE backfill SET newest_first = true WHERE backfill_id > (SELECT min(backfill_id) FROM backfill)"
    )
    paused = "(SELECT min(backfill_id) FROM backfill)"
    conn.execute(
        f"UPDATE backfill SET paused_at = now(), paused_by = 'me' WHERE backfill_id = {paused}"
    )
    scheduler = Scheduler(conn, places=0)
    scheduler.tick()
    assert value(conn, f"{ACTIVE} AND backfill_id IS NULL") == 4
    assert value(conn, ACTIVE) == 4 + 39 * 2
    assert value(conn, f"{ACTIVE} AND backfill_id = {paused}") == 0
    conn.execute("UPDATE backfill SET max_active_runs = 3")
    if analysed:
        owner_conn.execute("ANALYZE")
    asked = {"teams": [1], "dags": ["d"], "limit": 100, "now": START_DATE}
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {queue.STARTABLE}"
    row = ClientCursor(conn).execute(explain.encode(), asked).fetchone()
    assert row is not None
    nodes = list(nodes_of(row[0][0]["Plan"]))
    read = [node for node in nodes if node.get("Relation Name") == "run"]
    assert sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in nodes) < 100
    # Of each lane a queued run that tells of it, its running ones and the next.
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in read) < 40 * 5
    assert not [node for node in nodes if "Sort" in node["Node Type"]]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


def test_a_backfill_keeps_the_runs_that_are_there(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=START_DATE, catchup=True)
    due(Scheduler(conn), START_DATE + timedelta(days=1))
    before = {run for (run,) in conn.execute("SELECT run_id FROM run")}
    filled = backfill(conn, 4, 2)
    assert len(filled) == 4
    assert before < set(filled)
    assert dates(conn) == [0, 1, 2, 3]


def test_many_dags_whose_queues_are_full_do_not_hide_the_next(conn: Connection[Any]) -> None:
    for n in range(60):
        deploy(conn, task("a"), dag_id=f"d{n:02}", max_active_runs=1)
        trigger(conn, f"d{n:02}", "k1", "k2")
    scheduler = Scheduler(conn, places=0)
    assert scheduler.tick().starts_left
    assert not scheduler.tick().starts_left
    assert value(conn, ACTIVE) == 60
    deploy(conn, task("a"), dag_id="z")
    (late,) = trigger(conn, "z")
    assert scheduler.tick().starts_left
    scheduler.tick()
    assert run_state(conn, late) == "running"


def test_a_flood_of_runs_of_one_team_does_not_hold_up_another_team(
    conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    """Whatever waits or could start in the one, the run of the other starts in the next tick, again and again."""
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other'), (3, 'idle')")
    owner_conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 9)")
    for n in range(160):
        deploy(conn, task("a"), dag_id=f"d{n:03}", max_active_runs=1)
        trigger(conn, f"d{n:03}", "k1", "k2", "k3")
    scheduler, other = Scheduler(conn, places=3), Scheduler(conn, team_id=2)
    scheduler.ticker, started = other.ticker, []
    deploy(conn, task("a"), dag_id="mine", team_id=2)
    for number in range(5):
        (run_id,) = trigger(conn, "mine", team_id=2)
        turn = other.tick(*other.work())
        assert turn.starts_left == (number != 3), (
            "after four ticks all of the flood has been looked at"
        )
        assert [grant.run.run_id for grant in turn.grants if grant.run.team_id == 2] == [run_id]
        started.append(value(conn, f"{ACTIVE} AND team_id = 1"))
    assert started[-1] == 160
    assert started == sorted(started)
    assert started[0] >= 40


def test_a_team_that_catches_up_with_years_does_not_hold_up_another_team(
    conn: Connection[Any], owner_conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timetables, "DAGS_MAX", 5)
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    for n in range(12):
        deploy(conn, task("a"), dag_id=f"d{n}", schedule=DAILY, start_date=START_DATE, catchup=True)
    now = START_DATE + timedelta(days=700)
    since = now - timedelta(days=1)
    deploy(conn, task("a"), dag_id="mine", team_id=2, schedule=DAILY, start_date=since)
    scheduler = Scheduler(conn)
    due(scheduler, now)
    assert value(conn, "SELECT count(*) FROM run WHERE team_id = 2") == 1
    assert value(conn, "SELECT count(*) FROM run WHERE team_id = 1") == 4 * timetables.FIRES_MAX
    due(scheduler, now)
    assert value(conn, "SELECT count(*) FROM run WHERE team_id = 1") == 9 * timetables.FIRES_MAX
