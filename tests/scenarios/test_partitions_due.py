"""Partitions that are overdue: their time has passed, and so has what their DAG allows on top of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from headway.actions import commands
from headway.core.reasons import OverduePartition
from headway.core.schedules import FIRST, BadSchedule, read
from headway.core.wording import said
from headway.engine import expected
from headway.spec.model import Dag
from headway.store import partitions_due
from headway.store.transact import Session, transact
from headway.store.views import partitions as views
from tests.scenarios.test_assets import Follower, runs_of
from tests.scenarios.test_partitions import DAILY, PAIR, hours, partitioned, put
from tests.scenarios.world import ANN, Scheduler, trigger, value

TWO_HOURS = 7200


def daily(conn: Connection[Any], dag_id: str = "c", **more: Any) -> Dag:
    return partitioned(conn, DAILY, "clicks", dag_id=dag_id, **{"due_s": TWO_HOURS, **more})


class Clock:
    """The scheduler's look, as of a time."""

    def __init__(self, conn: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scheduler = Scheduler(conn)
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        monkeypatch.setattr(expected, "clock", lambda _: self.now)
        conn.execute("UPDATE dag SET partitions_due_at = %s", [self.now])

    def look(self, at: str | None = None) -> int:
        if at is not None:
            self.now = datetime.fromisoformat(at).replace(tzinfo=UTC)
        conn = self.scheduler.conn
        return transact(conn, expected.look, self.scheduler.ticker.catalog)


def told(conn: Session) -> list[tuple[str, bool]]:
    return conn.execute(
        "SELECT reason ->> 'partition', (reason ->> 'arrived')::boolean FROM event"
        " WHERE name = 'overdue_partition' ORDER BY seq"
    ).fetchall()


def test_a_partition_of_which_nothing_has_arrived_is_told_of_once(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily(conn)
    clock = Clock(conn, monkeypatch)
    assert clock.look() == 0, "the day is not over, and those before are not expected"
    assert clock.look("2026-03-03T01:59") == 0
    assert clock.look("2026-03-03T02:00") == 1
    assert clock.look() == 0
    assert clock.look("2026-03-04T01:59") == 0
    assert told(conn) == [("2026-03-02", False)]
    why = transact(conn, views.reason, "c")
    assert said(why).startswith(
        "it waits for the partition 2026-03-02, which was due at 2026-03-03 02:00:00 UTC: "
        "`2026-03-02T00`"
    )
    (pending,) = transact(conn, views.page, "c", None, 10, None).items
    assert (pending.partition, pending.arrived, pending.missing[0].total) == ("2026-03-02", {}, 24)
    assert pending.due_at == datetime(2026, 3, 3, 2, tzinfo=UTC)
    assert clock.look("2026-03-04T02:00") == 1


def test_what_arrives_afterwards_brings_the_run(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    put(conn, "clicks", *hours("2026-03-02", without=(5,)))
    follower = Follower(clock.scheduler)
    assert follower.follow() == 0
    assert clock.look("2026-03-03T02:00") == 1
    assert told(conn) == [("2026-03-02", True)]
    parts = said(OverduePartition("2026-03-02", "2026-03-03T02:00:00+00:00", arrived=True))
    assert parts.endswith("was due at 2026-03-03 02:00:00 UTC, and parts of it are missing")
    put(conn, "clicks", "2026-03-02T05")
    assert follower.follow() == 1
    assert len(runs_of(conn, "c")) == 1
    assert value(conn, "SELECT count(*) FROM pending_partition") == 0
    assert value(conn, "SELECT count(*) FROM event WHERE name = 'late_partition'") == 0


def test_one_that_has_run_is_not_overdue(conn: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    put(conn, "clicks", *hours("2026-03-02"))
    assert Follower(clock.scheduler).follow() == 1
    assert clock.look("2026-03-03T02:00") == 0
    assert told(conn) == []


def test_one_that_is_run_by_hand_is_not_waited_for(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    assert clock.look("2026-03-03T02:00") == 1
    trigger(conn, "c")
    conn.execute("UPDATE run SET partition = '2026-03-02'")
    assert transact(conn, views.page, "c", None, 10, None).items == []
    assert transact(conn, views.reason, "c").partition == ""
    put(conn, "clicks", "2026-03-02T05")
    Follower(clock.scheduler).follow()
    (pending,) = transact(conn, views.page, "c", None, 10, None).items
    assert pending.arrived == {"clicks": 1}


def test_after_a_standstill_each_is_told_of_in_several_looks(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected, "PARTITIONS_MAX", 2)
    daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    assert [clock.look("2026-03-05T12:00") for _ in range(3)] == [2, 1, 0]
    assert [day for day, _ in told(conn)] == ["2026-03-02", "2026-03-03", "2026-03-04"]


def test_a_paused_dag_expects_nothing(conn: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    transact(conn, commands.pause, 1, "c", ANN)
    assert clock.look("2026-03-04T12:00") == 0
    transact(conn, commands.resume, 1, "c", ANN)
    assert clock.look("2026-03-05T02:00") == 1
    assert told(conn) == [("2026-03-04", False)]


def test_another_version_goes_on_or_stops(conn: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    daily(conn, late="run")
    conn.execute("UPDATE dag SET partitions_due_at = %s", [clock.now])
    assert clock.look("2026-03-03T02:00") == 1
    partitioned(conn, DAILY, "clicks")
    assert value(conn, "SELECT partitions_due_at FROM dag") is None
    assert clock.look("2026-03-05T02:00") == 0


def test_a_dag_that_cannot_be_read_stops_no_other(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily(conn, "broken")
    daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    conn.execute("""UPDATE dag_version SET spec = '{"odd": 1}' WHERE dag_id = 'broken'""")
    fresh = Clock(conn, monkeypatch)
    assert fresh.look("2026-03-03T02:00") == 1
    again = "SELECT partitions_due_at > '2026-03-03T02:00Z' FROM dag WHERE dag_id = 'broken'"
    assert value(conn, again) is True


def test_two_schedulers_tell_once(conn: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = daily(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    day = partitions_due.Overdue("2026-03-02", clock.now)
    due = partitions_due.DueDag(1, dag.dag_id, 1, False, None)
    counts = [transact(conn, partitions_due.tell, due, "m", [day], clock.now) for _ in range(2)]
    assert counts == [1, 0]


@pytest.mark.parametrize(
    ("mapper", "due_s", "why"),
    [
        (PAIR, 60, "stand for a time"),
        (DAILY, -1, "due is 0 to 366 days"),
        (DAILY, "1", "due is 0 to 366 days"),
        (DAILY, 400 * 86400, "due is 0 to 366 days"),
    ],
)
def test_what_cannot_be_due_is_refused(mapper: Any, due_s: Any, why: str) -> None:
    with pytest.raises(BadSchedule, match=why):
        read({"partitions": {"on": "a", "mapper": mapper, "due_s": due_s}}, FIRST)


def test_each_period_follows_the_one_before() -> None:
    """On the clock of a zone: the day on which it is changed has 23 hours."""
    schedule: Any = read(
        {"partitions": {"on": "a", "mapper": DAILY, "due_s": 60}, "timezone": "Europe/Berlin"},
        FIRST,
    )
    assert schedule.due == timedelta(minutes=1)
    first = schedule.expected(schedule.current(datetime(2026, 3, 29, 12, tzinfo=UTC)))
    assert first.partition == "2026-03-29"
    assert first.span.end - first.span.start == timedelta(hours=23)
    assert schedule.expected(first.span.end).partition == "2026-03-30"
    assert schedule.expected(first.span.start + timedelta(hours=1)) is None
