"""Runs on data, through the scheduler's own transactions: the end of a task stores an event, which brings runs."""

from typing import Any

import msgspec
import pytest
from psycopg import Connection, errors

from headway.actions import commands
from headway.agent.protocol import AssetEvent
from headway.clock import now
from headway.core import schedules
from headway.core.commands import Selection
from headway.core.states import Event
from headway.core.wording import said
from headway.engine import assets as engine
from headway.secrets import asset_events
from headway.spec.model import Asset, Dag
from headway.store import assets
from headway.store.transact import Limits, Session, connect, transact
from headway.store.views import assets as asset_views
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    run_state,
    task,
    trigger,
    value,
)


class Follower:
    """A scheduler's look at the events of assets."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.made = 0

    def new_id(self) -> str:
        self.made += 1
        return f"{self.scheduler.session}-{self.made}"

    def follow(self) -> int:
        catalog = self.scheduler.ticker.catalog
        return engine.follow(self.scheduler.conn, catalog, self.new_id).created


def producer(conn: Connection[Any], *names: str, dag_id: str = "d", **options: Any) -> Dag:
    """A DAG with one task for each asset."""
    tasks = [task(f"make_{name}", outlets=(name,), **options) for name in names]
    return deploy(conn, *tasks, dag_id=dag_id, assets=tuple(Asset(name=name) for name in names))


def consumer(conn: Connection[Any], condition: Any, *names: str, dag_id: str = "c") -> Dag:
    known = tuple(Asset(name=name) for name in names)
    return deploy(conn, task("use"), dag_id=dag_id, schedule={"assets": condition}, assets=known)


def runs_of(conn: Connection[Any], dag_id: str) -> list[str]:
    found = conn.execute(
        "SELECT run_id FROM run WHERE dag_id = %s ORDER BY created_at, run_id", [dag_id]
    ).fetchall()
    return [run_id for (run_id,) in found]


def consumed(conn: Connection[Any], run_id: str) -> list[str]:
    return [event.asset for event in transact(conn, assets.triggering, 1, run_id, 100)]


def produced(conn: Connection[Any], scheduler: Scheduler, dag_id: str = "d", **end: Any) -> str:
    """A run of the producer, played to its end."""
    (run_id,) = trigger(conn, dag_id)
    scheduler.play(lambda _: {"outcome": "success", **end})
    return run_id


def test_an_event_brings_a_run_with_what_it_brought(conn: Session) -> None:
    producer(conn, "orders")
    consumer(conn, "orders", "orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    assert follower.follow() == 0
    told = [AssetEvent("orders", b'{"rows":7}'), AssetEvent("foreign", b"{}")]
    source = produced(conn, scheduler, assets=told)
    assert value(conn, "SELECT count(*) FROM asset_event") == 1, "the other asset is no outlet"
    assert follower.follow() == 1
    assert follower.follow() == 0
    (run_id,) = runs_of(conn, "c")
    row = conn.execute(
        "SELECT trigger, logical_date = (SELECT at FROM asset_event) FROM run WHERE run_id = %s",
        [run_id],
    )
    assert row.fetchone() == ("asset", True)
    (event,) = msgspec.json.decode(transact(conn, asset_events.read, 1, run_id, "{}"))
    assert (event["asset"], event["extra"], event["source_run_id"]) == (
        "orders",
        {"rows": 7},
        source,
    )
    asked = msgspec.json.encode({"asset": "orders", "limit": 5}).decode()
    assert msgspec.json.decode(transact(conn, asset_events.read, 1, "", asked)) == [event]
    scheduler.play()
    assert run_state(conn, run_id) == "success"


def test_all_are_waited_for_and_the_last_completes(conn: Session) -> None:
    """Several events of one asset are one reason to run, and go with it."""
    producer(conn, "a", dag_id="pa")
    producer(conn, "b", dag_id="pb")
    consumer(conn, {"all": ["a", "b"]}, "a", "b")
    consumer(conn, {"any": ["a", "b"]}, "a", "b", dag_id="either")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    for _ in range(3):
        produced(conn, scheduler, "pa")
        assert follower.follow() == 1
    assert runs_of(conn, "c") == []
    assert len(runs_of(conn, "either")) == 3
    produced(conn, scheduler, "pb")
    assert follower.follow() == 2
    (run_id,) = runs_of(conn, "c")
    assert consumed(conn, run_id) == ["a", "a", "a", "b"]
    assert consumed(conn, runs_of(conn, "either")[-1]) == ["b"]
    produced(conn, scheduler, "pb")
    assert follower.follow() == 1, "a begins anew"


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_what_does_not_succeed_has_no_event(conn: Session, outcome: str) -> None:
    producer(conn, "orders")
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.play(lambda _: {"outcome": outcome})
    assert value(conn, "SELECT count(*) FROM asset_event") == 0
    chosen = Selection(tasks=frozenset({"make_orders"}))
    transact(conn, commands.mark, 1, run_id, chosen, Event.MARK_SUCCESS, graphs(scheduler), ANN)
    scheduler.play()
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM asset_event") == 0, "nor has what a person marks"


def test_each_attempt_that_succeeds_has_one_event(conn: Session) -> None:
    """Also when its end is told twice, and after a clear one more."""
    producer(conn, "orders")
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    (end,) = scheduler.work()
    scheduler.tick(end)
    scheduler.tick(end)
    assert value(conn, "SELECT count(*) FROM asset_event") == 1
    transact(conn, commands.clear, 1, run_id, Selection(), graphs(scheduler), ANN)
    scheduler.play()
    found = conn.execute("SELECT attempt FROM asset_event ORDER BY event_id").fetchall()
    assert found == [(1,), (2,)]


def test_partitions_are_events_of_their_own(conn: Session) -> None:
    producer(conn, "orders")
    scheduler = Scheduler(conn)
    told = [AssetEvent("orders", b"{}", part) for part in ("d1", "d2", "d1")]
    produced(conn, scheduler, assets=told)
    found = conn.execute("SELECT partition FROM asset_event ORDER BY partition").fetchall()
    assert found == [("d1",), ("d2",)]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (AssetEvent("orders", b"[]"), "JSON object"),
        (AssetEvent("orders", b'{"a":"\\u0000"}'), "NUL"),
        (AssetEvent("orders", b'{"a":"' + b"x" * 20_000 + b'"}'), "the limit is"),
        (AssetEvent("\0"), "control character"),
    ],
)
def test_what_cannot_be_stored_fails_its_own_task(
    conn: Session, event: AssetEvent, why: str
) -> None:
    producer(conn, "orders")
    scheduler = Scheduler(conn)
    run_id = produced(conn, scheduler, assets=[event])
    assert run_state(conn, run_id) == "failed"
    assert why in value(conn, "SELECT detail FROM attempt")


def test_a_paused_dag_counts_no_events_and_has_them_later(conn: Session) -> None:
    """As in Airflow."""
    producer(conn, "orders")
    consumer(conn, "orders", "orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    transact(conn, commands.pause, 1, "c", ANN)
    produced(conn, scheduler)
    assert follower.follow() == 0
    transact(conn, commands.resume, 1, "c", ANN)
    assert follower.follow() == 0
    produced(conn, scheduler)
    assert follower.follow() == 1
    assert consumed(conn, runs_of(conn, "c")[0]) == ["orders", "orders"]


def test_a_dag_that_is_paused_in_between_runs_when_it_is_resumed(conn: Session) -> None:
    producer(conn, "orders")
    consumer(conn, "orders", "orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler)
    assert transact(conn, engine.route) == (1, 0)
    transact(conn, commands.pause, 1, "c", ANN)
    assert follower.follow() == 0
    transact(conn, commands.resume, 1, "c", ANN)
    assert follower.follow() == 1


def test_a_new_condition_is_judged_by_what_came_before(conn: Session) -> None:
    producer(conn, "a")
    consumer(conn, {"all": ["a", "b"]}, "a", "b")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler)
    assert follower.follow() == 0
    consumer(conn, {"any": ["a", "b"]}, "a", "b")
    assert follower.follow() == 1
    consumer(conn, "b", "b")
    assert value(conn, "SELECT count(*) FROM asset_consumer") == 1
    deploy(conn, task("use"), dag_id="c")
    assert value(conn, "SELECT count(*) FROM asset_consumer") == 0


def test_what_happened_before_a_dag_waits_is_not_its_business(conn: Session) -> None:
    producer(conn, "orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler)
    follower.follow()
    consumer(conn, "orders", "orders")
    produced(conn, scheduler)
    assert follower.follow() == 1
    assert consumed(conn, runs_of(conn, "c")[0]) == ["orders"]


def test_two_schedulers_make_one_run(conn: Session, database: str) -> None:
    """While one is at it the other goes away, and an event that is committed late is not lost."""
    producer(conn, "orders")
    consumer(conn, "orders", "orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    with connect(database) as other:
        rival = Follower(Scheduler(other))
        late = connect(database)
        late.execute("BEGIN")
        late.execute(
            "INSERT INTO asset_event (team_id, asset, at, extra, by) VALUES (1, 'orders', now(), '{}', 'ann')"
        )
        produced(conn, scheduler)
        with conn.transaction():
            assert engine.route(conn) == (1, 0)
            assert transact(other, engine.route) is None
            assert rival.follow() == 0
        assert rival.follow() == 1
        assert follower.follow() == 0
        late.execute("COMMIT")
        late.close()
        assert follower.follow() == 1
        first, second = runs_of(conn, "c")
        assert (consumed(conn, first), consumed(conn, second)) == (["orders"], ["orders"])


def test_a_dag_that_cannot_be_read_stops_no_other(conn: Session) -> None:
    producer(conn, "orders")
    consumer(conn, "orders", "orders", dag_id="broken")
    consumer(conn, "orders", "orders")
    conn.execute("""UPDATE dag_version SET spec = '{"odd": 1}' WHERE dag_id = 'broken'""")
    scheduler = Scheduler(conn)
    produced(conn, scheduler)
    assert Follower(scheduler).follow() == 1
    assert value(conn, "SELECT count(*) FROM asset_consumer WHERE news") == 0


def test_dags_that_always_have_news_leave_the_others_their_turn(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more of them than a look can judge: the first by name would always be the same."""
    monkeypatch.setattr(engine, "DAGS_MAX", 1)
    consumer(conn, {"all": ["a", "b"]}, "a", "b", dag_id="busy")
    consumer(conn, "c", "c", dag_id="patient")
    follower = Follower(Scheduler(conn))
    emit(conn, "c")
    for _ in range(100):  # of which each is a matter of chance
        emit(conn, "a")
        if follower.follow():
            break
    assert len(runs_of(conn, "patient")) == 1


