"""What DAGs of one team have of another one by a grant, through the scheduler's own transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import Connection

from headway.agent.protocol import AssetEvent
from headway.clock import now
from headway.core import schedules
from headway.core.foreign import Foreign
from headway.core.grants import GrantKind
from headway.engine.wakeups import look_up_waits
from headway.spec.model import Asset
from headway.store import assets, grants
from headway.store.transact import APP, Session, connect, enter_team, transact
from headway.store.views import assets as views
from tests.scenarios.test_assets import Follower, produced, producer, runs_of
from tests.scenarios.test_deferrals import for_run
from tests.scenarios.world import Scheduler, deploy, run_state, states, task, trigger, value

SHOP, STATS = 1, 2


@pytest.fixture(autouse=True)
def teams(owner_conn: Session) -> None:
    owner_conn.execute("UPDATE team SET name = 'shop' WHERE team_id = 1")
    for team_id, name in ((STATS, "stats"), (3, "third")):
        owner_conn.execute("INSERT INTO team (team_id, name) VALUES (%s, %s)", [team_id, name])
        owner_conn.execute("INSERT INTO pool VALUES (%s, 'default', 9)", [team_id])


def give(conn: Session, kind: str, name: str, state: str = "given", **more: str) -> None:
    values = {
        "kind": kind,
        "name": name,
        "state": state,
        "owner": "shop",
        "grantee": "stats",
        **more,
    }
    conn.execute(
        "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
        " VALUES (gen_random_uuid(), %(owner)s, %(grantee)s, %(name)s, %(kind)s, %(state)s, 'user:ann', %(owner)s)"
        " ON CONFLICT (owner, grantee, name, kind) DO UPDATE SET state = excluded.state",
        values,
    )


def awaits(conn: Connection[Any], asset: str, team_id: int = STATS) -> None:
    deploy(
        conn, task("use"), dag_id="c", team_id=team_id, schedule={"assets": asset},
        assets=(Asset(name=asset),),
    )  # fmt: skip


def event_of(conn: Connection[Any], team_id: int) -> Any:
    return conn.execute(
        "SELECT asset, extra ->> 'rows', partition, by, run_id, dag_id, task_id FROM asset_event WHERE team_id = %s",
        [team_id],
    ).fetchall()


def test_an_event_is_handed_on_without_what_made_it(conn: Session, owner_conn: Session) -> None:
    producer(conn, "orders")
    awaits(conn, "@shop/orders")
    give(owner_conn, "use_asset", "orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler, assets=[AssetEvent("orders", b'{"rows":7}', "monday")])
    assert follower.follow() == 0, "it is handed on"
    assert event_of(conn, STATS) == [("@shop/orders", "7", "monday", "team:shop", None, None, None)]
    assert follower.follow() == 1
    assert follower.follow() == 0
    row = conn.execute("SELECT team_id, trigger FROM run WHERE dag_id = 'c'").fetchall()
    assert row == [(STATS, "asset")]


@pytest.mark.parametrize(
    ("kind", "name", "more"),
    [
        ("use_asset", "orders", {"state": "asked"}),
        ("use_asset", "orders", {"state": "revoked"}),
        ("use_asset", "order", {}),
        ("wait", "orders", {}),
        ("use_asset", "orders", {"grantee": "third"}),
        ("use_asset", "orders", {"owner": "third"}),
    ],
)
def test_nothing_is_handed_on_by_another_grant(
    conn: Session, owner_conn: Session, kind: str, name: str, more: dict[str, str]
) -> None:
    producer(conn, "orders")
    awaits(conn, "@shop/orders")
    give(owner_conn, kind, name, **more)
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler)
    follower.follow()
    assert event_of(conn, STATS) == []


def test_events_are_handed_on_only_while_the_grant_lives(
    conn: Session, owner_conn: Session
) -> None:
    producer(conn, "orders")
    awaits(conn, "@shop/orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    seen = []
    for state in ("asked", "given", "revoked", "given"):
        give(owner_conn, "use_asset", "orders", state)
        produced(conn, scheduler)
        follower.follow()
        follower.follow()
        seen.append(len(runs_of(conn, "c")))
    assert seen == [0, 1, 1, 2]
    assert len(event_of(conn, STATS)) == 2


def test_what_was_handed_on_before_the_grant_ended_still_counts(
    conn: Session, owner_conn: Session
) -> None:
    producer(conn, "orders")
    awaits(conn, "@shop/orders")
    give(owner_conn, "use_asset", "orders")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler)
    follower.follow()
    give(owner_conn, "use_asset", "orders", "revoked")
    assert follower.follow() == 1


def test_an_asset_of_the_same_name_is_another_one(conn: Session, owner_conn: Session) -> None:
    """Nor does what was handed on go further, to a team with a grant of the second one."""
    producer(conn, "orders")
    awaits(conn, "orders")
    awaits(conn, "@stats/@shop/orders", 3)
    give(owner_conn, "use_asset", "orders")
    give(owner_conn, "use_asset", "@shop/orders", owner="stats", grantee="third")
    deploy(
        conn, task("read", inlets=("@shop/orders",)), dag_id="r", team_id=STATS,
        assets=(Asset(name="@shop/orders"),),
    )  # fmt: skip
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler)
    for _ in range(3):
        assert follower.follow() == 0
    assert [asset for asset, *_ in event_of(conn, STATS)] == ["@shop/orders"]


def test_why_names_what_no_grant_opens(conn: Session, owner_conn: Session, database: str) -> None:
    """The same for what does not exist."""
    producer(conn, "orders")
    for state, closed in (("asked", True), ("given", False), ("revoked", True)):
        give(owner_conn, "use_asset", "orders", state)
        for asset in ("orders", "missing"):
            awaits(conn, f"@shop/{asset}")
            schedule = schedules.read({"assets": f"@shop/{asset}"}, schedules.FIRST)
            with as_team(database, STATS) as app:
                why = views.awaited(app, "c", schedule)
            assert why.missing == (f"@shop/{asset}",)
            assert why.closed == ((f"@shop/{asset}",) if closed or asset == "missing" else ())


@contextmanager
def as_team(database: str, team_id: int) -> Iterator[Session]:
    with connect(database, role=APP) as app, app.transaction():
        enter_team(app, team_id)
        yield app


# -- waits


def waiting(conn: Session, dag: str = "@shop/load", **more: Any) -> tuple[Scheduler, str]:
    """A task of the team stats that waits for a run of shop."""
    deploy(conn, task("a"), dag_id="w", team_id=STATS)
    scheduler = Scheduler(conn, team_id=STATS)
    (run_id,) = trigger(conn, "w", team_id=STATS)
    scheduler.tick()
    wait = for_run(conn, run_id, dag, **more)
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "deferred", "deferral": wait}))
    assert states(conn, run_id) == {"a": "deferred"}
    return scheduler, run_id


def ended_run(conn: Session, like: str, outcome: str = "success", team_id: int = SHOP) -> None:
    deploy(conn, task("check"), dag_id="load", team_id=team_id)
    (run_id,) = trigger(conn, "load", team_id=team_id)
    conn.execute(
        "UPDATE run SET logical_date = (SELECT logical_date FROM run WHERE run_id = %s) WHERE run_id = %s",
        [like, run_id],
    )
    Scheduler(conn, team_id=team_id).play(lambda _: {"outcome": outcome})
    assert run_state(conn, run_id) == outcome


@pytest.mark.parametrize("state", ["success", "failed"])
def test_a_run_of_another_team_is_waited_for(
    conn: Session, owner_conn: Session, state: str
) -> None:
    scheduler, run_id = waiting(conn)
    ended_run(conn, run_id, state)
    assert transact(conn, look_up_waits) == 0, "there is no grant"
    give(owner_conn, "wait", "load")
    assert transact(conn, look_up_waits) == 1
    scheduler.tick()
    scheduler.play()
    assert run_state(conn, run_id) == state
    if state == "failed":
        detail = value(conn, "SELECT detail FROM attempt WHERE run_id = %s", run_id)
        assert detail == "the run, which it waited for, is failed"


@pytest.mark.parametrize(
    "more",
    [
        {"state": "asked"},
        {"state": "revoked"},
        {"kind": "see_runs"},
        {"name": "other"},
        {"grantee": "third"},
        {"owner": "third"},
    ],
)
def test_no_other_grant_ends_a_wait(
    conn: Session, owner_conn: Session, more: dict[str, str]
) -> None:
    _, run_id = waiting(conn)
    ended_run(conn, run_id)
    give(owner_conn, **{"kind": "wait", "name": "load", **more})
    assert transact(conn, look_up_waits) == 0


def test_a_wait_ends_only_while_the_grant_lives(conn: Session, owner_conn: Session) -> None:
    """Taken back in mid-flight: it waits on, as for what does not exist, and goes on when it is given again."""
    scheduler, run_id = waiting(conn, timeout_s=3600.0)
    give(owner_conn, "wait", "load")
    give(owner_conn, "wait", "load", "revoked")
    ended_run(conn, run_id)
    assert transact(conn, look_up_waits) == 0
    give(owner_conn, "wait", "load")
    assert transact(conn, look_up_waits) == 1
    scheduler.play()
    assert run_state(conn, run_id) == "success"


def test_a_run_of_the_own_team_is_not_meant(conn: Session, owner_conn: Session) -> None:
    _, run_id = waiting(conn)
    give(owner_conn, "wait", "load")
    ended_run(conn, run_id, team_id=STATS)
    assert transact(conn, look_up_waits) == 0


def test_closed_says_what_no_grant_opens(conn: Session, owner_conn: Session, database: str) -> None:
    give(owner_conn, "wait", "load")
    give(owner_conn, "wait", "asked", "asked")
    wanted = {Foreign(team, name) for team in ("shop", "third") for name in ("load", "asked")}
    with as_team(database, STATS) as app:
        assert grants.closed(app, wanted, GrantKind.WAIT) == wanted - {Foreign("shop", "load")}
        assert grants.closed(app, wanted, GrantKind.START) == wanted
    with as_team(database, 3) as app:
        assert grants.closed(app, wanted, GrantKind.WAIT) == wanted


def test_partitions_of_another_team_arrive_as_long_as_it_grants_them(
    conn: Session, owner_conn: Session
) -> None:
    """What arrived before stays with the DAG that waits."""
    producer(conn, "orders")
    segments = {"segments": ["a", "b"]}
    mapper = {"kind": "rollup", "upstream": {"kind": "fixed", "to": "all"}, "window": segments}
    name = "@shop/orders"
    schedule = {"partitions": {"on": name, "mapper": mapper}}
    deploy(
        conn, task("use"), dag_id="c", team_id=STATS, schedule=schedule, assets=(Asset(name=name),)
    )
    follower = Follower(Scheduler(conn))

    def put(key: str) -> int:
        event = assets.NewEvent(SHOP, "orders", "{}", key, "ann", None)
        transact(conn, assets.put, event, now())
        return sum(follower.follow() for _ in range(2))

    assert put("a") == 0
    assert value(conn, "SELECT count(*) FROM pending_partition") == 0
    give(owner_conn, "use_asset", "orders")
    assert put("a") == 0
    assert value(conn, "SELECT team_id FROM arrived_partition") == STATS
    give(owner_conn, "use_asset", "orders", "revoked")
    assert put("b") == 0
    give(owner_conn, "use_asset", "orders")
    assert put("b") == 1
    assert value(conn, "SELECT partition FROM run WHERE team_id = %s", STATS) == "all"
