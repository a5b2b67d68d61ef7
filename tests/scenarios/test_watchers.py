"""Watchers of assets in the database: who holds them, what they tell, and when they stop."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.agent.protocol import FENCE_S
from headway.core.watchers import ENDED_S, EVENTS_MAX
from headway.executors.agents.handing import SILENCE
from headway.spec.model import Asset, Watcher
from headway.store import watchers
from headway.store.claims import Claim
from headway.store.transact import Session, transact
from headway.store.watchers import Held, Holder, Look, NewEvent, Taken
from tests.scenarios.test_assets import Follower, runs_of
from tests.scenarios.world import Scheduler, deploy, task, value

FILES = Watcher(name="inbox", trigger="flow:files", kwargs={"path": "/in/*.csv"})


def watched(
    conn: Connection[Any],
    *names: str,
    watcher: Watcher = FILES,
    dag_id: str = "c",
    team_id: int = 1,
    bundle: str = "b1",
    **options: Any,
) -> None:
    """A DAG that waits for assets that have a watcher."""
    known = tuple(Asset(name=name, watchers=(watcher,)) for name in names or ("orders",))
    schedule = {"assets": {"any": [asset.name for asset in known]}}
    options = {"schedule": schedule, **options}
    deploy(
        conn, task("use"), dag_id=dag_id, team_id=team_id, bundle=bundle, assets=known, **options
    )


def settle(scheduler: Scheduler) -> None:
    transact(scheduler.conn, watchers.settle, scheduler.now, SILENCE)


def claim(scheduler: Scheduler, *queues: str) -> list[Held]:
    settle(scheduler)
    given = list(queues or ("default",))
    asked = Claim(scheduler.team_id, scheduler.session, given, 10, scheduler.now, SILENCE)
    return transact(scheduler.conn, watchers.claim, asked)


def held_by(scheduler: Scheduler) -> dict[str, int]:
    held = transact(scheduler.conn, watchers.held, [scheduler.session])
    return held.get(scheduler.session, {})


def holder(scheduler: Scheduler, held: Held) -> Holder:
    return Holder(scheduler.team_id, scheduler.session, held.digest, held.life)


def store(
    scheduler: Scheduler, held: Held, batch: int, *events: NewEvent, cursor: object = None
) -> Taken:
    body = None if cursor is None else msgspec.json.encode(cursor).decode()
    given = (holder(scheduler, held), batch, events, body, scheduler.now)
    return transact(scheduler.conn, watchers.store, *given)


def event(name: str, **values: Any) -> NewEvent:
    return NewEvent(msgspec.json.encode({"path": name}).decode(), **values)


def paths(conn: Connection[Any], asset: str = "orders") -> list[str]:
    query = "SELECT extra ->> 'path' FROM asset_event WHERE asset = %s ORDER BY event_id"
    return [path for (path,) in conn.execute(query, [asset]).fetchall()]


def beats(scheduler: Scheduler) -> None:
    scheduler.conn.execute(
        "UPDATE agent_session SET heartbeat_at = %s WHERE session_id = %s",
        [scheduler.now, scheduler.session],
    )


def taken_over(scheduler: Scheduler) -> Scheduler:
    """Another agent, when the first has been silent for long enough."""
    scheduler.later(FENCE_S + 1)
    other = Scheduler(scheduler.conn, team_id=scheduler.team_id)
    other.offset = scheduler.offset
    beats(other)
    return other


def paused(conn: Connection[Any], dag_id: str, *, to: bool = True) -> None:
    conn.execute(
        "UPDATE dag SET paused_at = CASE WHEN %s THEN now() END WHERE dag_id = %s", [to, dag_id]
    )


def test_an_event_brings_a_run_and_the_cursor_stays(conn: Session) -> None:
    watched(conn)
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    (held,) = claim(scheduler)
    assert (held.life, held.cursor, held.file) == (1, None, "c.py")
    assert msgspec.json.decode(held.facts)["kwargs"] == {"path": "/in/*.csv"}
    assert claim(scheduler) == []
    assert store(scheduler, held, 1, event("a.csv", partition="a"), cursor=["a"]) == Taken()
    assert follower.follow() == 1
    assert len(runs_of(conn, "c")) == 1
    row = conn.execute("SELECT by, partition FROM asset_event").fetchone()
    assert row == ("watcher:inbox", "a")
    other = taken_over(scheduler)
    (again,) = claim(other)
    assert (again.life, again.cursor) == (2, '["a"]')


def test_what_is_told_twice_is_stored_once(conn: Session) -> None:
    """Again on a new connection, by a former holder, and with the key of an event that is there."""
    watched(conn)
    scheduler = Scheduler(conn)
    (held,) = claim(scheduler)
    assert store(scheduler, held, 1, event("a")) == Taken()
    assert store(scheduler, held, 1, event("a")) == Taken()
    assert store(scheduler, held, 3, event("c")) == Taken(over=True), "one is missing"
    store(scheduler, held, 2, event("b", key="k"))
    other = taken_over(scheduler)
    (again,) = claim(other)
    assert store(scheduler, held, 3, event("late")) == Taken(over=True)
    assert store(other, held, 3, event("of an earlier life")) == Taken(over=True)
    store(other, again, 1, event("b", key="k"), event("c", key="l"))
    assert paths(conn) == ["a", "b", "c"]


def test_the_same_watcher_of_two_assets_runs_once(conn: Session) -> None:
    watched(conn, "orders", "rates")
    renamed = msgspec.structs.replace(FILES, name="mail")
    watched(conn, "stock", watcher=renamed, dag_id="e")
    scheduler = Scheduler(conn)
    (held,) = claim(scheduler)
    store(scheduler, held, 1, event("a"))
    found = conn.execute("SELECT asset, by FROM asset_event ORDER BY asset").fetchall()
    assert found == [
        ("orders", "watcher:inbox"),
        ("rates", "watcher:inbox"),
        ("stock", "watcher:mail"),
    ]


def test_it_stops_with_the_last_dag_that_waits_and_goes_on_from_its_cursor(conn: Session) -> None:
    watched(conn)
    deploy(
        conn, task("use"), dag_id="e", schedule={"assets": "orders"}, assets=(Asset(name="orders"),)
    )
    scheduler = Scheduler(conn)
    (held,) = claim(scheduler)
    store(scheduler, held, 1, event("a"), cursor=["a"])
    paused(conn, "c")
    settle(scheduler)
    still = held_by(scheduler)
    assert still == {held.digest: held.life}, "e still waits"
    paused(conn, "e")
    settle(scheduler)
    assert held_by(scheduler) == {}
    assert store(scheduler, held, 2, event("b")) == Taken(over=True)
    assert claim(scheduler) == []
    paused(conn, "e", to=False)
    (again,) = claim(scheduler)
    assert again.cursor == '["a"]'


def test_nobody_looks_for_an_asset_that_no_dag_waits_for(conn: Session) -> None:
    asset = Asset(name="orders", watchers=(FILES,))
    deploy(conn, task("make", outlets=("orders",)), assets=(asset,))
    scheduler = Scheduler(conn)
    assert claim(scheduler) == []
    awaiting = task(
        "await", kind="wait_for_asset", inlets=("orders",), arguments={"asset": "orders"}
    )
    deploy(conn, awaiting, dag_id="w", assets=(Asset(name="orders"),))
    assert len(claim(scheduler)) == 1


def test_one_that_is_changed_begins_anew_and_one_that_is_removed_is_forgotten(
    conn: Session,
) -> None:
    watched(conn)
    scheduler = Scheduler(conn)
    (held,) = claim(scheduler)
    store(scheduler, held, 1, event("a"), cursor=["a"])
    watched(conn, watcher=msgspec.structs.replace(FILES, kwargs={"path": "/out/*"}))
    (changed,) = claim(scheduler)
    assert (changed.digest != held.digest, changed.cursor) == (True, None)
    assert store(scheduler, held, 2, event("b")) == Taken(over=True)
    deploy(
        conn, task("use"), dag_id="c", schedule={"assets": "orders"}, assets=(Asset(name="orders"),)
    )
    settle(scheduler)
    assert held_by(scheduler) == {}
    assert value(conn, "SELECT count(*) FROM watch") == 0
    assert not transact(conn, watchers.are_there)


def test_code_of_another_bundle_begins_again_and_code_of_headway_does_not(conn: Session) -> None:
    shared = msgspec.structs.replace(FILES, name="ours", trigger="headway:x", shared=True)
    watched(conn)
    watched(conn, "rates", watcher=shared, dag_id="e")
    scheduler = Scheduler(conn)
    before = {held.dag_id: held for held in claim(scheduler)}
    store(scheduler, before["c"], 1, event("a"), cursor=["a"])
    watched(conn, bundle="b2")
    watched(conn, "rates", watcher=shared, dag_id="e", bundle="b2")
    (again,) = claim(scheduler)
    assert (again.dag_id, again.life, again.bundle_version, again.cursor) == ("c", 2, "b2", '["a"]')
    assert held_by(scheduler)[before["e"].digest] == 1


def test_one_that_fails_is_tried_later_and_later_and_others_go_on(conn: Session) -> None:
    watched(conn)
    watched(conn, "rates", watcher=msgspec.structs.replace(FILES, kwargs={}), dag_id="e")
    scheduler = Scheduler(conn)
    for wait_s in (1.0, 2.0):
        held = next(held for held in claim(scheduler) if held.dag_id == "c")
        failed = (holder(scheduler, held), "OSError: no such host", scheduler.now)
        transact(conn, watchers.stopped, *failed)
        assert claim(scheduler) == []
        assert value(conn, "SELECT error FROM watch WHERE dag_id = 'c'") == "OSError: no such host"
        scheduler.later(wait_s)
        beats(scheduler)
    (held,) = claim(scheduler)
    assert len(held_by(scheduler)) == 2
    store(scheduler, held, 1, event("a"))
    row = conn.execute("SELECT error, failures FROM watch WHERE dag_id = 'c'").fetchone()
    assert row == (None, 0)


def test_one_that_ends_begins_again(conn: Session) -> None:
    watched(conn)
    scheduler = Scheduler(conn)
    (held,) = claim(scheduler)
    transact(conn, watchers.stopped, holder(scheduler, held), None, scheduler.now)
    assert claim(scheduler) == []
    scheduler.later(ENDED_S)
    beats(scheduler)
    assert [again.life for again in claim(scheduler)] == [2]


def test_one_that_floods_is_slowed_and_nothing_is_lost(conn: Session) -> None:
    watched(conn)
    scheduler = Scheduler(conn)
    (held,) = claim(scheduler)
    batches = EVENTS_MAX // 100
    for batch in range(batches):
        events = [event(f"{batch}-{number}") for number in range(100)]
        assert store(scheduler, held, batch + 1, *events) == Taken()
    slowed = store(scheduler, held, batches + 1, event("last"), cursor=["last"])
    assert 0 < slowed.again_s <= 60
    assert value(conn, "SELECT slowed_at IS NOT NULL AND cursor IS NULL FROM watch")
    scheduler.later(slowed.again_s)
    beats(scheduler)
    assert store(scheduler, held, batches + 1, event("last")) == Taken()
    assert paths(conn)[-1] == "last"
    assert value(conn, "SELECT events FROM watch") == EVENTS_MAX + 1


def test_looks_are_noted_by_who_holds_it(conn: Session) -> None:
    watched(conn)
    scheduler = Scheduler(conn)
    (held,) = claim(scheduler)
    look = Look(held.digest, held.life, 7, 1.0, 5.0, "3 files\0")
    query = "SELECT looks, looks_at - looked_at, note FROM watch"
    transact(conn, watchers.note, 1, "another", [look], scheduler.now)
    assert conn.execute(query).fetchone() == (0, None, None)
    transact(conn, watchers.note, 1, scheduler.session, [look], scheduler.now)
    assert conn.execute(query).fetchone() == (7, timedelta(seconds=5), "3 files\u2400")


def test_only_agents_of_its_queue_and_team_look(conn: Session, owner_conn: Session) -> None:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    watched(conn, watcher=msgspec.structs.replace(FILES, queue="gpu"))
    scheduler, stranger = Scheduler(conn), Scheduler(conn, team_id=2)
    assert claim(scheduler) == []
    assert claim(stranger, "gpu") == []
    (held,) = claim(scheduler, "gpu")
    forged = Holder(2, stranger.session, held.digest, held.life)
    told = transact(conn, watchers.store, forged, 1, [event("a")], None, stranger.now)
    assert (told, paths(conn)) == (Taken(over=True), [])


def test_a_dag_of_another_team_keeps_it_running_while_a_grant_lives(
    conn: Session, owner_conn: Session
) -> None:
    owner_conn.execute("UPDATE team SET name = 'shop' WHERE team_id = 1")
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'stats')")
    owner_conn.execute("INSERT INTO pool VALUES (2, 'default', 9)")
    asset = Asset(name="orders", watchers=(FILES,))
    deploy(conn, task("make", outlets=("orders",)), assets=(asset,))
    guest = "@shop/orders"
    deploy(
        conn,
        task("use"),
        dag_id="g",
        team_id=2,
        schedule={"assets": guest},
        assets=(Asset(name=guest),),
    )
    scheduler = Scheduler(conn)
    assert claim(scheduler) == []
    owner_conn.execute(
        "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
        " VALUES (gen_random_uuid(), 'shop', 'stats', 'orders', 'use_asset', 'given', 'user:ann', 'shop')"
    )
    (held,) = claim(scheduler)
    store(scheduler, held, 1, event("a"))
    follower = Follower(scheduler)
    while follower.follow() or value(
        conn, "SELECT count(*) FROM asset_event WHERE position IS NULL"
    ):
        pass
    assert paths(conn, guest) == ["a"]
    owner_conn.execute("UPDATE team_grant SET state = 'revoked'")
    settle(scheduler)
    assert held_by(scheduler) == {}


def test_through_an_alias_of_its_asset_a_dag_keeps_it_running(conn: Session) -> None:
    asset = Asset(name="orders", watchers=(FILES,))
    deploy(conn, task("make", outlets=("orders",)), assets=(asset,))
    alias = "@alias:files"
    deploy(conn, task("use"), dag_id="g", schedule={"assets": alias}, assets=(Asset(name=alias),))
    scheduler = Scheduler(conn)
    assert claim(scheduler) == []
    conn.execute("INSERT INTO asset_alias VALUES (1, 'files', 'orders', 0, now())")
    assert len(claim(scheduler)) == 1


@pytest.mark.parametrize("gone", ["missing_since", "deleted_at"])
def test_one_whose_dag_or_team_is_gone_stops(conn: Session, owner_conn: Session, gone: str) -> None:
    watched(conn)
    scheduler = Scheduler(conn)
    assert len(claim(scheduler)) == 1
    if gone == "missing_since":
        conn.execute("UPDATE dag SET missing_since = now()")
    else:
        owner_conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 1")
    settle(scheduler)
    assert held_by(scheduler) == {}
