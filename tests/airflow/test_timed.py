"""DAG files with timetables of their own, and Airflow's examples of them, by a server: runs and backfills."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headway import wire
from headway.client import client_of
from headway.config import Layout
from tests.airflow.conftest import Ran, Server
from tests.cli.conftest import copy_data, headway, start, stop, wait_for_dag, wait_until

pytestmark = pytest.mark.long

# Fires an hour after the data that it is about, every day at noon, and is not registered by any plugin.
OWN = """
import pendulum
from airflow.sdk import DAG, get_current_context, task
from airflow.timetables.base import DagRunInfo, DataInterval, Timetable

class NoonTimetable(Timetable):
    description = "noon, an hour late"

    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        last = last_automated_data_interval
        start = last.end if last else restriction.earliest
        if start is None:
            return None
        end = start.add(days=1)
        return DagRunInfo.interval(start, end)._replace(run_after=end.add(hours=1))

    def infer_manual_data_interval(self, *, run_after):
        return DataInterval(run_after.subtract(days=3), run_after)

with DAG("noon", schedule=NoonTimetable(), start_date=pendulum.datetime(2026, 1, 1, 12), catchup=False):

    @task
    def tell():
        context = get_current_context()
        print("logical date", context["logical_date"].isoformat())
        print("from", context["data_interval_start"].isoformat())
        print("to", context["data_interval_end"].isoformat())

    tell()

with DAG("again", schedule="@continuous", start_date=pendulum.datetime(2026, 1, 1), max_active_runs=1):

    @task
    def follow():
        context = get_current_context()
        print(context["logical_date"].isoformat(), context["data_interval_end"].isoformat())

    follow()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Server]:
    from airflow.example_dags import example_assets, example_workday_timetable

    folder = tmp_path_factory.mktemp("timed")
    copy_data(data, folder)
    dags = folder / "dags"
    dags.mkdir()
    (dags / "own.py").write_text(OWN)
    for module in (example_assets, example_workday_timetable):
        file = Path(module.__file__)
        (dags / file.name).write_text(file.read_text())
    process = start(folder)
    try:
        for dag_id in ("noon", "example_workday_timetable", CONDITIONAL):
            wait_for_dag(folder / ".headway", dag_id)
        yield Server(folder, process.pid)
    finally:
        stop(process)


CONDITIONAL = "conditional_asset_and_time_based_timetable"


def ended(server: Server, dag_id: str, trigger: str) -> wire.Run:
    """Return the run that something started, once it has ended."""
    with closing(client_of(Layout(server.folder / ".headway"))) as client:

        def found() -> list[wire.Run]:
            runs = client.runs(10, dag_id=dag_id)
            return [run for run in runs if run.trigger == trigger and run.ended_at is not None]

        wait_until(lambda: bool(found()), f"no run of {dag_id} by {trigger} has ended")
        return found()[0]


def log_of(server: Server, run_id: str) -> str:
    return Ran(server.folder, run_id, "", {}, {}).log("tell")


def test_a_run_of_a_timetable_of_the_file_has_its_date_and_interval(server: Server) -> None:
    run = ended(server, "noon", "schedule")
    assert run.state == "success"
    fire = run.logical_date
    assert fire.hour == 13
    assert datetime.now(UTC) - timedelta(days=1) < fire <= datetime.now(UTC)
    begin, end = fire - timedelta(hours=25), fire - timedelta(hours=1)
    log = log_of(server, run.run_id)
    for line in (f"logical date {begin.isoformat()}", f"from {begin.isoformat()}"):
        assert line in log
    assert f"to {end.isoformat()}" in log


def test_continuous_runs_follow_each_other(server: Server) -> None:
    with closing(client_of(Layout(server.folder / ".headway"))) as client:

        def found() -> list[wire.Run]:
            return sorted(client.runs(10, dag_id="again"), key=lambda run: run.logical_date)

        wait_until(lambda: sum(run.ended_at is not None for run in found()) > 1, "no second run")
        client.pause("again")
        first, second, *_ = found()
        assert first.ended_at is not None
        assert second.logical_date >= first.ended_at
        log = Ran(server.folder, second.run_id, "", {}, {}).log("follow")
        assert f"{first.logical_date.isoformat()} {second.logical_date.isoformat()}" in log
        assert client.next_fires("again", count=1).reason == (
            "its next run begins when the last one has ended"
        )


def test_a_manual_run_has_the_interval_that_the_timetable_infers(server: Server) -> None:
    ran = server.run("noon", "--date", "2026-05-05T08:00Z")
    log = ran.log("tell")
    assert "from 2026-05-02T08:00:00+00:00" in log
    assert "to 2026-05-05T08:00:00+00:00" in log


def test_a_backfill_runs_its_dates(server: Server) -> None:
    dag = "example_workday_timetable"
    done = headway("backfill", dag, "--from", "2026-07-02", "--to", "2026-07-07", cwd=server.folder)
    assert done.returncode == 0, done.stderr
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        runs = client.runs(10, dag_id=dag)
        dates = sorted(run.logical_date for run in runs if run.trigger == "backfill")
    assert [f"{date:%a %d}" for date in dates] == ["Thu 02", "Fri 03", "Sat 04", "Tue 07"]


def test_commands_tell_its_words_and_its_dates(server: Server) -> None:
    listed = headway("ls", cwd=server.folder).stdout
    assert "noon, an hour late" in listed
    assert "by AfterWorkdayTimetable" in listed
    assert "Wednesdays at 01:00 UTC, or on s3://dag1/output_1.txt" in listed
    why = headway("why", "noon", cwd=server.folder).stdout
    assert "noon runs next at" in why
    shown = headway("show", "example_workday_timetable", cwd=server.folder).stderr
    assert "by AfterWorkdayTimetable" in shown
    checked = headway("check", "dags", cwd=server.folder)
    assert checked.returncode == 0, checked.stderr
    assert "warning" not in checked.stdout + checked.stderr


def test_assets_start_a_run_beside_the_times(server: Server) -> None:
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        for number in (1, 2):
            asset = f"s3://dag{number}/output_1.txt"
            client.emit_asset_event(wire.AssetEventRequest(asset=asset))
        run = ended(server, CONDITIONAL, "asset")
        assert run.state == "success"
        (fire,) = client.next_fires(CONDITIONAL, count=1).fires
        assert fire.logical_date.weekday() == 2
        assert fire.logical_date.hour == 1
        triggers = [each.trigger for each in client.runs(10, dag_id=CONDITIONAL)]
    assert triggers.count("asset") == 1
