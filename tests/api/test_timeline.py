"""All DAGs on one axis of time, and the slots they take."""

from datetime import UTC, datetime, timedelta

import pytest

from headway import wire
from headway.client import Client
from headway.errors import UsageError
from headway.store.transact import Session
from headway.store.views import timeline
from tests.api import seed
from tests.scenarios.world import deploy, task, value

HOUR = timedelta(hours=1)
HOURLY = {"interval_s": 3600.0}


def ran(
    conn: Session, dag_id: str, run_id: str, at: datetime, minutes: float, state: str = "success"
) -> None:
    """A run of one task in two slots of the pool, all its time."""
    end = at + timedelta(minutes=minutes)
    seed.run(conn, dag_id, run_id, state=state)
    seed.instance(conn, run_id, "t", state)
    seed.attempt(conn, run_id, "t")
    times = {"run": run_id, "at": at, "end": end}
    conn.execute(
        "UPDATE run SET logical_date = %(at)s, started_at = %(at)s, created_at = %(at)s,"
        " ended_at = CASE WHEN ended_at IS NOT NULL THEN %(end)s::timestamptz END"
        " WHERE run_id = %(run)s",
        times,
    )
    conn.execute("UPDATE task_instance SET pool_slots = 2 WHERE run_id = %s", [run_id])
    conn.execute(
        "UPDATE attempt SET queued_at = %(at)s, started_at = %(at)s, ended_at = %(end)s"
        " WHERE run_id = %(run)s",
        times,
    )


def of_default(found: wire.Timeline) -> wire.PoolLoad:
    return next(pool for pool in found.load if pool.name == "default")


def test_the_past_is_runs_and_the_slots_they_held(client: Client, conn: Session) -> None:
    """A window of two hours has parts of one minute."""
    seed.dag(conn, "d")
    ran(conn, "d", "before", seed.NOON - HOUR, 59)
    ran(conn, "d", "over", seed.NOON - HOUR, 70, "failed")
    ran(conn, "d", "half", seed.NOON + timedelta(minutes=30), 1.5)
    ran(conn, "d", "after", seed.NOON + 3 * HOUR, 5)
    found = client.timeline(seed.NOON, seed.NOON + 2 * HOUR)
    assert [(run.run_id, run.dag_id, run.state) for run in found.runs] == [
        ("half", "d", "success"),
        ("over", "d", "failed"),
    ]
    assert (found.part_s, found.predicted, found.truncated) == (60.0, [], False)
    parts = of_default(found).parts
    assert parts[0].at == seed.NOON
    assert not any(part.predicted for part in parts)
    assert [part.used for part in parts] == pytest.approx([2] * 10 + [0] * 20 + [2, 1] + [0] * 88)


