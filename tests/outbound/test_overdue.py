"""Partitions that are overdue are told to the webhooks that want to hear of them, once."""

import re
from datetime import UTC, datetime

import pytest

from tests.outbound.receiver import Receiver
from tests.outbound.world import World
from tests.scenarios.test_partitions_due import Clock, daily
from tests.scenarios.world import deploy, task

DUE = "2026-03-03T02:00"


def test_an_overdue_partition_is_told_to_those_who_want_it(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily(world.conn, "sales/day")
    daily(world.conn, "other")
    world.create(receiver.url, name="ends")
    world.create(f"{receiver.url}&1", name="both", events=["run.ended", "partition.overdue"])
    world.create(
        f"{receiver.url}&2",
        name="sales",
        dags=["sales*"],
        states=["failed"],
        events=["partition.overdue"],
    )
    world.conn.execute("UPDATE outbound_webhook SET active_since = '2026-01-01'")
    clock = Clock(world.conn, monkeypatch)
    clock.look()
    assert clock.look(DUE) == 2
    world.send()
    came = receiver.all()
    assert sorted((each.path[-1], each.told["dag_id"]) for each in came) == [
        ("1", "other"),
        ("1", "sales/day"),
        ("2", "sales/day"),
    ]
    told = next(each for each in came if each.path.endswith("2"))
    assert told.headers["x-headway-event"] == "partition.overdue"
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9]+", told.id)
    at = datetime.fromisoformat(told.told.pop("at"))
    assert at.replace(tzinfo=UTC) >= datetime.fromisoformat(DUE).replace(tzinfo=UTC)
    assert told.told | {"at": None} == {
        "id": told.id,
        "event": "partition.overdue",
        "team": "default",
        "dag_id": "sales/day",
        "partition": "2026-03-02",
        "due_at": "2026-03-03T02:00:00Z",
        "arrived": False,
        "url": "https://headway.example.com/t/default/dags/sales%2Fday",
        "at": None,
    }
    (kept,) = world.deliveries("sales")
    assert (kept.event, kept.partition, kept.dag_id, kept.run_id, kept.state) == (
        "partition.overdue",
        "2026-03-02",
        "sales/day",
        None,
        None,
    )
    assert world.deliveries("ends") == []
    assert clock.look() == 0
    world.send()
    assert receiver.all() == []


def test_ends_of_runs_are_not_told_to_those_who_hear_of_partitions_only(
    world: World, receiver: Receiver
) -> None:
    deploy(world.conn, task("a"))
    world.create(receiver.url, events=["partition.overdue"])
    world.end()
    world.send()
    assert receiver.all() == []
    assert world.change(events=["run.ended"]).events == ["run.ended"]
    told = world.end()
    world.send()
    assert [each.told["run_id"] for each in receiver.all()] == [told]
