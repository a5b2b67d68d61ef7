"""Days of the past, fires to come, backfills, and the runs between two dates."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest

from headway import wire
from headway.cli import trouble
from headway.cli.backfill import follow, pause_of
from headway.client import Client
from headway.core.reasons import BackfillPaused, DagPaused, EndDateReached, NoSchedule
from headway.errors import Conflict, NotFound, UsageError
from headway.store.transact import Session
from tests.api import seed
from tests.scenarios.world import Scheduler, deploy, run_state, task

DAILY = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}


def test_the_next_fires_follow_the_wall_clock_of_the_schedule(
    client: Client, conn: Session
) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=datetime(2027, 3, 27, tzinfo=UTC))
    fires = client.next_fires("d", count=3)
    assert fires.timezone == "Europe/Berlin"
    assert [each.local for each in fires.fires] == [
        "2027-03-27T02:30:00+01:00",
        "2027-03-28T03:00:00+02:00",  # the hour that the spring gap swallows
        "2027-03-29T02:30:00+02:00",
    ]
    assert fires.reason is None
    assert (
        client.next_fires("d", count=1, timezone="UTC")
        .fires[0]
        .local.startswith("2027-03-27T01:30:00+00:00")
    )


def test_what_does_not_fire_says_why(client: Client, conn: Session) -> None:
    deploy(conn, task("a"), dag_id="asked")
    deploy(conn, task("a"), dag_id="paused", schedule=DAILY)
    conn.execute("UPDATE dag SET paused_at = now(), paused_by = 'user:ada' WHERE dag_id = 'paused'")
    deploy(
        conn,
        task("a"),
        dag_id="over",
        schedule=DAILY,
        start_date=datetime(2020, 1, 1, tzinfo=UTC),
        end_date=datetime(2020, 2, 1, tzinfo=UTC),
    )
    assert client.next_fires("asked").fires == []
    assert client.next_fires("asked").why == NoSchedule()
    assert len(client.next_fires("paused").fires) == 20
    assert client.next_fires("paused").why == DagPaused("user:ada")
    assert client.next_fires("over").why == EndDateReached()


@pytest.mark.parametrize("wrong", [{"timezone": "Mars/Olympus"}, {"count": 0}, {"count": 100_000}])
def test_strange_questions_about_fires_are_refused(
    client: Client, conn: Session, wrong: dict[str, object]
) -> None:
    deploy(conn, task("a"), schedule=DAILY)
    with pytest.raises(UsageError):
        client.next_fires("d", **wrong)
    with pytest.raises(NotFound):
        client.next_fires("nothing")


def ended(conn: Session, run_id: str, state: str, at: datetime, minutes: int) -> None:
    seed.run(conn, "d", run_id, state=state)
    conn.execute(
        "UPDATE run SET logical_date = %(at)s, started_at = %(at)s, ended_at = %(end)s"
        " WHERE run_id = %(run)s",
        {"at": at, "end": at + timedelta(minutes=minutes), "run": run_id},
    )


def test_days_are_those_of_a_time_zone(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    evening = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    ended(conn, "r1", "success", evening, 10)
    ended(conn, "r2", "failed", evening - timedelta(hours=20), 20)
    ended(conn, "r3", "cancelled", evening + timedelta(hours=10), 1)
    ended(conn, "r4", "skipped", evening + timedelta(hours=10), 1)
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    in_utc = client.calendar(first, last, dag_id="d", timezone="UTC").days
    assert [(day.day, day.success, day.failed, day.cancelled) for day in in_utc] == [
        (date(2026, 1, 5), 1, 1, 0),
        (date(2026, 1, 6), 0, 0, 1),
    ]
    assert in_utc[0].duration_s == pytest.approx(15 * 60)
    in_berlin = client.calendar(first, last, dag_id="d", timezone="Europe/Berlin").days
    assert [(day.day, day.success, day.failed, day.cancelled) for day in in_berlin] == [
        (date(2026, 1, 5), 0, 1, 0),
        (date(2026, 1, 6), 1, 0, 1),
    ]
    of_all = client.calendar(first, last).days
    assert sum(day.success + day.failed + day.cancelled for day in of_all) == 3
    assert [sum(day.skipped for day in days) for days in (in_utc, of_all)] == [1, 1]


def test_the_calendar_of_all_tells_what_will_fire(client: Client, conn: Session) -> None:
    for dag_id, cron in (("a", "0 5 * * *"), ("b", "0 4 * * *"), ("off", "0 3 * * *")):
        deploy(conn, task("t"), dag_id=dag_id, schedule={"cron": cron})
    conn.execute("UPDATE dag SET paused_at = now(), paused_by = 'user:ada' WHERE dag_id = 'off'")
    begin = datetime(2040, 5, 1, tzinfo=UTC)
    fires = client.calendar(begin, begin + timedelta(days=2)).fires
    assert [(fire.dag_id, fire.at.day, fire.at.hour) for fire in fires] == [
        *(("b", 1, 4), ("a", 1, 5), ("b", 2, 4), ("a", 2, 5)),
    ]


def test_a_schedule_of_every_second_is_cut(client: Client, conn: Session) -> None:
    deploy(conn, task("t"), schedule={"interval_s": 1.0})
    begin = datetime(2040, 5, 1, tzinfo=UTC)
    found = client.calendar(begin, begin + timedelta(days=300), dag_id="d")
    assert found.truncated
    assert len(found.fires) == 2_000


def test_too_long_a_time_is_refused(client: Client, conn: Session) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for last in (begin, begin + timedelta(days=4_000)):
        with pytest.raises(UsageError):
            client.calendar(begin, last)


def test_runs_are_filtered(client: Client, conn: Session) -> None:
    seed.dag(conn, "alpha")
    seed.dag(conn, "beta")
    for number in range(6):
        seed.run(conn, "beta" if number % 2 else "alpha", f"r{number}", minute=number)
    conn.execute("UPDATE run SET trigger = 'schedule' WHERE run_id IN ('r1', 'r4')")
    client.write_note("r2", "disk was FULL again")

    def found(**filters: object) -> list[str]:
        return [run.run_id for run in client.runs(10, **filters)]

    assert found(trigger="schedule") == ["r4", "r1"]
    assert found(q="ALPHA") == ["r4", "r2", "r0"]
    assert found(q="r3") == ["r3"]
    assert found(q="full") == ["r2"]
    second = (seed.NOON + timedelta(minutes=2)).isoformat()
    assert found(**{"from": second}) == ["r5", "r4", "r3", "r2"]
    assert found(**{"to": second, "dag_id": "beta"}) == ["r1"]
    with pytest.raises(UsageError, match="not a valid trigger"):
        found(trigger="magic")


def test_pages_of_filtered_runs_neither_repeat_nor_omit(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.store.views.runs.WINDOW", 4)
    seed.dag(conn, "alpha")
    seed.dag(conn, "beta")
    for number in range(15):
        seed.run(conn, "beta" if number % 7 else "alpha", f"r{number:02}", minute=number)
    seen = [run.run_id for run in client.all_pages("/runs", wire.Run, {"q": "alpha", "limit": 2})]
    assert seen == ["r14", "r07", "r00"]


def test_a_note_is_kept_shown_and_taken_away(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    revision = conn.execute("SELECT revision FROM run").fetchone()
    assert client.write_note("r1", "see \0 ticket 7").note == "see \u2400 ticket 7"
    assert client.runs(1)[0].note == "see \u2400 ticket 7"
    assert conn.execute("SELECT revision FROM run").fetchone() == revision
    assert [event.name for event in client.history(run_id="r1", name="note").items] == ["note"]
    assert client.write_note("r1", None).note is None
    with pytest.raises(UsageError, match="at most"):
        client.write_note("r1", "x" * 20_000)


def test_a_dry_trigger_says_what_would_be(client: Client, conn: Session) -> None:
    seed.dag(conn, "d", tasks=5)
    preview = client.would_trigger("d", wire.TriggerRequest(params={"size": 7}))
    assert (preview.params, preview.tasks, preview.would_wait) == ({"size": 7}, 5, None)
    with pytest.raises(UsageError):
        client.would_trigger("d", wire.TriggerRequest(params={"sise": 7}))
    conn.execute("UPDATE dag SET max_active_runs = 1")
    seed.run(conn, "d", "r1")
    seed.run(conn, "d", "r2", state="queued")
    assert client.would_trigger("d", wire.TriggerRequest()).would_wait == (
        "max_active_runs is reached: 1 of 1 running, 1 queued before it"
    )
    client.pause("d")
    assert "paused by" in (client.would_trigger("d", wire.TriggerRequest()).would_wait or "")
    assert len(client.runs(10)) == 2


def test_a_run_for_a_date_in_the_future_says_what_it_waits_for(
    client: Client, conn: Session
) -> None:
    seed.dag(conn, "d")
    asked = wire.TriggerRequest(logical_date="2099-01-01T05:00:00Z")
    why = "its logical date, 2099-01-01 05:00:00 UTC, lies in the future"
    assert client.would_trigger("d", asked).would_wait == why
    run = client.trigger("d", asked)
    assert run.state == "queued"
    assert client.diagnosis(run.run_id).headline == f"Waits to start: {why}."
    assert trouble.unstarted(client, run) == [f"Waits to start: {why}."]


def test_a_line_says_who_holds_the_next_run(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    conn.execute("UPDATE dag SET run_strategy = 'strict_sequential', max_active_runs = 1")
    seed.run(conn, "d", "r1", state="failed")
    conn.execute("UPDATE run SET logical_date = '2026-01-01T05:00:00Z'")
    said = client.would_trigger("d", wire.TriggerRequest()).would_wait or ""
    assert said.startswith("run r1 for 2026-01-01 05:00:00 UTC, the run before, failed")
    run = client.trigger("d", wire.TriggerRequest())
    assert said in client.diagnosis(run.run_id).headline


def test_a_dry_mark_changes_nothing(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    seed.instance(conn, "r1", "t0", "failed")
    marked = client.would_mark("r1", wire.MarkRequest(task_id="t0", state="success")).marked
    assert marked == [wire.InstanceKey(task_id="t0", map_index=-1)]
    assert client.would_mark("r1", wire.MarkRequest(task_id="t0", state="failed")).marked == []
    assert client.instance("r1", "t0").state == "failed"


@pytest.fixture
def backfill_id(client: Client, conn: Session) -> str:
    """Of five days, two at once."""
    deploy(
        conn,
        task("a"),
        schedule={"cron": "0 0 * * *"},
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    request = wire.BackfillRequest(first="2026-01-01", last="2026-01-05", max_active_runs=2)
    made = client.backfill("d", request).backfill_id
    assert made is not None
    return made


def test_a_backfill_tells_how_far_it_is(client: Client, conn: Session, backfill_id: str) -> None:
    found = client.backfill_progress(backfill_id)
    assert (found.done, found.total, found.eta_s) == (0, 5, None)
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.later(100)
    scheduler.tick(*scheduler.work())
    scheduler.tick()
    found = client.backfill_progress(backfill_id)
    assert (found.done, found.counts) == (2, {"success": 2, "running": 2, "queued": 1})
    assert found.eta_s == pytest.approx(100 * 3 / 2, rel=0.1)
    assert client.backfills() == client.backfills(dag_id="d") == [found]
    with pytest.raises(NotFound):
        client.backfill_progress("nothing")


def test_a_paused_backfill_starts_no_more_until_it_is_resumed(
    client: Client, conn: Session, backfill_id: str
) -> None:
    """What runs goes on, other runs of the DAG start, and what waits says why."""
    scheduler = Scheduler(conn)
    scheduler.tick()
    paused = client.pause_backfill(backfill_id)
    assert (paused.paused_by, paused.counts["running"]) == ("user:admin", 2)
    other = client.trigger("d", wire.TriggerRequest())
    scheduler.play()
    assert run_state(conn, other.run_id) == "success"
    found = client.pause_backfill(backfill_id)
    assert (found.paused_at, found.counts) == (paused.paused_at, {"success": 2, "queued": 3})
    assert found.eta_s is None
    waiting = [run for run in client.runs_of_backfill(backfill_id) if run.state == "queued"]
    assert client.diagnosis(waiting[0].run_id).headline == (
        "Waits to start: its backfill is paused by admin."
    )
    assert [run.why for run in client.slots().runs_waiting] == [BackfillPaused("user:admin")]
    resumed = client.resume_backfill(backfill_id)
    assert (resumed.paused_at, resumed.paused_by) == (None, None)
    scheduler.play()
    assert client.backfill_progress(backfill_id).counts == {"success": 5}
    with pytest.raises(NotFound):
        client.pause_backfill("nothing")


def test_a_backfill_of_which_nothing_is_left_cannot_be_paused(
    client: Client, conn: Session, backfill_id: str
) -> None:
    scheduler = Scheduler(conn)
    scheduler.play()
    with pytest.raises(Conflict, match=f"the backfill {backfill_id} of d has ended") as refused:
        client.pause_backfill(backfill_id)
    assert refused.value.hint == "to see its runs: headway ls runs --dag d"
    asked = wire.BackfillRequest(first="2026-02-01", last="2026-02-03")
    other = client.backfill("d", asked).backfill_id
    assert other is not None
    client.pause_backfill(other)
    client.cancel_backfill(other)
    scheduler.play()
    with pytest.raises(Conflict, match="was cancelled by admin: none of its runs starts"):
        client.pause_backfill(other)


def test_who_waits_for_a_backfill_is_told_of_its_pause(
    client: Client, conn: Session, backfill_id: str
) -> None:
    scheduler = Scheduler(conn)
    told = f"it is paused by admin; to resume it: headway resume --backfill {backfill_id}"
    assert pause_of(client, backfill_id, client.runs_of_backfill(backfill_id)) == ""
    client.pause_backfill(backfill_id)
    assert pause_of(client, backfill_id, client.runs_of_backfill(backfill_id)) == told
    # Not by what pytest captures: reading that empties it, and loses what is said meanwhile.
    with redirect_stderr(StringIO()) as said, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(follow, client, backfill_id, 5)
        while f"still waiting: {told}" not in said.getvalue():
            assert not waiting.done()
        client.resume_backfill(backfill_id)
        scheduler.play()
        assert {run.state for run in waiting.result(60)} == {"success"}


def test_a_backfill_may_run_the_latest_date_first(client: Client, conn: Session) -> None:
    deploy(conn, task("a"), schedule=DAILY, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    asked = wire.BackfillRequest(
        first="2026-01-01", last="2026-01-05", max_active_runs=1, newest_first=True
    )
    made = client.backfill("d", asked)
    assert made.backfill_id is not None
    Scheduler(conn).play()
    runs = client.runs_of_backfill(made.backfill_id)
    begun = sorted(runs, key=lambda run: run.started_at or run.created_at)
    assert [run.logical_date.day for run in begun] == [5, 4, 3, 2, 1]


def test_a_cancelled_backfill_ends_what_has_not_ended(
    client: Client, conn: Session, backfill_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several transactions, and others' runs are left alone."""
    monkeypatch.setattr("headway.actions.backfills.RUNS_MAX", 2)
    other = client.trigger("d", wire.TriggerRequest())
    scheduler = Scheduler(conn)
    scheduler.tick()
    found = client.cancel_backfill(backfill_id)
    assert found.cancelled_by is not None
    assert found.counts == {"cancelled": 3, "running": 2}
    scheduler.tick(*scheduler.work())
    scheduler.play()
    assert client.cancel_backfill(backfill_id).counts == {"cancelled": 5}
    assert run_state(conn, other.run_id) == "success"