def emit(conn: Session, asset: str, team_id: int = 1) -> None:
    event = assets.NewEvent(team_id, asset, "{}", None, "ann", None)
    transact(conn, assets.put, event, now())


def test_a_dag_that_waits_for_its_own_asset_runs_again_and_again(conn: Session) -> None:
    """One run at a time, each brought by the event of the one before it; a pause ends it."""
    made = task("make", outlets=("a",))
    deploy(conn, made, dag_id="d", schedule={"assets": "a"}, assets=(Asset(name="a"),))
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    trigger(conn, "d")
    for number in range(1, 4):
        scheduler.play()
        assert follower.follow() == 1
        assert len(runs_of(conn, "d")) == number + 1
    transact(conn, commands.pause, 1, "d", ANN)
    scheduler.play()
    assert follower.follow() == 0


@pytest.mark.parametrize(
    ("limit", "most"), [("runs_per_minute", 3), ("open_runs", 1)], ids=["a minute", "open"]
)
def test_a_limit_of_the_team_bounds_what_assets_bring(
    conn: Session, owner_conn: Session, limit: str, most: int
) -> None:
    """What it does not allow now goes with a later run: no event is lost, and no other team waits for it."""
    consumer(conn, "a", "a")
    consumer(conn, "b", "b", dag_id="other")
    owner_conn.execute(
        "UPDATE team SET limits = jsonb_build_object(%s::text, %s::integer)", [limit, most]
    )
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    for _ in range(most):
        emit(conn, "a")
        assert follower.follow() == 1
    for _ in range(3):
        emit(conn, "a")
        assert follower.follow() == 0
    emit(conn, "b")
    assert follower.follow() == 0
    why = transact(conn, asset_views.awaited, "c", schedules.read({"assets": "a"}, schedules.FIRST))
    assert (why.missing, why.limit) == ((), limit)
    assert limit in said(why)
    scheduler.play()
    owner_conn.execute("UPDATE run SET created_at = created_at - interval '1 minute'")
    created = follower.follow()
    assert created == min(most, 2)
    scheduler.play()
    assert created + follower.follow() == 2
    assert len(runs_of(conn, "c")) == most + 1
    assert consumed(conn, runs_of(conn, "c")[-1]) == ["a", "a", "a"]
    assert len(runs_of(conn, "other")) == 1


