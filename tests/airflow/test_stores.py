"""State that tasks of Airflow keep: by Airflow's own accessors, in our store."""

from contextlib import closing
from typing import Any

import pytest

from headway.authoring import secrets
from headway.authoring.run import Run
from headway.client import client_of
from headway.config import Layout
from headway.frontends.airflow.answers import Conversation, State
from tests.airflow.conftest import Server
from tests.airflow.releases import IS_NEWEST
from tests.api.seed import NOON
from tests.cli.conftest import headway, wait_for_dag, wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not IS_NEWEST, reason="Airflow keeps state since 3.3"),
]


def results(server: Server, run_id: str) -> dict[str, Any]:
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        return {
            x.task_id if x.map_index < 0 else f"{x.task_id}[{x.map_index}]": x.value
            for x in client.xcoms(run_id)
        }


def test_state_is_kept_as_in_airflow(server: Server) -> None:
    wait_for_dag(server.folder / ".headway", "kept")
    ran = server.run("kept")
    assert set(ran.states.values()) == {"success"}
    assert (ran.attempts["resumes"], ran.attempts["job"]) == (2, 2)
    found = results(server, ran.run_id)
    assert found["resumes"] == {"page": 2, "of": ["ü", 1.5, None]}
    assert (found["each[0]"], found["each[1]"]) == ([1, "cleared"], [2, "cleared"])
    assert found["by_uri"] == [found["counts"], None]
    assert found["job"] == "job-of-1", "it was submitted once"
    odd = found["odd"]
    assert "the key of a state contains the character NUL" in odd["nul"]
    assert "the key of a state has 513 characters; the limit is 512" in odd["long"]
    assert "the state 'k'['a'][0] is nan, which JSON cannot represent" in odd["nan"]
    assert "the state 'k' has 2,000,002 bytes as JSON; the limit is 1,048,576" in odd["large"]
    assert odd["none"] == "Cannot set value as None"
    again = server.run("kept")
    assert results(server, again.run_id)["counts"] == found["counts"] + 1, "an asset is of all runs"


def test_a_cleared_task_finds_what_it_left(server: Server) -> None:
    wait_for_dag(server.folder / ".headway", "kept")
    ran = server.run("kept")
    done = headway("clear", ran.run_id, "resumes", cwd=server.folder)
    assert done.returncode == 0, done.stderr
    wait_until(
        lambda: results(server, ran.run_id).get("resumes", {}).get("page") == 3,
        "it did not run again",
    )


def test_a_secret_in_a_state_is_masked_in_who_reads_it(server: Server) -> None:
    wait_for_dag(server.folder / ".headway", "hides")
    ran = server.run("hides")
    assert ran.state == "success"
    assert "the url is postgres://me:***@db" in ran.log("reads")
    assert results(server, ran.run_id)["reads"] == len("postgres://me:a-secret-word@db")


@pytest.mark.parametrize("wanted", [True, False])
def test_the_state_goes_with_success_if_airflow_is_configured_so(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    asked = []
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", str(wanted))
    monkeypatch.setattr(secrets, "ask", lambda *question: asked.append(question))
    run = Run(run_id="r", dag_id="d", task_id="t", logical_date=NOON, data_interval=(NOON, NOON))
    conversation = Conversation(run, None, [])
    conversation.succeed({})
    assert conversation.state is State.SUCCESS
    assert asked == [("state", '{"ask":"clear"}')] * wanted
