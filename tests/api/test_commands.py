"""What a person may ask for, through the real server, as the role that owns nothing."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from headway import wire
from headway.client import Client
from headway.core.reasons import Marked
from headway.errors import Conflict, NotFound, UsageError
from headway.spec.model import Param
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API
from tests.scenarios import world


@pytest.fixture
def dag(conn: Session) -> str:
    seed.dag(conn, "daily_delays")
    return "daily_delays"


def test_a_run_is_created_once_for_a_key(client: Client, dag: str) -> None:
    request = wire.TriggerRequest(
        logical_date="2026-01-02T00:00:00Z", params={"size": 5}, idempotency_key="k"
    )
    first = client.trigger(dag, request)
    assert (first.state, first.trigger, first.params) == ("queued", "manual", {"size": 5})
    assert first.created_by == "user:admin"
    assert client.trigger(dag, request).run_id == first.run_id


def test_a_preview_names_the_runs_of_the_same_date(client: Client, dag: str) -> None:
    request = wire.TriggerRequest(logical_date="2026-01-02T00:00:00Z")
    assert client.would_trigger(dag, request).same_date == []
    first, second = client.trigger(dag, request), client.trigger(dag, request)
    client.cancel(first.run_id)
    client.trigger(dag, wire.TriggerRequest(logical_date="2026-01-02T00:00:01Z"))
    found = client.would_trigger(dag, request).same_date
    assert [(run.run_id, run.state) for run in found] == [
        (second.run_id, "queued"),
        (first.run_id, "cancelled"),
    ]


def test_many_runs_are_created_at_once(client: Client, dag: str) -> None:
    assert len(set(client.trigger_many(dag, wire.BulkRequest(count=25)).run_ids)) == 25
    given = [wire.TriggerRequest(params={"size": n}) for n in range(3)]
    assert len(client.trigger_many(dag, wire.BulkRequest(runs=given)).run_ids) == 3
    for wrong in (wire.BulkRequest(), wire.BulkRequest(count=0), wire.BulkRequest(count=10**9)):
        with pytest.raises(UsageError):
            client.trigger_many(dag, wrong)


def test_a_wrong_parameter_changes_nothing(client: Client, dag: str) -> None:
    with pytest.raises(UsageError, match="sise"):
        client.trigger(dag, wire.TriggerRequest(params={"sise": 5}))
    with pytest.raises(UsageError):
        client.trigger(dag, wire.TriggerRequest(params={"size": "large"}))
    with pytest.raises(NotFound, match="daily_delay"):
        client.trigger("daily_delay", wire.TriggerRequest())
    assert client.runs(10) == []


def test_a_backfill_has_a_run_for_every_date(client: Client, dag: str) -> None:
    request = wire.BackfillRequest(first="2026-01-01", last="2026-01-03", dry_run=True)
    planned = client.backfill(dag, request)
    assert [run.logical_date.day for run in planned.runs] == [1, 2, 3]
    assert client.runs(10) == []
    request = wire.BackfillRequest(first=request.first, last=request.last, max_active_runs=2)
    made = client.backfill(dag, request)
    assert made.backfill_id is not None
    runs = client.runs_of_backfill(made.backfill_id)
    assert {run.run_id for run in runs} == {run.run_id for run in made.runs}
    assert [run.logical_date.day for run in runs] == [3, 2, 1]
    paged = list(client.all_pages("/runs", wire.Run, {"backfill_id": made.backfill_id, "limit": 1}))
    assert [run.run_id for run in paged] == [run.run_id for run in runs]


def days(answer: wire.BackfillAnswer) -> list[tuple[int, str, str | None]]:
    return [(run.logical_date.day, run.action, run.state) for run in answer.runs]


def ended(outcome: str, _: object) -> dict[str, Any]:
    return {"outcome": outcome}


@pytest.fixture
def partly(client: Client, conn: Session) -> str:
    """Runs of the 1st (success) and the 2nd (failed) exist; the latest version then has one more task."""
    schedule = {"cron": "0 0 * * *", "timezone": "UTC"}
    world.deploy(conn, world.task("a"), dag_id="partly", schedule=schedule)
    scheduler = world.Scheduler(conn)
    for day, outcome in (("01", "success"), ("02", "failed")):
        date = f"2026-01-{day}"
        client.backfill("partly", wire.BackfillRequest(first=date, last=date))
        scheduler.play(partial(ended, outcome))
    world.deploy(conn, world.task("a"), world.task("b", "a"), dag_id="partly", schedule=schedule)
    return "partly"


def test_a_backfill_says_which_dates_have_a_run_and_leaves_them_out(
    client: Client, conn: Session, partly: str
) -> None:
    wanted: dict[str, Any] = {"first": "2026-01-01", "last": "2026-01-03"}
    planned = client.backfill(partly, wire.BackfillRequest(**wanted, dry_run=True))
    assert days(planned) == [
        (1, "leave", "success"),
        (2, "leave", "failed"),
        (3, "create", None),
    ]
    assert all(run.run_id for run in planned.runs[:2])
    made = client.backfill(partly, wire.BackfillRequest(**wanted))
    assert days(made) == days(planned)
    assert made.backfill_id is not None
    progress = client.backfill_progress(made.backfill_id)
    assert (progress.total, progress.left_out) == (1, {"success": 1, "failed": 1})
    with pytest.raises(Conflict, match="all 3 dates have a run already: 1 success, 1 failed and 1"):
        client.backfill(partly, wire.BackfillRequest(**wanted))


def test_a_backfill_notes_the_dates_for_which_the_schedule_creates_no_run(
    client: Client, conn: Session
) -> None:
    """It runs them, as it always has: a dry run and the backfill say the same."""
    start, end = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    schedule = {"cron": "0 0 * * *", "timezone": "UTC"}
    dated: dict[str, Any] = {"schedule": schedule, "start_date": start, "end_date": end}
    world.deploy(conn, world.task("a"), dag_id="bounded", **dated)
    for dry_run in (True, False):
        wanted = wire.BackfillRequest(first="2025-12-31", last="2026-01-04", dry_run=dry_run)
        answer = client.backfill("bounded", wanted)
        assert len(answer.runs) == 5
        assert [note.partition(":")[0] for note in answer.notes] == [
            "2 dates are before the start date of the DAG, 2026-01-02 00",
            "1 date is after the end date of the DAG, 2026-01-03 00",
        ]
    again = wire.BackfillRequest(first="2025-12-31", last="2026-01-05", dry_run=True)
    assert [note[:6] for note in client.backfill("bounded", again).notes] == ["1 date"]


def test_a_backfill_runs_failed_dates_again_with_the_latest_code(
    client: Client, conn: Session, partly: str
) -> None:
    wanted: dict[str, Any] = {"first": "2026-01-01", "last": "2026-01-03", "again": "failed"}
    planned = client.backfill(partly, wire.BackfillRequest(**wanted, dry_run=True))
    assert days(planned) == [
        (1, "leave", "success"),
        (2, "again", "failed"),
        (3, "create", None),
    ]
    made = client.backfill(partly, wire.BackfillRequest(**wanted))
    assert made.runs[1].run_id == planned.runs[1].run_id
    world.Scheduler(conn).play()
    assert made.backfill_id is not None
    runs = client.runs_of_backfill(made.backfill_id)
    assert [(run.logical_date.day, run.state, run.version) for run in runs] == [
        (3, "success", 2),
        (2, "success", 2),
    ]
    assert client.backfill_progress(made.backfill_id).done == 2


def test_a_backfill_runs_all_dates_again(client: Client, conn: Session, partly: str) -> None:
    request = wire.BackfillRequest(first="2026-01-01", last="2026-01-02", again="all")
    made = client.backfill(partly, request)
    assert [run.action for run in made.runs] == ["again", "again"]
    scheduler = world.Scheduler(conn)
    scheduler.play()
    assert made.backfill_id is not None
    assert client.backfill_progress(made.backfill_id).counts == {"success": 2}
    assert client.instance(str(made.runs[0].run_id), "a").attempts == 2
    with pytest.raises(UsageError, match="not a valid choice"):
        client.backfill(
            partly, wire.BackfillRequest(first="2026-01-01", last="2026-01-02", again="x")
        )


def test_the_server_reads_dates_on_the_clock_of_the_dag(client: Client, conn: Session) -> None:
    berlin = "Europe/Berlin"
    nightly = {"cron": "0 0 * * *", "timezone": berlin}
    world.deploy(conn, world.task("a"), dag_id="nightly", schedule=nightly)
    world.deploy(conn, world.task("a"), dag_id="asked", timezone=berlin)
    request = wire.BackfillRequest(first="2026-03-28", last="2026-03-30", dry_run=True)
    answer = client.backfill("nightly", request)
    assert answer.timezone == berlin
    local = [run.logical_date.astimezone(ZoneInfo(answer.timezone)) for run in answer.runs]
    assert [f"{at:%d %H:%M %z}" for at in local] == [
        "28 00:00 +0100",
        "29 00:00 +0100",
        "30 00:00 +0200",
    ]
    for dag_id in ("nightly", "asked"):
        wanted = wire.TriggerRequest(logical_date="2026-03-28")
        would = client.would_trigger(dag_id, wanted)
        run = client.trigger(dag_id, wanted)
        assert run.logical_date == would.logical_date == datetime(2026, 3, 27, 23, tzinfo=UTC)
    for first, last in (("2026-03-30", "2026-03-28"), ("soon", "2026-03-28"), ("", "9999-12-31")):
        wrong = wire.BackfillRequest(first=first, last=last)
        with pytest.raises(UsageError):
            client.backfill("nightly", wrong)
    for date in ("2026-13-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "\0"):
        with pytest.raises(UsageError):
            client.trigger("asked", wire.TriggerRequest(logical_date=date))


def test_runs_are_found_by_the_days_of_their_dag(client: Client, conn: Session) -> None:
    nightly = {"cron": "0 0 * * *", "timezone": "Europe/Berlin"}
    world.deploy(conn, world.task("a"), dag_id="nightly", schedule=nightly)
    request = wire.BackfillRequest(first="2026-03-27", last="2026-03-31")
    made = [run.run_id for run in client.backfill("nightly", request).runs]

    def found(first: str | None, last: str | None) -> list[str | None]:
        runs = client.runs(10, dag_id="nightly", **{"from": first, "to": last})
        return [run.run_id for run in reversed(runs)]

    assert found("2026-03-28", "2026-03-30") == made[1:4]
    assert found("2026-03-31", None) == made[4:]
    assert (
        found("2026-03-28T00:00", "2026-03-30T00:00") == made[1:3]
    )  # the last moment is not in it
    assert found("2026-03-27T23:00Z", "2026-03-29T22:00Z") == made[1:3]
    assert client.runs(10, **{"from": "2026-03-28", "to": "2026-03-30"}) == []  # by creation
    assert client.runs(10, dag_id="nobody", **{"from": "2026-03-28"}) == []
    for wrong in ("soon", "9999-12-31", "2026-02-30"):
        with pytest.raises(UsageError):
            found(wrong, None)


def test_runs_made_at_once_are_in_the_order_asked(client: Client, dag: str) -> None:
    request = wire.BackfillRequest(first="2026-01-01", last="2026-01-20")
    made = client.backfill(dag, request)
    assert [run.run_id for run in client.runs(30)] == [run.run_id for run in reversed(made.runs)]
    assert client.run("@latest").run_id == made.runs[-1].run_id
    several = client.trigger_many(dag, wire.BulkRequest(count=5)).run_ids
    assert [run.run_id for run in client.runs(5)] == several[::-1]


def test_the_audit_names_what_was_changed(client: Client, dag: str) -> None:
    run = client.trigger(dag, wire.TriggerRequest())
    for named in ("@latest", run.run_id[:6]):
        client.write_note(named, named)
        (entry,) = client.audit(1)
        assert entry.subject == run.run_id


@pytest.mark.parametrize("number", [2**53 + 1, 2**64, -(2**70), 10**30])
def test_an_integer_of_any_size_stays_what_it_is(client: Client, dag: str, number: int) -> None:
    run = client.trigger(dag, wire.TriggerRequest(params={"size": number}))
    assert client.run(run.run_id).params == {"size": number}


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"size": 10**1001}, "more than 1,000 digits"),
        ({"any": "a\0b"}, "any contains the character NUL"),
        ({"any": {"deep": ["a\0b"]}}, r"any\['deep'\]\[0\] contains the character NUL"),
        ({"any": {"a\0b": 1}}, "is under a name that contains the character NUL"),
        ({"any": "x" * 300_000}, "the limit is 262,144"),
        ({"any": json.loads("[" * 80 + "]" * 80)}, "more than 64 levels deep"),
    ],
)
def test_what_no_later_step_could_carry_is_refused(
    client: Client, conn: Session, params: dict[str, Any], told: str
) -> None:
    seed.dag(conn, "any", params=(Param(name="size", type="integer"), Param(name="any")))
    for dry_run in (True, False):
        with pytest.raises(UsageError, match=told):
            client.trigger("any", wire.TriggerRequest(params=params, dry_run=dry_run))
    with pytest.raises(UsageError, match=told):
        client.trigger_many("any", wire.BulkRequest(runs=[wire.TriggerRequest(params=params)]))
    assert client.runs(10) == []


def test_pause_and_resume(client: Client, dag: str) -> None:
    assert client.pause(dag).paused_by == "user:admin"
    assert client.resume(dag).paused_at is None
    with pytest.raises(NotFound):
        client.pause("other")


def test_a_queued_run_is_cancelled(client: Client, dag: str) -> None:
    run = client.trigger(dag, wire.TriggerRequest())
    assert client.cancel(run.run_id[:8]).run_id == run.run_id
    with pytest.raises(NotFound):
        client.cancel("zzzz")


def test_clear_names_what_it_would_do(client: Client, conn: Session, dag: str) -> None:
    seed.run(conn, dag, "abc123abc123", state="failed")
    seed.instance(conn, "abc123abc123", "t0", "success")
    seed.instance(conn, "abc123abc123", "t1", "failed")
    seed.instance(conn, "abc123abc123", "t2", "upstream_failed")
    request = wire.ClearRequest(failed_only=True, dry_run=True)
    planned = client.clear("@failed", request)
    assert [key.task_id for key in planned.cleared] == ["t1", "t2"]
    assert client.run("abc").state == "failed"
    done = client.clear("@failed", wire.ClearRequest(failed_only=True))
    assert done.cleared == planned.cleared
    assert client.run("abc").state == "queued"
    with pytest.raises(NotFound, match="t9"):
        client.clear("abc", wire.ClearRequest(tasks=["t9"]))


def test_an_instance_is_marked(client: Client, conn: Session, dag: str) -> None:
    seed.run(conn, dag, "abc123abc123")
    for task in ("t0", "t1", "t2"):
        seed.instance(conn, "abc123abc123", task, "waiting")
    client.mark("abc", wire.MarkRequest(task_id="t0", state="success"))
    assert client.instance("abc", "t0").state == "success"
    with pytest.raises(UsageError):
        client.mark("abc", wire.MarkRequest(task_id="t0", state="done"))


def test_a_whole_run_is_marked_as_its_dry_run_said(
    client: Client, conn: Session, dag: str, url: str
) -> None:
    seed.run(conn, dag, "abc123abc123")
    for task, state in (("t0", "success"), ("t1", "failed"), ("t2", "waiting")):
        seed.instance(conn, "abc123abc123", task, state)
    for state, marked in (("failed", ["t2"]), ("success", ["t1", "t2"])):
        would = client.would_mark("abc", wire.MarkRequest(state=state))
        assert ([key.task_id for key in would.marked], would.ending) == (marked, 0)
    with pytest.raises(UsageError, match="map_index"):
        client.mark("abc", wire.MarkRequest(state="failed", map_index=1))
    people.create(url, "vera", "viewer")
    people.create(url, "otto", "operator")
    mark = ("POST", f"{API}/runs/abc123abc123/mark", {"state": "success"})
    assert people.signed_in(url, "vera").ask(*mark).status == 403
    assert client.instance("abc", "t2").state == "waiting"
    assert people.signed_in(url, "otto").ask(*mark).status == 200
    assert {client.instance("abc", task).state for task in ("t0", "t1", "t2")} == {"success"}
    assert client.instance("abc", "t0").reason is None
    assert client.instance("abc", "t2").reason == "marked by otto"
    assert client.instance("abc", "t2").why == Marked("user:otto")


def test_a_run_that_was_marked_before_it_started_is_shown_everywhere(
    client: Client, url: str, dag: str
) -> None:
    admin = people.local(url)
    for state in ("success", "failed"):
        run_id = client.trigger(dag, wire.TriggerRequest()).run_id
        run = client.mark(run_id, wire.MarkRequest(state=state))
        assert (run.state, run.started_at, run.duration_s) == (state, None, None)
        for view in ("", "/tasks", "/gantt", "/diagnosis", "/events"):
            assert admin.ask("GET", f"{API}/runs/{run_id}{view}").status == 200, view
        days = "from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z"
        for view in ("grid", "durations", f"calendar?{days}"):
            assert admin.ask("GET", f"{API}/dags/{dag}/{view}").status == 200, view
    assert admin.ask("GET", f"{API}/overview").status == 200


def test_pools(client: Client) -> None:
    assert client.set_pool("etl", 4).slots == 4
    assert client.set_pool("etl", 6).slots == 6
    assert {pool.name: pool.slots for pool in client.pools()}["etl"] == 6
    client.delete_pool("etl")
    with pytest.raises(NotFound):
        client.delete_pool("etl")
    with pytest.raises(Conflict):
        client.delete_pool("default")
    with pytest.raises(UsageError):
        client.set_pool("etl", -1)
