"""Aliases of assets through the scheduler's own transactions: a task says which assets it has updated."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.agent.protocol import AssetEvent
from headway.core import aliases
from headway.core.aliases import key
from headway.engine import assets as engine
from headway.secrets import asset_events
from headway.spec.model import Asset, Dag
from headway.store.transact import Session, transact
from tests.scenarios.test_assets import (
    Follower,
    consumed,
    consumer,
    emit,
    produced,
    producer,
    runs_of,
)
from tests.scenarios.test_retention import sweep
from tests.scenarios.world import Scheduler, deploy, run_state, task, value

FILES = key("files")


def added(asset: str, alias: str = "files", **fields: Any) -> AssetEvent:
    return AssetEvent(asset, alias=alias, **fields)


def adding(conn: Connection[Any], dag_id: str = "d", *names: str) -> Dag:
    """A DAG whose task adds assets to aliases."""
    return producer(conn, *(names or (FILES,)), dag_id=dag_id)


def asked(conn: Session, run_id: str = "", **question: Any) -> list[dict[str, Any]]:
    text = msgspec.json.encode(question).decode()
    found: list[dict[str, Any]] = msgspec.json.decode(
        transact(conn, asset_events.read, 1, run_id, text)
    )
    return found


def members(conn: Session, team_id: int = 1) -> list[tuple[str, str]]:
    return conn.execute(
        "SELECT alias, asset FROM asset_alias WHERE team_id = %s ORDER BY alias, asset", [team_id]
    ).fetchall()


def settle(follower: Follower) -> int:
    """Look as often as there is something to do: an alias has its events one look later."""
    created = 0
    while True:
        found = engine.follow(
            follower.scheduler.conn, follower.scheduler.ticker.catalog, follower.new_id
        )
        created += found.created
        if not found.more:
            return created


def test_an_asset_that_a_task_adds_brings_a_run_of_who_waits_for_the_alias(conn: Session) -> None:
    adding(conn)
    consumer(conn, FILES, FILES)
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    definition = b'{"uri":"s3://in/eu","group":"in","extra":{"owner":"ann"}}'
    source = produced(
        conn, scheduler, assets=[added("eu", extra=b'{"rows":7}', definition=definition)]
    )
    assert settle(follower) == 1
    (run_id,) = runs_of(conn, "c")
    (event,) = asked(conn, run_id)
    assert (event["asset"], event["extra"], event["aliases"]) == ("eu", {"rows": 7}, ["files"])
    assert (event["source_dag_id"], event["source_run_id"]) == ("d", source)
    assert asked(conn, asset=FILES) == asked(conn, asset="eu") == [event]
    known = {"name": "eu", "uri": "s3://in/eu", "group": "in", "extra": {"owner": "ann"}}
    assert asked(conn, define=True, asset=FILES) == asked(conn, define=True, asset="eu") == [known]
    scheduler.play()
    assert run_state(conn, run_id) == "success"
    assert settle(follower) == 0


def test_a_task_that_adds_nothing_has_no_event(conn: Session) -> None:
    adding(conn)
    consumer(conn, FILES, FILES)
    scheduler = Scheduler(conn)
    produced(conn, scheduler, assets=[AssetEvent("eu"), added("us", alias="other")])
    assert value(conn, "SELECT count(*) FROM asset_event") == 0, "neither is of an outlet"
    assert settle(Follower(scheduler)) == 0


def test_an_alias_resolves_to_its_assets_whoever_updates_them(conn: Session) -> None:
    """As in Airflow: once an asset was added, each of its events counts; what it had before does not."""
    adding(conn)
    consumer(conn, FILES, FILES)
    producer(conn, "eu", dag_id="direct")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler, "direct")
    assert settle(follower) == 0
    produced(conn, scheduler, assets=[added("eu")])
    assert settle(follower) == 1
    emit(conn, "eu")
    assert settle(follower) == 1
    produced(conn, scheduler, "direct")
    assert settle(follower) == 1
    assert [consumed(conn, run_id) for run_id in runs_of(conn, "c")] == [["eu"]] * 3
    assert len(asked(conn, asset=FILES)) == 1, "one came through the alias"
    assert len(asked(conn, asset="eu")) == 4


def test_what_was_before_in_the_same_look_is_not_of_the_alias(conn: Session) -> None:
    adding(conn)
    consumer(conn, FILES, FILES)
    scheduler = Scheduler(conn)
    emit(conn, "eu")
    produced(conn, scheduler, assets=[added("eu")])
    emit(conn, "eu")
    assert settle(Follower(scheduler)) == 1
    assert consumed(conn, runs_of(conn, "c")[0]) == ["eu", "eu"]


def test_conditions_take_aliases_beside_assets(conn: Session) -> None:
    """A run that has an event of an asset and of its alias has it once."""
    adding(conn)
    consumer(conn, {"all": [FILES, "rates"]}, FILES, "rates")
    consumer(conn, {"any": [FILES, "eu"]}, FILES, "eu", dag_id="either")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler, assets=[added("eu"), added("us")])
    settle(follower)
    assert runs_of(conn, "c") == []
    emit(conn, "rates")
    settle(follower)
    assert consumed(conn, runs_of(conn, "c")[0]) == ["eu", "rates", "us"]
    found = [asset for run_id in runs_of(conn, "either") for asset in consumed(conn, run_id)]
    assert sorted(set(found)) == ["eu", "us"]
    emit(conn, "eu")
    transact(conn, engine.route)
    transact(conn, engine.route)
    before = len(runs_of(conn, "either"))
    settle(follower)
    assert len(runs_of(conn, "either")) == before + 1
    assert consumed(conn, runs_of(conn, "either")[-1]) == ["eu"]


def test_one_asset_of_two_aliases_and_an_outlet_has_one_event(conn: Session) -> None:
    adding(conn)
    made = task("make", outlets=(FILES, key("daily"), "eu"))
    deploy(conn, made, dag_id="d")
    scheduler = Scheduler(conn)
    told = [added("eu", extra=b'{"rows":7}'), added("eu", alias="daily")]
    produced(conn, scheduler, assets=told)
    settle(Follower(scheduler))
    found = conn.execute(
        "SELECT asset, origin, aliases, extra FROM asset_event ORDER BY asset"
    ).fetchall()
    both = ["files", "daily"]
    assert found == [
        (key("daily"), "eu", both, {"rows": 7}),
        (FILES, "eu", both, {"rows": 7}),
        ("eu", None, both, {"rows": 7}),
    ]
    assert members(conn) == [("daily", "eu"), ("files", "eu")]


def test_partitions_go_through_an_alias(conn: Session) -> None:
    adding(conn)
    known = consumer(conn, FILES, FILES).assets
    deploy(conn, task("use"), dag_id="parts", schedule={"partitions": {"on": FILES}}, assets=known)
    scheduler = Scheduler(conn)
    told = [added(name, partition="2026-01-31") for name in ("eu", "us")]
    produced(conn, scheduler, assets=told)
    settle(Follower(scheduler))
    (run_id,) = runs_of(conn, "parts")
    assert value(conn, "SELECT partition FROM run WHERE dag_id = 'parts'") == "2026-01-31"
    assert {event["partition"] for event in asked(conn, run_id)} == {"2026-01-31"}


def test_a_limit_leaves_an_asset_out_and_says_so(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of the asset is kept, and nobody else has less of it."""
    monkeypatch.setattr(aliases, "ASSETS_MAX", 2)
    monkeypatch.setattr("headway.store.aliases.ASSETS_MAX", 2)
    adding(conn)
    consumer(conn, FILES, FILES)
    producer(conn, "rates", dag_id="other")
    consumer(conn, "rates", "rates", dag_id="reads")
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler, assets=[added(f"a{number}") for number in range(4)])
    produced(conn, scheduler, "other")
    settle(follower)
    assert members(conn) == [("files", "a0"), ("files", "a1")]
    assert value(conn, "SELECT count(*) FROM asset_event WHERE asset = 'a3'") == 1
    assert value(conn, "SELECT count(*) FROM asset WHERE name = 'a3'") == 0
    refused = conn.execute(
        "SELECT refused_asset, refused_why FROM asset WHERE refused_at IS NOT NULL"
    )
    assert refused.fetchall() == [("a3", "the alias has 2 assets, which is the limit")]
    assert len(runs_of(conn, "reads")) == 1
    assert len(runs_of(conn, "c")) == 1


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (added("@shop/orders"), "an asset of another team"),
        (added("a", alias="\0"), "the name of an alias contains a control character"),
        (added("a", definition=b'{"uri":"x","odd":1}'), "other parts than uri, group and extra"),
        (added("a", definition=b"[]"), "not a JSON object"),
        (added("a\nb"), "control character"),
    ],
)
def test_what_cannot_be_added_fails_its_own_task(
    conn: Session, event: AssetEvent, why: str
) -> None:
    adding(conn)
    scheduler = Scheduler(conn)
    run_id = produced(conn, scheduler, assets=[event])
    assert run_state(conn, run_id) == "failed"
    assert why in value(conn, "SELECT detail FROM attempt")


