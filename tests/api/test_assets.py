"""Assets over the API: what is listed, events from outside, and what the next run of a DAG waits for."""

from typing import Any

import pytest

from headway import wire
from headway.agent.protocol import AssetEvent
from headway.client import Client
from headway.core.reasons import AwaitsAssets
from headway.engine import assets as engine
from headway.errors import NotFound, UsageError
from headway.store import watchers
from headway.store.transact import Session, transact
from tests.scenarios.test_assets import consumer, produced, producer
from tests.scenarios.test_watchers import FILES, claim, holder, settle, store, watched
from tests.scenarios.test_watchers import event as seen
from tests.scenarios.world import Scheduler, deploy, task


def event(asset: str = "orders", **given: object) -> wire.AssetEventRequest:
    return wire.AssetEventRequest(asset=asset, **given)  # type: ignore[arg-type]


def test_an_asset_is_shown_with_who_updates_and_awaits_it(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    consumer(conn, {"all": ["orders", "rates"]}, "orders", "rates")
    orders, rates = client.assets()
    assert orders.producers == [wire.AssetTask(dag_id="d", task_id="make_orders")]
    assert [one.dag_id for one in orders.consumers] == ["c"]
    assert (orders.last_event_at, rates.producers) == (None, [])
    made = client.emit_asset_event(event(extra={"rows": 7}, partition="2026-01"))
    assert (made.asset, made.extra, made.partition, made.run_id) == (
        *("orders", {"rows": 7}, "2026-01"),
        None,
    )
    assert client.asset_events("orders", 10) == [made]
    assert client.assets(name="orders")[0].last_event_at == made.at
    assert [asset.name for asset in client.assets(q="RAT")] == ["rates"]


def test_assets_are_sorted_by_their_last_event(client: Client, conn: Session) -> None:
    producer(conn, "a", "b", "c", "never")
    for name in ("b", "c", "a"):
        client.emit_asset_event(event(name))
        transact(conn, engine.route)

    def names(**query: object) -> list[str]:
        return [asset.name for asset in client.assets(**query)]

    assert names() == ["a", "b", "c", "never"]
    assert names(sort="-name") == ["never", "c", "b", "a"]
    assert names(sort="last_event") == ["b", "c", "a", "never"]
    assert names(sort="-last_event") == ["a", "c", "b", "never"]
    assert names(sort="-last_event", q="b") == ["b"]
    with pytest.raises(UsageError, match="not a valid order"):
        client.assets(sort="size")
    seen, cursor = [], None
    while True:
        query = {"sort": "-last_event", "limit": 2, "cursor": cursor}
        page = client.get("/assets", wire.Page[wire.Asset], query)
        seen += [asset.name for asset in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == ["a", "c", "b", "never"]


def test_an_asset_tells_what_waits_for_it_and_who_is_late_with_it(
    client: Client, conn: Session
) -> None:
    producer(conn, "orders")
    consumer(conn, {"all": ["orders", "rates"]}, "orders", "rates", dag_id="c")
    consumer(conn, {"any": ["orders", "rates"]}, "orders", "rates", dag_id="e")
    waits = task("await", kind="wait_for_run", arguments={"dag_id": "c"})
    deploy(conn, waits, dag_id="report", owner="bob")
    made = client.emit_asset_event(event("rates"))
    transact(conn, engine.route)
    found = client.asset("orders")
    assert found.asset == client.assets(name="orders")[0]
    first, second = found.waiters
    assert (first.dag_id, first.events, first.missing) == ("c", 0, ["orders"])
    assert first.reason == client.dag_assets("c").reason
    assert (second.dag_id, second.missing) == ("e", [])
    assert second.reason == client.dag_assets("e").reason
    assert client.asset("rates").waiters[0].since == made.at
    assert (found.waiters_total, found.affected_total) == (2, 3)
    assert (found.affected, found.affected_owners) == (["c", "e", "report"], ["bob"])
    with pytest.raises(NotFound, match="there is no asset"):
        client.asset("ordres")


def test_why_a_dag_has_no_run_names_the_missing_assets(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    consumer(conn, {"all": ["orders", "rates"]}, "orders", "rates")
    assert client.next_fires("c").why == AwaitsAssets(("orders", "rates"))
    made = client.emit_asset_event(event())
    transact(conn, engine.route)
    found = client.dag_assets("c")
    assert found.waits == [
        wire.AssetWait(asset="orders", events=1, since=made.at, missing=False),
        wire.AssetWait(asset="rates", events=0, since=None, missing=True),
    ]
    assert found.reason is not None
    assert found.reason.startswith("it waits for events of `rates`, since ")
    assert client.next_fires("c").reason == found.reason
    assert client.dag_assets("d").outlets == [wire.AssetUse(asset="orders", task_id="make_orders")]
    assert client.dag_assets("d").reason is None


def test_the_same_key_is_the_same_event(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    first = client.emit_asset_event(event(idempotency_key="k1"))
    assert client.emit_asset_event(event(idempotency_key="k1")) == first
    assert client.emit_asset_event(event(idempotency_key="k2")) != first


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"asset": "ordres"}, NotFound, 'did you mean "orders"'),
        ({"asset": "\0"}, UsageError, "control character"),
        ({"asset": "orders\u202e"}, UsageError, "invisible character"),
        ({"partition": " "}, UsageError, "the partition is empty"),
        ({"extra": {"a": "\0"}}, UsageError, "NUL"),
        ({"extra": {"a": "x" * 20_000}}, UsageError, "the limit is 16,384"),
        ({"idempotency_key": ""}, UsageError, "the idempotency key is empty"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    client: Client, conn: Session, given: dict[str, Any], error: type[Exception], told: str
) -> None:
    producer(conn, "orders")
    with pytest.raises(error) as caught:
        client.emit_asset_event(event(**given))
    assert told in f"{caught.value} {getattr(caught.value, 'hint', '')}"
    assert client.asset_events("orders", 10) == []


def test_an_alias_is_listed_with_its_assets_and_an_asset_with_its_aliases(
    client: Client, conn: Session
) -> None:
    producer(conn, "@alias:files")
    consumer(conn, "@alias:files", "@alias:files")
    (waits,) = client.dag_assets("c").waits
    assert (waits.asset, waits.assets, waits.missing) == ("@alias:files", 0, True)
    scheduler = Scheduler(conn)
    produced(conn, scheduler, assets=[AssetEvent("eu", b'{"rows":7}', alias="files")])
    transact(conn, engine.route)
    transact(conn, engine.route)
    alias, eu = client.assets()
    assert (alias.name, alias.alias, alias.aliases) == ("@alias:files", "files", [])
    assert (eu.name, eu.alias, eu.aliases) == ("eu", None, ["files"])
    made = wire.AssetTask(dag_id="d", task_id="make_@alias:files")
    assert alias.producers == eu.producers == [made]
    assert (alias.last_event_at, [each.dag_id for each in alias.consumers]) == (
        eu.last_event_at,
        ["c"],
    )
    detail = client.asset("@alias:files")
    assert (detail.assets, detail.assets_total, detail.refused) == (["eu"], 1, None)
    assert (client.asset("eu").assets, client.dag_assets("c").waits[0].assets) == ([], 1)
    (of_alias,) = client.asset_events("@alias:files", 5)
    (of_asset,) = client.asset_events("eu", 5)
    assert (of_alias.asset, of_alias.aliases, of_alias.extra) == ("eu", ["files"], {"rows": 7})
    assert (of_asset.asset, of_asset.aliases) == ("eu", ["files"])
    conn.execute(
        "UPDATE asset SET refused_asset = 'us', refused_why = 'it is full' WHERE name <> 'eu'"
    )
    assert client.asset("@alias:files").refused == "us: it is full"


def test_nobody_reports_an_event_of_an_alias(client: Client, conn: Session) -> None:
    producer(conn, "@alias:files")
    with pytest.raises(UsageError, match="'files' is an alias"):
        client.emit_asset_event(event("@alias:files"))
    with pytest.raises(NotFound) as missing:
        client.asset("files")
    assert missing.value.hint == "there is an alias of this name: @alias:files"


def test_an_asset_tells_what_its_watchers_do(client: Client, conn: Session) -> None:
    """Before an agent looks, while one does, when it fails, and when no DAG runs that waits for the asset."""
    asset = "orders"
    watched(conn, asset)
    scheduler = Scheduler(conn)

    def only() -> wire.AssetWatcher:
        (found,) = client.asset(asset).watchers
        assert client.dag_assets("c").watchers == [found]
        return found

    assert (only().state, only().starts_at) == ("waiting", None)
    settle(scheduler)
    assert only().reason == "it begins soon"
    conn.execute("UPDATE watch SET starts_at = starts_at - interval '20 seconds'")
    assert 'an agent that serves the queue "default"' in only().reason
    (held,) = claim(scheduler)
    store(scheduler, held, 1, seen("a.csv"), cursor=["secret"])
    look = watchers.Look(held.digest, held.life, 3, 0.0, 5.0, "1 file there")
    transact(conn, watchers.note, 1, scheduler.session, [look], scheduler.now)
    found = only()
    assert (found.asset, found.name, found.dag_id, found.queue) == (
        asset,
        FILES.name,
        "c",
        "default",
    )
    assert (found.state, found.reason, found.events, found.note) == (
        "looking",
        "",
        1,
        "1 file there",
    )
    assert found.looked_at is not None
    assert found.looks_at is not None
    assert found.looks_at > found.looked_at
    transact(conn, watchers.stopped, holder(scheduler, held), "OSError: no disk", scheduler.now)
    failed = only()
    assert (failed.state, failed.error, failed.reason) == ("failed", "OSError: no disk", "")
    conn.execute("UPDATE dag SET paused_at = now()")
    settle(scheduler)
    assert (only().state, only().reason) == (
        *("stopped", "no DAG waits for the asset, or all that do are paused"),
    )
    assert client.asset_events(asset, 10)[0].by == "watcher:inbox"