def test_a_run_that_ends_after_the_window_is_in_it(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    ran(conn, "d", "long", seed.NOON + HOUR, 24 * 60)
    found = client.timeline(seed.NOON, seed.NOON + 2 * HOUR)
    assert [run.run_id for run in found.runs] == ["long"]
    assert [part.used for part in of_default(found).parts] == pytest.approx([0] * 60 + [2] * 60)


def test_what_runs_has_no_end(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    found = client.timeline(seed.NOON, seed.NOON + HOUR)
    assert [(run.run_id, run.ended_at) for run in found.runs] == [("r1", None)]


def upcoming_hour(conn: Session) -> datetime:
    now: datetime = value(conn, "SELECT now()")
    return now.replace(minute=0, second=0, microsecond=0) + 2 * HOUR


def test_a_schedule_is_expected_to_take_what_it_took(client: Client, conn: Session) -> None:
    """Two slots for half an hour, every hour, from the second hour to come."""
    soon = upcoming_hour(conn)
    deploy(conn, task("t"), schedule=HOURLY, start_date=soon)
    ran(conn, "d", "good", soon - timedelta(days=1), 30)
    ran(conn, "d", "bad", soon - timedelta(hours=20), 1, "failed")
    found = client.timeline(soon, soon + 2 * HOUR)
    assert {(each.dag_id, each.expected_s) for each in found.predicted} == {("d", 1800.0)}
    assert [each.at for each in found.predicted][:2] == [soon, soon + HOUR]
    parts = of_default(found).parts
    assert all(part.predicted for part in parts)
    assert [part.used for part in parts] == pytest.approx(([2] * 30 + [0] * 30) * 2)


def test_nobody_knows_what_a_first_run_takes(client: Client, conn: Session) -> None:
    soon = upcoming_hour(conn)
    deploy(conn, task("t"), schedule=HOURLY, start_date=soon)
    found = client.timeline(soon, soon + HOUR)
    assert found.predicted[0] == wire.PredictedRun(dag_id="d", at=soon, expected_s=None)
    assert {part.used for part in of_default(found).parts} == {0.0}


def test_a_paused_dag_predicts_nothing(client: Client, conn: Session) -> None:
    soon = upcoming_hour(conn)
    deploy(conn, task("t"), schedule=HOURLY, start_date=soon)
    ran(conn, "d", "good", soon - timedelta(days=1), 30)
    client.pause("d")
    found = client.timeline(soon, soon + HOUR)
    assert found.predicted == []
    assert {part.used for part in of_default(found).parts} == {0.0}


def test_the_hours_around_now_are_the_default(client: Client, conn: Session) -> None:
    found = client.timeline()
    assert (found.now - found.first, found.last - found.now) == (6 * HOUR, 6 * HOUR)
    assert [part.predicted for part in of_default(found).parts] == [False] * 60 + [True] * 60


def test_more_runs_than_are_shown_are_cut(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.store.views.timeline.RUNS_MAX", 2)
    seed.dag(conn, "d")
    for number in range(3):
        ran(conn, "d", f"r{number}", seed.NOON + timedelta(minutes=number), 1)
    found = client.timeline(seed.NOON, seed.NOON + HOUR)
    assert (found.truncated, [run.run_id for run in found.runs]) == (True, ["r2", "r1"])
    assert [part.used for part in of_default(found).parts][:4] == pytest.approx([2, 2, 2, 2])


@pytest.mark.parametrize("width", [timedelta(0), -HOUR, timedelta(days=14, seconds=1)])
def test_too_wide_a_window_is_refused(client: Client, conn: Session, width: timedelta) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError):
        client.timeline(first, first + width)
    assert client.timeline(first, first + timedelta(days=14)).runs == []


def test_the_end_of_all_days_has_nothing(client: Client, conn: Session) -> None:
    deploy(conn, task("t"), schedule=HOURLY)
    last = datetime(9999, 12, 30, 23, 59, tzinfo=UTC)
    assert client.timeline(last - HOUR, last).runs == []
    first = datetime(1, 1, 2, tzinfo=UTC)
    assert client.timeline(first, first + HOUR).runs == []
    with pytest.raises(UsageError, match="is not between"):
        client.timeline(last, last + timedelta(days=1))


def test_a_load_that_does_not_count_all_runs_says_so(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.dag(conn, "d")
    for number in range(3):
        ran(conn, "d", f"r{number}", seed.NOON + number * timedelta(minutes=5), 60)
    monkeypatch.setattr(timeline, "LOAD_RUNS_MAX", 3)
    whole = client.timeline(seed.NOON, seed.NOON + 2 * HOUR)
    assert (whole.truncated, whole.load_truncated) == (False, False)
    monkeypatch.setattr(timeline, "LOAD_RUNS_MAX", 2)
    cut = client.timeline(seed.NOON, seed.NOON + 2 * HOUR)
    assert (cut.truncated, cut.load_truncated) == (False, True)
    monkeypatch.setattr(timeline, "LOAD_RUNS_MAX", 3)
    monkeypatch.setattr(timeline, "ATTEMPTS_MAX", 2)
    assert client.timeline(seed.NOON, seed.NOON + 2 * HOUR).load_truncated
