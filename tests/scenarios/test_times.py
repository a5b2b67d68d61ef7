"""Runs at dates that are written down, and of times beside assets, through the scheduler's own transactions."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from headway import ids
from headway.actions import backfills, commands
from headway.actions.backfills import Again
from headway.core.schedules import DATES_MAX
from headway.core.schedules import dates as written_dates
from headway.engine import timetables
from headway.errors import UsageError
from headway.spec.model import Asset
from headway.store import dags
from headway.store.transact import Session, transact
from headway.store.views import assets as asset_views
from headway.store.views import calendar, timeline
from headway.store.views import dags as dag_views
from headway.store.views.memory import Memory
from tests.scenarios.test_assets import Follower, consumed, produced, producer, runs_of
from tests.scenarios.world import ANN, Scheduler, deploy, graphs, task, value

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FIRES = [
    "2026-01-02T00:00:00Z/2026-01-03T00:00:00Z",
    "2026-01-05T00:00:00Z/2026-01-06T00:00:00Z",
    "2026-01-06T00:00:00Z/2026-01-07T00:00:00Z/2026-01-07T04:00:00Z",
]
RUNS = "SELECT logical_date, interval_start, interval_end, trigger FROM run ORDER BY logical_date"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dated(conn: Connection[Any], fires: list[str] = FIRES, **options: Any) -> None:
    skips = options.pop("skips_past", False)
    given: dict[str, Any] = {
        "schedule": {"dates": {"fires": fires, "words": "by Workdays", "skips_past": skips}},
        "start_date": JANUARY,
        "dated_by_start": True,
    }
    deploy(conn, task("a"), **given | options)
    look_at_once(conn)


def look_at_once(conn: Connection[Any]) -> None:
    """Have the timetable asked whatever time it is: the tests name the time."""
    conn.execute("UPDATE dag SET next_fire_at = '2026-01-01Z' WHERE next_fire_at IS NOT NULL")


def due(scheduler: Scheduler, now: datetime) -> int:
    catalog = scheduler.ticker.catalog
    return transact(scheduler.conn, timetables.create_due, catalog, ids.run_id, now)


def told(conn: Connection[Any]) -> list[tuple[str, str, str, str]]:
    return [
        (f"{date:%d %H}", f"{start:%d %H}", f"{end:%d %H}", kind)
        for date, start, end, kind in conn.execute(RUNS).fetchall()
    ]


def test_a_run_of_each_date_has_the_interval_of_the_date(conn: Connection[Any]) -> None:
    dated(conn, catchup=True)
    scheduler = Scheduler(conn)
    assert due(scheduler, utc("2026-01-06T12:00")) == 2
    assert due(scheduler, utc("2026-01-06T12:00")) == 0
    assert value(conn, "SELECT next_fire_at FROM dag") == utc("2026-01-07T04:00")
    assert due(scheduler, utc("2026-02-01")) == 1
    assert told(conn) == [
        ("03 00", "02 00", "03 00", "schedule"),
        ("06 00", "05 00", "06 00", "schedule"),
        ("07 04", "06 00", "07 00", "schedule"),
    ]
    assert value(conn, "SELECT next_fire_at FROM dag") is None


def test_later_dates_of_a_new_version_go_on_after_the_last(conn: Connection[Any]) -> None:
    dated(conn, FIRES[:1], catchup=True)
    scheduler = Scheduler(conn)
    assert due(scheduler, utc("2026-02-01")) == 1
    dated(conn, FIRES, catchup=True)
    assert due(scheduler, utc("2026-02-01")) == 2


def test_without_catchup_a_new_dag_begins_with_the_last_date_or_the_next(
    conn: Connection[Any],
) -> None:
    """As its timetable would in Airflow: some run what has just passed, some wait."""
    far = [*FIRES, "2099-01-01T00:00:00Z"]
    dated(conn, far, catchup=False)
    scheduler = Scheduler(conn)
    assert due(scheduler, utc("2026-02-01")) == 1
    dated(conn, far, catchup=False, dag_id="skips", skips_past=True)
    assert due(scheduler, utc("2026-02-01")) == 0
    assert value(conn, "SELECT next_fire_at FROM dag WHERE dag_id = 'skips'") == utc("2099-01-01")


def test_a_backfill_runs_the_dates_between_two(conn: Session) -> None:
    dated(conn)
    spec = dags.spec(conn, 1, "d")
    found = commands.backfill_dates(spec, "2026-01-04", "2026-01-31")
    assert found == [utc("2026-01-06"), utc("2026-01-07T04:00")]
    planned = transact(conn, backfills.plan, 1, "d", found, Again.MISSING)
    transact(conn, backfills.create, 1, "d", planned, {}, None, graphs(Scheduler(conn)), ANN)
    assert told(conn) == [
        ("06 00", "05 00", "06 00", "backfill"),
        ("07 04", "06 00", "07 00", "backfill"),
    ]
    with pytest.raises(UsageError, match="does not fire between"):
        commands.backfill_dates(spec, "2026-01-08", "2026-01-31")


def test_a_run_on_demand_has_the_interval_of_the_last_date(conn: Connection[Any]) -> None:
    dated(conn)
    transact(
        conn,
        commands.trigger,
        1,
        "d",
        [commands.RunRequest(params={}, logical_date="2026-01-05T12:00")],
        ANN,
    )
    assert told(conn) == [("05 12", "02 00", "03 00", "manual")]


def test_the_calendar_and_the_next_fires_know_the_dates(conn: Connection[Any]) -> None:
    dated(conn, [*FIRES, "2099-01-01T00:00:00Z", "2099-03-01T00:00:00Z"])
    found = calendar.upcoming(conn, Memory(), "d", 5, None)
    assert [fire.logical_date for fire in found.fires] == [utc("2099-01-01"), utc("2099-03-01")]
    span = utc("2099-02-01"), utc("2099-04-01")
    assert [fire.at for fire in calendar.of_dag(conn, "d", span, None).fires] == [utc("2099-03-01")]


# -- times or assets


def both(conn: Connection[Any]) -> None:
    deploy(
        conn,
        task("use"),
        dag_id="c",
        schedule={"cron": "0 0 * * *", "or_assets": {"all": ["orders", "rates"]}},
        start_date=JANUARY,
        catchup=True,
        assets=(Asset(name="orders"), Asset(name="rates")),
    )
    look_at_once(conn)


def test_times_and_assets_start_runs_each_on_its_own(conn: Session) -> None:
    producer(conn, "orders", dag_id="makes_orders")
    producer(conn, "rates", dag_id="makes_rates")
    both(conn)
    scheduler = Scheduler(conn)
    follower = Follower(scheduler)
    produced(conn, scheduler, "makes_orders")
    assert follower.follow() == 0, "one of two assets is not enough"
    assert due(scheduler, utc("2026-01-01T12:00")) == 1
    produced(conn, scheduler, "makes_rates")
    assert follower.follow() == 1, "the run by time consumed no events"
    (by_time, by_data) = runs_of(conn, "c")
    kinds = "SELECT trigger FROM run WHERE run_id = %s"
    assert conn.execute(kinds, [by_time]).fetchone() == ("schedule",)
    assert conn.execute(kinds, [by_data]).fetchone() == ("asset",)
    assert consumed(conn, by_time) == []
    assert consumed(conn, by_data) == ["orders", "rates"]
    assert due(scheduler, utc("2026-01-02T12:00")) == 1, "the run by data moved no fire"
    assert follower.follow() == 0


def test_what_events_bring_reads_no_dates(conn: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event may concern fifty DAGs, of which each has thousands of dates."""
    producer(conn, "orders", dag_id="makes_orders")
    dated(
        conn,
        dag_id="c",
        schedule={"dates": {"fires": FIRES, "words": "by Workdays"}, "or_assets": "orders"},
        assets=(Asset(name="orders"),),
    )
    scheduler = Scheduler(conn)
    produced(conn, scheduler, "makes_orders")
    asked: list[tuple[str, ...]] = []

    def dates_read(fires: tuple[str, ...], _: str) -> tuple[written_dates.Date, ...]:
        asked.append(fires)
        return ()

    monkeypatch.setattr(written_dates, "dated", dates_read)
    assert Follower(scheduler).follow() == 1
    assert not any(asked)


