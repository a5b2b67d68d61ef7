"""Runs on partitions by the scheduler's transactions: keys of events are mapped, and complete partitions run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from psycopg import Connection

from headway.actions import backfills, commands
from headway.actions.commands import RunRequest
from headway.agent.protocol import AssetEvent
from headway.clock import now
from headway.engine import assets as engine
from headway.engine import partitions as partition_engine
from headway.engine import timetables
from headway.engine.catalog import Catalog
from headway.errors import UsageError
from headway.secrets import asset_events
from headway.spec.model import Asset, Dag
from headway.store import assets
from headway.store.transact import Session, transact
from headway.store.views import partitions as views
from tests.scenarios.test_assets import Follower, producer, runs_of
from tests.scenarios.test_retention import sweep
from tests.scenarios.world import ANN, Scheduler, deploy, run_state, task, value

DAILY: Final = {
    "kind": "rollup",
    "upstream": {"kind": "start_of", "period": "day"},
    "window": {"period": "day"},
}
PAIR: Final = {
    "kind": "rollup",
    "upstream": {"kind": "fixed", "to": "all"},
    "window": {"segments": ["a", "b"]},
}


def partitioned(
    conn: Connection[Any],
    mapper: Any,
    *names: str,
    dag_id: str = "c",
    zone: str = "UTC",
    **more: Any,
) -> Dag:
    """A DAG that runs on partitions of assets."""
    on = names[0] if len(names) == 1 else {"all": list(names)}
    schedule = {"partitions": {"on": on, "mapper": mapper, **more}}
    if zone != "UTC":
        schedule["timezone"] = zone  # type: ignore[assignment]
    known = tuple(Asset(name=name) for name in names)
    return deploy(conn, task("use"), dag_id=dag_id, schedule=schedule, assets=known)


def put(conn: Connection[Any], asset: str, *keys: str | None, team_id: int = 1) -> None:
    for key in keys:
        event = assets.NewEvent(team_id, asset, "{}", key, "ann", None)
        transact(conn, assets.put, event, now())


def follow(follower: Follower) -> int:
    return follower.follow()


def hours(day: str, *, without: tuple[int, ...] = ()) -> list[str]:
    return [f"{day}T{hour:02}" for hour in range(24) if hour not in without]


def partitions_of(conn: Connection[Any], dag_id: str = "c") -> list[str | None]:
    return [
        partition
        for (partition,) in conn.execute(
            "SELECT partition FROM run WHERE dag_id = %s ORDER BY created_at, run_id", [dag_id]
        ).fetchall()
    ]


@pytest.fixture
def follower(conn: Session) -> Follower:
    return Follower(Scheduler(conn))


def test_a_day_runs_when_its_hours_are_there(conn: Session, follower: Follower) -> None:
    partitioned(conn, DAILY, "clicks")
    put(conn, "clicks", *hours("2026-03-01", without=(5, 7)))
    assert follow(follower) == 0
    (pending,) = transact(conn, views.page, "c", None, 10, None).items
    assert pending.partition == "2026-03-01"
    (lacking,) = pending.missing
    assert (lacking.asset, lacking.keys, lacking.total) == (
        "clicks",
        ["2026-03-01T05", "2026-03-01T07"],
        2,
    )
    put(conn, "clicks", "2026-03-01T07", "2026-03-01T07:30")
    assert follow(follower) == 0
    put(conn, "clicks", "2026-03-01T05", "2026-03-02T00")
    assert follow(follower) == 1
    (run_id,) = runs_of(conn, "c")
    row = conn.execute(
        "SELECT partition, trigger, interval_start, interval_end FROM run"
    ).fetchone()
    assert row == (
        "2026-03-01",
        "asset",
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    )
    told = msgspec.json.decode(transact(conn, asset_events.read, 1, run_id, "{}"))
    assert sorted({event["partition"][:13] for event in told}) == hours("2026-03-01")
    assert follow(follower) == 0
    assert [each.partition for each in transact(conn, views.page, "c", None, 10, None).items] == [
        "2026-03-02"
    ]


@pytest.mark.parametrize(
    ("day", "count"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)]
)
def test_days_with_a_change_of_the_clock_have_as_many_hours_as_pass(
    conn: Session, follower: Follower, day: str, count: int
) -> None:
    """As an hourly DAG in the same zone puts them."""
    partitioned(conn, DAILY, "clicks", zone="Europe/Berlin")
    schedule = {"cron": "0 * * * *", "timezone": "Europe/Berlin", "partition_key": {}}
    from headway.core import schedules
    from headway.core.partitions.periods import Period, Span, following, parts

    hourly = schedules.read(schedule, None)
    start = datetime.fromisoformat(f"{day}T00:00+00:00").replace(tzinfo=None)
    from zoneinfo import ZoneInfo

    begin = start.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    span = Span(begin, following(begin, Period.DAY, "Europe/Berlin"))
    keys = [str(hourly.partition_of(each)) for each in parts(span, Period.HOUR, "Europe/Berlin")]
    assert len(set(keys)) == count
    for key in keys[:-1]:
        put(conn, "clicks", key)
    assert follow(follower) == 0
    put(conn, "clicks", keys[-1])
    assert follow(follower) == 1
    assert partitions_of(conn) == [day]


def test_a_partition_put_twice_brings_one_run(conn: Session, follower: Follower) -> None:
    partitioned(conn, PAIR, "p")
    put(conn, "p", "a", "a", "b", "b")
    assert follow(follower) == 1
    assert value(conn, "SELECT sum(events) FROM consumed_partition") == 4
    assert value(conn, "SELECT count(*) FROM consumed_partition") == 2


def test_a_late_key_is_an_event_of_the_run_and_waits_for_the_others(
    conn: Session, follower: Follower
) -> None:
    partitioned(conn, PAIR, "p")
    put(conn, "p", "a", "b")
    assert follow(follower) == 1
    put(conn, "p", "b")
    assert follow(follower) == 0
    row = conn.execute(
        "SELECT run_id, reason ->> 'arrived' FROM event WHERE name = 'late_partition'"
    ).fetchall()
    assert row == [(runs_of(conn, "c")[0], "b")]
    (pending,) = transact(conn, views.page, "c", None, 10, None).items
    assert pending.late
    assert pending.run_id == runs_of(conn, "c")[0]
    put(conn, "p", "b")
    follow(follower)
    assert value(conn, "SELECT count(*) FROM event WHERE name = 'late_partition'") == 1, "told once"
    put(conn, "p", "a")
    assert follow(follower) == 1
    assert partitions_of(conn) == ["all", "all"]


def test_a_late_key_may_bring_a_run_at_once(conn: Session, follower: Follower) -> None:
    partitioned(conn, PAIR, "p", late="run")
    put(conn, "p", "a")
    assert follow(follower) == 0
    put(conn, "p", "b")
    assert follow(follower) == 1
    put(conn, "p", "b")
    assert follow(follower) == 1
    assert partitions_of(conn) == ["all", "all"]


def test_several_assets_meet_in_a_partition(conn: Session, follower: Follower) -> None:
    """One by the hour, the other one by the day and region."""
    mappers = {"costs": {"kind": "start_of", "period": "day"}}
    partitioned(conn, DAILY, "clicks", "costs", mappers=mappers)
    put(conn, "clicks", *hours("2026-03-01"), *hours("2026-03-02"))
    assert follow(follower) == 0
    put(conn, "costs", "2026-03-02", "2026-03-03")
    assert follow(follower) == 1
    assert partitions_of(conn) == ["2026-03-02"]


def test_events_without_a_partition_bring_no_partition(conn: Session, follower: Follower) -> None:
    partitioned(conn, {"kind": "identity"}, "p")
    put(conn, "p", None)
    assert follow(follower) == 0
    put(conn, "p", "x")
    assert follow(follower) == 1
    assert value(conn, "SELECT events FROM asset_consumer") == 0


def test_a_key_that_no_mapper_reads_is_told_and_stops_no_other(
    conn: Session, follower: Follower
) -> None:
    partitioned(conn, {"kind": "start_of", "period": "day"}, "p")
    put(conn, "p", "moon", "2026-03-01")
    assert follow(follower) == 1
    assert value(conn, "SELECT refused_key FROM asset_consumer") == "moon"
    assert "is not a time like" in value(conn, "SELECT refused_why FROM asset_consumer")
    assert "moon" in transact(conn, views.reason, "c").refused


def test_what_arrives_during_a_pause_runs_after_it(conn: Session, follower: Follower) -> None:
    partitioned(conn, PAIR, "p")
    transact(conn, commands.pause, 1, "c", ANN)
    put(conn, "p", "a", "b")
    assert follow(follower) == 0
    transact(conn, commands.resume, 1, "c", ANN)
    assert follow(follower) == 1


def test_another_mapper_maps_again_what_has_arrived(conn: Session, follower: Follower) -> None:
    partitioned(conn, DAILY, "clicks")
    put(conn, "clicks", "2026-03-01T05", "2026-03-02T05")
    assert follow(follower) == 0
    partitioned(conn, {"kind": "start_of", "period": "month"}, "clicks")
    assert follow(follower) == 1
    assert partitions_of(conn) == ["2026-03"]
    deploy(conn, task("use"), dag_id="c")
    assert value(conn, "SELECT count(*) FROM pending_partition") == 0


def test_the_outlet_of_a_run_of_a_partition_is_of_that_partition(
    conn: Session, follower: Follower
) -> None:
    """And so from hour to day to week to month, each by the run of the one before."""
    made = task("make", outlets=("out",))
    schedule = {"partitions": {"on": "in", "mapper": DAILY}}
    known = (Asset(name="in"), Asset(name="out"))
    deploy(conn, made, dag_id="daily", schedule=schedule, assets=known)
    weekly = {
        "kind": "rollup",
        "upstream": {"kind": "start_of", "period": "week"},
        "window": {"period": "week"},
    }
    partitioned(conn, weekly, "out", dag_id="weekly")
    for day in range(2, 9):
        put(conn, "in", *hours(f"2026-03-{day:02}"))
    assert follow(follower) == 7
    follower.scheduler.play()
    assert value(
        conn,
        "SELECT array_agg(DISTINCT partition ORDER BY partition) FROM asset_event WHERE asset = 'out'",
    ) == [f"2026-03-0{day}" for day in range(2, 9)]
    assert follow(follower) == 1
    assert partitions_of(conn, "weekly") == ["2026-03-02 (W10)"]


def test_a_task_names_partitions_of_its_own(conn: Session, follower: Follower) -> None:
    producer(conn, "p")
    partitioned(conn, PAIR, "p")
    commands_run = transact(
        conn, commands.trigger, 1, "d", [RunRequest(params={}, partition="elsewhere")], ANN
    )
    told = [AssetEvent("p", b"{}", "a"), AssetEvent("p", b"{}", "b")]
    follower.scheduler.play(lambda _: {"outcome": "success", "assets": told})
    assert run_state(conn, commands_run[0]) == "success"
    assert follow(follower) == 1


def test_more_partitions_than_one_look_judges(
    conn: Session, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_engine, "EVENTS_MAX", 3)
    monkeypatch.setattr(partition_engine, "PENDING_MAX", 2)
    monkeypatch.setattr(partition_engine, "ARRIVALS_MAX", 5)
    fan = {
        "kind": "fan_out",
        "upstream": {"kind": "start_of", "period": "week"},
        "window": {"period": "week"},
    }
    partitioned(conn, fan, "p")
    put(conn, "p", "2026-03-02", "2026-03-09")
    made = 0
    while found := engine.follow(conn, follower.scheduler.ticker.catalog, follower.new_id):
        made += found.created
        if not found.more and not found.created:
            break
    assert made == 14
    assert sorted(map(str, partitions_of(conn))) == [f"2026-03-{day:02}" for day in range(2, 16)]


def test_a_limit_of_the_team_lets_partitions_wait(
    conn: Session, owner_conn: Session, follower: Follower
) -> None:
    partitioned(conn, {"kind": "identity"}, "p")
    owner_conn.execute("""UPDATE team SET limits = '{"open_runs": 2}'""")
    put(conn, "p", "a", "b", "c")
    assert follow(follower) == 2
    assert transact(conn, views.reason, "c").limit == "open_runs"
    follower.scheduler.play()
    assert follow(follower) == 1
    assert sorted(map(str, partitions_of(conn))) == ["a", "b", "c"]


def test_a_person_runs_a_partition(conn: Session, follower: Follower) -> None:
    partitioned(conn, DAILY, "clicks", zone="Europe/Berlin")
    ask = [
        RunRequest(params={}, partition="2026-03-29"),
        RunRequest(params={}, logical_date="2026-03-30"),
    ]
    transact(conn, commands.trigger, 1, "c", ask, ANN)
    found = conn.execute(
        "SELECT partition, interval_end - interval_start FROM run ORDER BY partition"
    ).fetchall()
    assert [(key, size.total_seconds() / 3600) for key, size in found] == [
        ("2026-03-29", 23),
        ("2026-03-30", 24),
    ]
    with pytest.raises(UsageError, match="no such partition"):
        transact(conn, commands.trigger, 1, "c", [RunRequest(params={}, partition="moon")], ANN)


def test_a_backfill_runs_partitions(conn: Session, follower: Follower) -> None:
    """Those that have a run, whatever brought it, are left out, or run again."""
    spec = partitioned(conn, DAILY, "clicks")
    put(conn, "clicks", *hours("2026-03-02"))
    assert follow(follower) == 1
    follower.scheduler.play()
    dates = commands.backfill_dates(spec, "2026-03-01", "2026-03-03")
    planned = transact(conn, backfills.plan, 1, "c", dates, backfills.Again.MISSING)
    assert [each.action for each in planned] == ["create", "leave", "create"]
    transact(conn, backfills.create, 1, "c", planned, {}, None, Catalog(conn).graph, ANN)
    assert sorted(map(str, partitions_of(conn))) == ["2026-03-01", "2026-03-02", "2026-03-03"]
    follower.scheduler.play()
    again = transact(conn, backfills.plan, 1, "c", dates, backfills.Again.ALL)
    assert {each.action for each in again} == {"again"}


def test_a_run_of_a_timetable_has_a_partition(conn: Session) -> None:
    schedule = {"cron": "0 * * * *", "partition_key": {"offset": -1}}
    made = task("make", outlets=("p",))
    start = datetime(2026, 3, 1, tzinfo=UTC)
    deploy(conn, made, schedule=schedule, start_date=start, assets=(Asset(name="p"),))
    scheduler = Scheduler(conn)
    conn.execute("UPDATE dag SET next_fire_at = %s", [start])
    transact(
        conn,
        timetables.create_due,
        scheduler.ticker.catalog,
        lambda: "one",
        datetime(2026, 3, 1, 0, 30, tzinfo=UTC),
    )
    scheduler.play()
    assert partitions_of(conn, "d") == ["2026-02-28T23"]
    assert value(conn, "SELECT partition FROM asset_event") == "2026-02-28T23"


def test_what_is_never_completed_goes_by_its_age(
    conn: Session, owner_conn: Session, follower: Follower, tmp_path: Path
) -> None:
    """As old events do. The keys of a run go with the run."""
    partitioned(conn, DAILY, "clicks")
    put(conn, "clicks", "2026-03-01T05", "2026-03-02T05")
    follow(follower)
    owner_conn.execute(
        "UPDATE pending_partition SET latest_at = latest_at - interval '91 days' WHERE partition = '2026-03-01'"
    )
    sweep(conn, tmp_path)
    assert value(conn, "SELECT array_agg(partition) FROM pending_partition") == ["2026-03-02"]
    assert value(conn, "SELECT array_agg(key) FROM arrived_partition") == ["2026-03-02T05"]
