"""Partitions through the API: what a DAG misses, which an asset has, runs and backfills of them, and walls."""

import pytest

from headway import wire
from headway.client import Client
from headway.core.reasons import AwaitsPartitions
from headway.engine import assets as engine
from headway.errors import NotFound, UsageError
from headway.store.transact import Session
from tests.scenarios.test_assets import Follower, consumer
from tests.scenarios.test_partitions import DAILY, PAIR, hours, partitioned
from tests.scenarios.world import Scheduler


def put(client: Client, asset: str, *keys: str) -> None:
    for key in keys:
        client.emit_asset_event(wire.AssetEventRequest(asset=asset, partition=key))


def test_a_dag_tells_which_keys_its_partitions_miss(client: Client, conn: Session) -> None:
    partitioned(conn, DAILY, "clicks")
    follower = Follower(Scheduler(conn))
    assert client.dag_assets("c").reason == "it waits for partitions of its assets"
    put(client, "clicks", *hours("2026-03-01", without=(4, 5, 6, 7, 8, 9)), "2026-03-02T00")
    assert follower.follow() == 0
    first, second = client.dag_partitions("c", 10)
    assert (first.partition, second.partition) == ("2026-03-01", "2026-03-02")
    assert first.missing == [
        wire.MissingKeys(
            asset="clicks", keys=[f"2026-03-01T0{hour}" for hour in range(4, 10)], total=6, needed=6
        )
    ]
    assert first.arrived == {"clicks": 18}
    found = client.dag_assets("c")
    assert found.partitioned
    assert [each.partition for each in found.partitions] == ["2026-03-01", "2026-03-02"]
    fires = client.next_fires("c")
    assert isinstance(fires.why, AwaitsPartitions)
    assert (fires.why.partition, fires.why.more, fires.why.pending) == ("2026-03-01", 1, 2)
    assert fires.reason == found.reason == client.asset("clicks").waiters[0].reason
    assert fires.reason is not None
    assert fires.reason.endswith("`2026-03-01T08` of `clicks`, 1 more; 1 other partition waits")


def test_an_asset_lists_its_partitions_by_pages(client: Client, conn: Session) -> None:
    consumer(conn, "orders", "orders")
    put(client, "orders", "a", "b", "a", "c")
    assert [each.partition for each in client.asset_partitions("orders", 10)] == ["c", "b", "a"]
    assert (
        client.asset_partitions("orders", 10)[2].event_id
        > client.asset_partitions("orders", 10)[1].event_id
    )
    query = {"asset": "orders", "limit": 2}
    page = client.get("/assets/partitions", wire.Page[wire.AssetPartition], query)
    assert page.next_cursor is not None
    rest = client.get(
        "/assets/partitions", wire.Page[wire.AssetPartition], {**query, "cursor": page.next_cursor}
    )
    assert [each.partition for each in (*page.items, *rest.items)] == ["c", "b", "a"]
    with pytest.raises(NotFound):
        client.asset_partitions("ordres", 10)


def test_a_run_is_started_for_a_partition(client: Client, conn: Session) -> None:
    partitioned(conn, DAILY, "clicks")
    run = client.trigger("c", wire.TriggerRequest(partition="2026-03-01"))
    assert run.partition == client.run(run.run_id).partition == "2026-03-01"
    with pytest.raises(UsageError, match="no such partition"):
        client.trigger("c", wire.TriggerRequest(partition="moon"))


def test_a_backfill_names_its_partitions(client: Client, conn: Session) -> None:
    partitioned(conn, DAILY, "clicks")
    asked = wire.BackfillRequest(first="2026-03-01", last="2026-03-03")
    answer = client.backfill("c", asked)
    assert sorted(str(client.run(run.run_id or "").partition) for run in answer.runs) == [
        "2026-03-01",
        "2026-03-02",
        "2026-03-03",
    ]


def test_keys_that_are_no_times_have_no_dates_to_fill(client: Client, conn: Session) -> None:
    partitioned(conn, PAIR, "p")
    with pytest.raises(UsageError, match="no partitions in time"):
        client.backfill("c", wire.BackfillRequest(first="2026-03-01", last="2026-03-03"))


def test_partitions_of_another_team_arrive_by_a_grant(client: Client, conn: Session) -> None:
    """Until it is given the reason names the wall."""
    partitioned(conn, {"kind": "identity"}, "@shop/orders")
    assert engine.follow(conn, Scheduler(conn).ticker.catalog, str).created == 0
    assert client.dag_assets("c").reason == (
        "it waits for partitions of its assets; no grant lets it use `@shop/orders`"
    )
