"""Assets of Airflow's DAG files: their events bring runs, and tasks tell of them and read them."""

from contextlib import closing
from pathlib import Path

import pytest

from headway.client import client_of
from headway.config import Layout
from headway.frontends.airflow import FRONT_END
from tests.airflow.conftest import DAGS, Ran, Server
from tests.cli.conftest import wait_until

pytestmark = pytest.mark.long


def brought(server: Server, dag_id: str) -> Ran:
    """Return the run of a DAG that events brought, once it has ended."""

    with closing(client_of(Layout(server.folder / ".headway"))) as client:

        def ended() -> bool:
            found = client.runs(1, dag_id=dag_id)
            return bool(found) and found[0].state in ("success", "failed")

        wait_until(ended, f"{dag_id} has no run that ended")
        (run,) = client.runs(1, dag_id=dag_id)
        assert run.trigger == "asset"
        return Ran(server.folder, run.run_id, run.state, {}, {})


def test_a_file_keeps_its_assets() -> None:
    loaded = FRONT_END.load(Path(DAGS), "data.py")
    found = {dag.dag_id: dag for dag in loaded.dags}
    assert found["awaits_both"].schedule == {"assets": {"all": ["orders", "rates"]}}
    any_of = {"any": [{"all": ["orders", "never"]}, "rates"]}
    assert found["awaits_any"].schedule == {"assets": any_of}
    assert found["times_or_assets"].schedule == {"cron": "0 5 * * *"}
    (orders, rates) = found["updates"].assets
    assert (orders.name, orders.uri, orders.extra) == (
        "orders",
        "s3://lake/orders",
        {"owner": "sales"},
    )
    assert (rates.name, rates.uri, rates.group) == ("rates", "rates", "")
    tasks = {task.task_id: task for task in found["updates"].tasks}
    assert tasks["load"].outlets == ("orders", "rates")
    assert [task.inlets for task in found["awaits_both"].tasks] == [("orders",)]
    (report,) = found["report"].tasks
    assert report.outlets == ("report",)
    warnings = [each.message for each in loaded.warnings]
    assert warnings == [
        "times_or_assets: its schedule is times or assets; only the times start runs",
        "times_or_assets: events of the asset alias 'any' of alias are not recorded",
    ]


def test_events_bring_runs_and_tasks_tell_and_read_them(server: Server) -> None:
    assert server.run("updates").states == {"load": "success", "plain": "success"}
    both = brought(server, "awaits_both")
    assert both.state == "success"
    log = both.log("reads")
    for line in (
        "type: DagRunType.ASSET_TRIGGERED",
        "brought by orders s3://lake/orders [{}, {'rows': 3}]",
        "brought by rates rates [{'day': 'monday'}]",
        "from updates load",
        "inlet: {'rows': 3} s3://lake/orders",
        "latest: [{'rows': 3}]",
    ):
        assert line in log, line
    assert "rates={'day': 'monday'}" in brought(server, "awaits_any").log("templated")
    made = server.run("report")
    line = "making s3://lake/report {'format': 'csv'} of s3://lake/orders {'owner': 'sales'}"
    assert line in made.log("report")
