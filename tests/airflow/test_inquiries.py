"""Triggers of Airflow that ask while they look out: connections, variables, XComs and runs, for their own wait only."""

from contextlib import closing

import pytest

from headway.client import client_of
from headway.config import Layout
from tests.airflow.conftest import Server
from tests.cli.conftest import wait_for_dag, wait_until

pytestmark = pytest.mark.long


def test_a_trigger_asks_as_hooks_do(server: Server) -> None:
    wait_for_dag(server.folder / ".headway", "inquiries")
    ran = server.run("inquiries")
    states = dict(ran.states)
    del states["writes"]  # Airflow 3.2 goes on after a variable that it could not set
    assert states == {
        "before": "success",
        "hooks": "success",
        "at_once": "success",
        "lacks": "failed",
        "of_runs": "success",
    }
    log = ran.log("hooks")
    four = [["db.example", "me"]] * 4
    assert f"an event: ({four}, ['turquoise', 'turquoise'])" in log
    assert "password *** 13" in log
    assert "an event: 1" in ran.log("at_once")
    assert "an event: (1, 'success', 41, 'of_runs')" in ran.log("of_runs")
    assert "The conn_id `nosuch` isn't defined" in ran.why("lacks")
    lacks = "there is no connection 'nosuch' for this DAG; to create it: headway conn set nosuch"
    assert lacks in ran.log("lacks")
    assert "the trigger writes a variable (PutVariable)" in ran.log("writes")
    logs = [ran.log(name) for name in ran.states]
    assert [log for log in logs if "a-secret-word" in log] == []


def test_a_watcher_asks_and_its_events_hold_no_secret(server: Server) -> None:
    wait_for_dag(server.folder / ".headway", "on_letters")
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        wait_until(
            lambda: [run.state for run in client.runs(5, dag_id="on_letters")] == ["success"],
            "it did not run",
        )
        (run,) = client.runs(5, dag_id="on_letters")
        (result,) = client.xcoms(run.run_id)
    told = {"host": "db.example", "password": "***"}
    assert result.value == [{"from_trigger": True, "payload": told}]