def test_an_attempt_adds_so_many_assets_and_no_more(conn: Session) -> None:
    adding(conn)
    scheduler = Scheduler(conn)
    told = [added(f"a{number}") for number in range(aliases.ADDED_MAX + 1)]
    assert run_state(conn, produced(conn, scheduler, assets=told)) == "failed"
    assert "the limit is 100" in value(conn, "SELECT detail FROM attempt")


def test_an_alias_is_of_its_team(conn: Session, owner_conn: Session) -> None:
    """Another team has one of the same name, and assets of the same names."""
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    adding(conn)
    names = consumer(conn, FILES, FILES).assets
    deploy(conn, task("use"), dag_id="theirs", schedule={"assets": FILES}, assets=names, team_id=2)
    scheduler = Scheduler(conn)
    produced(conn, scheduler, assets=[added("eu")])
    emit(conn, "eu", team_id=2)
    assert settle(Follower(scheduler)) == 1
    assert runs_of(conn, "theirs") == []
    assert members(conn, 2) == []


def test_what_is_gone_of_an_alias_is_removed(
    conn: Session, owner_conn: Connection[Any], tmp_path: Path
) -> None:
    adding(conn)
    scheduler = Scheduler(conn)
    produced(conn, scheduler, assets=[added("old"), added("new")])
    settle(Follower(scheduler))
    owner_conn.execute("UPDATE asset SET created_at = created_at - interval '91 days'")
    owner_conn.execute("UPDATE asset_alias SET created_at = created_at - interval '91 days'")
    owner_conn.execute(
        "UPDATE asset_event SET at = at - interval '91 days' WHERE 'old' IN (asset, origin)"
    )
    sweep(conn, tmp_path)
    sweep(conn, tmp_path)
    assert members(conn) == [("files", "new")]
    assert value(conn, "SELECT array_agg(name ORDER BY name) FROM asset") == [FILES, "new"]


