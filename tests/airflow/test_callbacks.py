"""Callbacks of Airflow's files: by Airflow's task runner where it can, by the companion where it cannot."""

import json
from typing import Any

import pytest

from tests.airflow.conftest import Server
from tests.cli.conftest import headway, wait_for_dag, wait_until

pytestmark = pytest.mark.long


def test_what_the_runner_cannot_call_is_called_once_by_the_companion(server: Server) -> None:
    wait_for_dag(server.folder / ".headway", "called.callbacks")
    ran = server.run("called", "--date", "2026-03-04", "--param", "n=7")
    assert ran.states == {"killed": "failed", "raises": "failed"}
    told = "TOLD raises 1 2026-03-04 7 turquoise no"
    assert ran.log("raises").count(told) == 1
    assert "TOLD" not in ran.log("killed")

    def calls() -> list[dict[str, Any]]:
        found = headway(
            "ls", "runs", "--dag", "called.callbacks", "--output", "json", cwd=server.folder
        )
        listed: list[dict[str, Any]] = json.loads(found.stdout or "[]")
        return listed

    wait_until(
        lambda: [each["state"] for each in calls()] == ["success"] * 2, "the calls did not end"
    )
    logs = "\n".join(
        headway("logs", each["run_id"], "call", cwd=server.folder).stdout for each in calls()
    )
    assert "TOLD killed 1 2026-03-04 7 turquoise" in logs
    assert "the task was ended by SIGKILL" in logs
    assert f"ENDED {ran.run_id} 2026-03-04" in logs
    assert "TOLD raises" not in logs