def test_a_flood_of_one_team_holds_up_no_other(
    conn: Session, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither events that wait to be handed on, nor DAGs that have news: each team has its turn in each look."""
    monkeypatch.setattr(engine, "EVENTS_MAX", 20)
    monkeypatch.setattr(engine, "DAGS_MAX", 4)
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    for number in range(30):
        consumer(conn, f"x{number}", f"x{number}", dag_id=f"flooded{number}")
    known = (Asset(name="a"),)
    deploy(conn, task("use"), dag_id="quiet", schedule={"assets": "a"}, assets=known, team_id=2)
    for number in range(300):
        emit(conn, f"x{number % 30}")
    emit(conn, "a", team_id=2)
    follower = Follower(Scheduler(conn))
    assert follower.follow() == 4
    assert len(runs_of(conn, "quiet")) == 1
    while follower.follow():
        emit(conn, "a", team_id=2)
        assert follower.follow() > 0
        count = len(runs_of(conn, "quiet"))
        emit(conn, "a", team_id=2)
        follower.follow()
        assert len(runs_of(conn, "quiet")) == count + 1
    ordered = (
        "SELECT bool_and(ordered) FROM (SELECT position >= max(position) OVER before AS ordered"
    )
    window = "FROM asset_event WINDOW before AS (PARTITION BY team_id ORDER BY event_id)) AS all_of"
    assert value(conn, f"{ordered} {window}") is True
    assert value(conn, "SELECT count(*) FROM asset_event WHERE position IS NULL") == 0


def test_a_dag_that_brings_itself_is_bounded_by_the_limit_of_its_team(
    conn: Session, owner_conn: Session
) -> None:
    made = task("make", outlets=("a",))
    deploy(conn, made, dag_id="d", schedule={"assets": "a"}, assets=(Asset(name="a"),))
    owner_conn.execute("""UPDATE team SET limits = '{"runs_per_minute": 4}'""")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    trigger(conn, "d")
    for _ in range(10):
        scheduler.play()
        follower.follow()
    assert len(runs_of(conn, "d")) == 4


def test_many_events_at_once_are_few_runs(conn: Session) -> None:
    """As many as there are batches of them, each event in one of them."""
    consumer(conn, "a", "a")
    conn.execute(
        "INSERT INTO asset_event (team_id, asset, at, extra, by)"
        " SELECT 1, 'a', now(), '{}', 'ann' FROM generate_series(1, 10000)"
    )
    follower = Follower(Scheduler(conn))
    looks = 1
    while follower.follow():
        looks += 1
    assert looks <= 10_000 / engine.EVENTS_MAX + 1
    found = conn.execute("SELECT sum(events), count(*) FROM consumed_asset").fetchone()
    assert found == (10_000, looks - 1)


def test_an_event_that_is_being_handed_on_is_of_before_a_dag_waits(
    conn: Session, database: str
) -> None:
    """Registration waits for it: else the first run of the DAG would have an event more than it counts."""
    producer(conn, "a")
    emit(conn, "a")
    with connect(database, limits=Limits(lock_timeout_s=0.01)) as other, conn.transaction():
        assert engine.route(conn) == (1, 0)
        with pytest.raises(errors.LockNotAvailable):
            consumer(other, "a", "a")
    consumer(conn, "a", "a")
    emit(conn, "a")
    assert Follower(Scheduler(conn)).follow() == 1
    assert consumed(conn, runs_of(conn, "c")[0]) == ["a"]


def test_the_same_name_in_two_teams_is_two_assets(
    conn: Session, owner_conn: Connection[Any]
) -> None:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 1)")
    for team_id in (1, 2):
        known = (Asset(name="a"),)
        schedule = {"assets": "a"}
        deploy(conn, task("use"), dag_id="c", team_id=team_id, schedule=schedule, assets=known)
    emit(conn, "a", team_id=2)
    assert Follower(Scheduler(conn)).follow() == 1
    assert conn.execute("SELECT team_id FROM run").fetchall() == [(2,)]
    assert conn.execute("SELECT team_id FROM consumed_asset").fetchall() == [(2,)]