def test_the_limits_are_counted_within_one_look_too() -> None:
    def addition(alias: str, asset: str, known: bool = False, **counts: int) -> aliases.Addition:
        zero = {"of_alias": 0, "of_asset": 0, "of_team": 0}
        return aliases.Addition(1, alias, asset, 1, None, known, **{**zero, **counts})

    taken, refused = aliases.admit(
        [addition("a", "x", of_team=aliases.TEAM_MAX - 1), addition("b", "x"), addition("b", "y")]
    )
    assert [(one.alias, one.asset) for one in taken] == [("a", "x"), ("b", "x"), ("b", "y")]
    full = addition("a", "y", of_team=aliases.TEAM_MAX)
    assert aliases.admit([full])[1] == [(full, "the team has 10,000 assets, which is the limit")]
    known = addition("a", "y", known=True, of_team=aliases.TEAM_MAX)
    assert aliases.admit([known]) == ([known], [])
    many = [addition(f"a{number}", "x") for number in range(aliases.ALIASES_MAX + 1)]
    taken, refused = aliases.admit(many)
    assert taken == many[:-1]
    assert refused == [(many[-1], "the asset has 20 aliases, which is the limit")]
    nearly = aliases.ASSETS_MAX - 1
    both = [addition("a", name, of_alias=nearly) for name in ("x", "y")]
    assert aliases.admit(both)[0] == both[:1]


def test_what_refers_to_an_asset_defines_it_only_until_somebody_does(conn: Session) -> None:
    def known() -> Any:
        return value(conn, "SELECT uri FROM asset WHERE name = 'eu'")

    reference = Asset(name="eu", uri="eu", reference=True)
    deploy(conn, task("use"), dag_id="c", schedule={"assets": "eu"}, assets=(reference,))
    assert known() == "eu"
    adding(conn)
    scheduler = Scheduler(conn)
    produced(conn, scheduler, assets=[added("eu", definition=b'{"uri":"s3://in/eu"}')])
    settle(Follower(scheduler))
    assert known() == "s3://in/eu"
    assert len(runs_of(conn, "c")) == 1
    deploy(conn, task("use"), dag_id="c", schedule={"assets": "eu"}, assets=(reference,))
    assert known() == "s3://in/eu"
    deploy(conn, task("make", outlets=("eu",)), dag_id="d", assets=(Asset(name="eu", uri="x"),))
    assert known() == "x"