def test_it_is_told_when_it_runs_next_and_what_it_waits_for(conn: Session) -> None:
    producer(conn, "orders", dag_id="makes_orders")
    both(conn)
    scheduler = Scheduler(conn)
    produced(conn, scheduler, "makes_orders")
    Follower(scheduler).follow()
    found = calendar.upcoming(conn, Memory(), "c", 1, None)
    assert (len(found.fires), found.why) == (1, None)
    waits = {wait.asset: wait.missing for wait in asset_views.of_dag(conn, "c").waits}
    assert waits == {"orders": False, "rates": True}


def test_many_written_dates_do_not_make_a_transaction_long(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too much for one waits for the next, and holds up no DAG whose dates are counted."""
    monkeypatch.setattr(timetables, "DATES_READ_MAX", 2 * len(FIRES))
    for number in range(3):
        dated(conn, dag_id=f"a{number}")
    dated(conn, dag_id="z", schedule={"cron": "0 0 * * *"})
    scheduler = Scheduler(conn)
    assert due(scheduler, utc("2026-01-06T12:00")) == 3
    made = "SELECT string_agg(dag_id, ' ' ORDER BY dag_id) FROM run"
    assert value(conn, made) == "a0 a1 z"
    assert value(conn, "SELECT next_fire_at FROM dag WHERE dag_id = 'a2'") == utc("2026-01-01")
    assert due(scheduler, utc("2026-01-06T12:00")) == 1
    assert value(conn, made) == "a0 a1 a2 z"


def test_a_team_that_catches_up_with_many_dates_holds_up_no_other(
    conn: Session, owner_conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its DAGs are due for the longest time, and go on being so."""
    monkeypatch.setattr(timetables, "DATES_READ_MAX", 2 * len(FIRES))
    monkeypatch.setattr(timetables, "FIRES_MAX", 1)
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    scheduler = Scheduler(conn)
    for number in range(3):
        dated(conn, dag_id=f"a{number}", catchup=True)
    dated(conn, dag_id="z", team_id=2)
    conn.execute("UPDATE dag SET next_fire_at = '2026-01-02Z' WHERE team_id = 2")
    assert due(scheduler, utc("2026-01-07T12:00")) == 2
    made = "SELECT string_agg(dag_id, ' ' ORDER BY dag_id) FROM run"
    assert value(conn, made) == "a0 z"


def test_a_calendar_reads_no_more_dates_than_it_has_time_for(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody's requests are answered in one process."""
    monkeypatch.setattr(calendar, "DATES_READ_MAX", 2 * len(FIRES))
    monkeypatch.setattr(calendar, "AT_ONCE", 1)
    later = [each.replace("2026", "2099") for each in FIRES]
    for dag_id in ("a", "b"):
        dated(conn, later, dag_id=dag_id)
    deploy(conn, task("a"), dag_id="c", schedule={"cron": "0 0 1 1 *"}, start_date=JANUARY)
    span = utc("2099-01-01"), utc("2099-02-01")

    def told() -> tuple[set[str], bool]:
        found = calendar.of_all(conn, span, None)
        return {fire.dag_id for fire in found.fires}, found.truncated

    assert told() == ({"a", "b", "c"}, False)
    assert timeline.upcoming(conn, utc("2026-01-01"), span)[1] is False
    dated(conn, later, dag_id="b2")
    assert told() == ({"a", "b"}, True)
    assert timeline.upcoming(conn, utc("2026-01-01"), span)[1] is True
    past = utc("2025-01-01"), utc("2025-02-01")
    assert calendar.of_all(conn, past, None).truncated is False


def test_a_list_of_dags_holds_the_dates_of_one_at_a_time(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dag_views, "AT_ONCE", 10)
    fires = [f"{JANUARY + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}" for hour in range(DATES_MAX)]
    for number in range(20):
        dated(conn, fires, dag_id=f"d{number:02}")
    tracemalloc.start()
    try:
        found = dag_views.summaries(conn, limit=100)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert [each.dag_id for each in found] == [f"d{number:02}" for number in range(20)]
    assert [each.dag_id for each in dag_views.summaries(conn, limit=15)][-1] == "d14"
    assert {each.schedule_words for each in found} == {"by Workdays"}
    assert "fires" not in (found[0].schedule or {})["dates"]
