"""Assets over the API: what is listed, events from outside, and what the next run of a DAG waits for."""

from typing import Any

import pytest

from headway import wire
from headway.client import Client
from headway.core.reasons import AwaitsAssets
from headway.engine import assets as engine
from headway.errors import NotFound, UsageError
from headway.store.transact import Session, transact
from tests.scenarios.test_assets import consumer, producer


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
