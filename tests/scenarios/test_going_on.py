"""A DAG that moves here from Airflow goes on with the date after the last one that Airflow did."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway import ids, wire
from headway.actions import airflow_runs
from headway.engine import janitor, timetables
from headway.store import airflow_runs as store
from headway.store import dags
from headway.store.clock import clock
from headway.store.transact import Session, connect, enter_team, in_team, transact
from tests.scenarios.test_retention import sweep
from tests.scenarios.world import ANN, Scheduler, deploy, names, task, value

LONG = timedelta(days=36_500)
DATES = "SELECT logical_date FROM run WHERE dag_id = 'd' ORDER BY logical_date"


def day(number: int, hour: int = 5) -> datetime:
    return datetime(2020, 3, number, hour, tzinfo=UTC)


def daily(conn: Connection[Any], **options: Any) -> None:
    given = {"schedule": {"cron": "0 5 * * *"}, "start_date": day(1, 0), "catchup": True}
    deploy(conn, task("a", **options.pop("of_task", {})), **{**given, **options})


Moved = Callable[..., None]


@pytest.fixture
def moved(app_conn: Session) -> Moved:
    """Import what Airflow did of the DAG, as the API does."""

    def take(done_until: datetime, *runs: wire.AirflowRunDetail, team_id: int = 1) -> None:
        asked = wire.AirflowRunsRequest(runs=list(runs), done_until=done_until)

        def work(conn: Connection[Any], team_id: int) -> None:
            enter_team(conn, team_id)
            airflow_runs.take(conn, team_id, "d", asked, ANN, LONG)

        transact(app_conn, work, team_id)

    return take


def run(number: int, state: Any) -> wire.AirflowRunDetail:
    """A run of Airflow: its only task ended as it did."""
    done = wire.AirflowTask(task_id="a", state=state, ended_at=day(number, 6))
    return wire.AirflowRunDetail(
        run_id=f"scheduled__{number}",
        run_type="scheduled",
        state=state,
        logical_date=day(number - 1),
        due_at=day(number),
        ended_at=day(number, 6),
        tasks=1,
        instances=[done],
    )


def pause(conn: Connection[Any]) -> None:
    transact(conn, dags.pause, 1, "d", ANN, day(1))


def resume(conn: Connection[Any]) -> None:
    transact(conn, dags.resume, 1, "d", ANN, day(1))


def due(conn: Connection[Any], now: datetime) -> list[str]:
    """The dates of all runs, once the timetable was asked at this time."""
    conn.execute("UPDATE dag SET next_fire_at = '2020-03-01Z' WHERE next_fire_at IS NOT NULL")
    catalog = Scheduler(conn).ticker.catalog
    transact(conn, timetables.create_due, catalog, ids.run_id, now)
    return [f"{date:%d %H}" for (date,) in conn.execute(DATES).fetchall()]


def test_a_dag_that_is_resumed_goes_on_where_airflow_stopped(
    conn: Connection[Any], moved: Moved
) -> None:
    daily(conn)
    pause(conn)
    moved(day(5))
    assert due(conn, day(8, 12)) == []
    resume(conn)
    assert due(conn, day(8, 12)) == ["06 05", "07 05", "08 05"]
    starts = "SELECT interval_start FROM run ORDER BY logical_date LIMIT 1"
    assert value(conn, starts) == day(5)
    assert due(conn, day(9, 12)) == ["06 05", "07 05", "08 05", "09 05"]


def test_what_airflow_did_meanwhile_is_not_done_again(conn: Connection[Any], moved: Moved) -> None:
    daily(conn)
    pause(conn)
    moved(day(5))
    moved(day(7))
    resume(conn)
    assert due(conn, day(8, 12)) == ["08 05"]


def test_a_dag_that_comes_after_its_past_goes_on_too(conn: Connection[Any], moved: Moved) -> None:
    moved(day(5))
    daily(conn)
    assert due(conn, day(7, 12)) == ["06 05", "07 05"]


def test_without_a_past_all_dates_run(conn: Connection[Any]) -> None:
    daily(conn)
    assert due(conn, day(3, 12)) == ["01 05", "02 05", "03 05"]


def test_an_import_never_leads_back_or_over_a_date_that_is_to_come(
    conn: Connection[Any], moved: Moved
) -> None:
    daily(conn)
    assert due(conn, day(3, 12)) == ["01 05", "02 05", "03 05"]
    moved(day(2))
    assert due(conn, day(4, 12)) == ["01 05", "02 05", "03 05", "04 05"]
    moved(day(5, 4))  # between two fires: the next one is not skipped
    assert due(conn, day(5, 12))[-1] == "05 05"


def test_without_catchup_the_last_date_is_done_once(conn: Connection[Any], moved: Moved) -> None:
    """The one that Airflow missed while nobody scheduled the DAG, or none."""
    daily(conn, catchup=False)
    moved(day(5))
    assert due(conn, day(5, 12)) == []
    assert due(conn, day(8, 12)) == ["08 05"]


@pytest.mark.parametrize(("catchup", "dates"), [(True, ["06 05", "07 05"]), (False, ["07 05"])])
@pytest.mark.parametrize("by_start", [True, False])
@pytest.mark.parametrize("skips_past", [True, False])
def test_dates_between_airflow_and_the_first_sight_of_a_dag_without_a_start_are_done(
    conn: Connection[Any],
    moved: Moved,
    catchup: bool,
    dates: list[str],
    by_start: bool,
    skips_past: bool,
) -> None:
    """Its file may come here days after the last run in Airflow."""
    fires = [f"2020-03-{number:02}T05:00:00Z" for number in range(1, 9)]
    schedule = {"dates": {"fires": fires, "skips_past": skips_past}}
    daily(conn, schedule=schedule, start_date=None, catchup=catchup, dated_by_start=by_start)
    conn.execute("UPDATE dag_version SET created_at = '2020-03-07 12:00Z'")
    moved(day(5))
    assert due(conn, day(7, 13)) == dates


@pytest.mark.parametrize("schedule", [{"once": True}, {"cron": "0 5 1 3 *"}])
def test_what_runs_once_has_run(
    conn: Connection[Any], moved: Moved, schedule: dict[str, Any]
) -> None:
    daily(conn, schedule=schedule)
    moved(day(1))
    assert due(conn, day(1, 12)) == []


def test_the_past_of_another_team_is_its_own(conn: Connection[Any], moved: Moved) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    daily(conn)
    moved(day(5), team_id=2)
    assert due(conn, day(3, 12)) == ["01 05", "02 05", "03 05"]


def test_a_past_that_is_forgotten_holds_nothing_back(
    conn: Connection[Any], app_conn: Session, moved: Moved
) -> None:
    def forget(conn: Connection[Any]) -> bool:
        enter_team(conn, 1)
        return store.forget(conn, 1, "d", 100)

    daily(conn)
    moved(day(5), run(5, "success"))
    assert not transact(app_conn, forget)
    assert due(conn, day(3, 12)) == ["01 05", "02 05", "03 05"]


def test_a_timetable_that_was_asked_before_is_asked_again(
    conn: Connection[Any], moved: Moved
) -> None:
    """The file is here since this morning, and the next date is tomorrow's: Airflow did not do this night's."""
    daily(conn, catchup=False)
    conn.execute("UPDATE dag SET next_fire_at = '2199-01-01Z'")
    moved(day(5))
    assert value(conn, "SELECT next_fire_at <= clock_timestamp() FROM dag")
    conn.execute("UPDATE dag SET next_fire_at = NULL")
    moved(day(6))
    assert value(conn, "SELECT next_fire_at FROM dag") is None


def test_what_removes_old_runs_does_not_wait_for_who_registers_files(
    conn: Connection[Any],
    dsn: str,
    tmp_path: Path,
    moved: Moved,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The loader holds the team and waits for rows that are being removed: each would wait for the other one."""
    daily(conn)
    moved(day(5), run(5, "success"))
    conn.execute("SET lock_timeout = '200ms'")
    now = transact(conn, clock)
    with connect(dsn) as loader, loader.transaction():
        dags.lock(loader, 1)
        assert transact(conn, in_team, 1, janitor.prune, now, now, 10) == []
        sweep(conn, tmp_path)  # in the scheduler, whose ticks would wait, too
        assert value(conn, "SELECT count(*) FROM airflow_run") == 1
    assert caplog.records == []
    sweep(conn, tmp_path)
    assert value(conn, "SELECT count(*) FROM airflow_run") == 0


def test_a_removal_that_was_cut_off_leaves_the_right_counts(
    conn: Connection[Any], app_conn: Session, moved: Moved
) -> None:
    def forget(conn: Connection[Any]) -> bool:
        enter_team(conn, 1)
        return store.forget(conn, 1, "d", 2)

    moved(day(5), run(3, "success"), run(4, "success"), run(5, "success"))
    assert transact(app_conn, forget)  # and then the server was killed
    counted = """SELECT runs, size, (SELECT count(*) FROM airflow_run), (SELECT sum(size) FROM airflow_run)
        FROM airflow_dag"""
    runs, size, are, bytes_are = conn.execute(counted).fetchone() or (0, 0, 0, 0)
    assert (runs, size) == (are, bytes_are) == (1, bytes_are)


@pytest.mark.parametrize("state", ["success", "failed"])
def test_the_first_run_here_has_no_run_before_it(
    conn: Connection[Any], moved: Moved, state: str
) -> None:
    """Runs of Airflow are facts to look up: ``depends_on_past`` does not ask them."""
    daily(conn, of_task={"depends_on_past": True})
    moved(day(5), run(5, state))
    assert due(conn, day(7, 12)) == ["06 05", "07 05"]
    scheduler = Scheduler(conn)
    assert names(scheduler.tick().grants) == ["a"]
    assert scheduler.now > transact(conn, clock) - timedelta(minutes=1)
    scheduler.play()
    assert value(conn, "SELECT count(*) FROM run WHERE state = 'success'") == 2
