"""Retry policies of Airflow decide in the task's process, as in Airflow, and Headway waits as they say."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from headway import clock
from tests.airflow.conftest import Server
from tests.cli.conftest import headway, wait_for_dag, wait_until

pytest.importorskip("airflow.sdk.definitions.retry_policy")
pytestmark = pytest.mark.long


def test_a_policy_decides_as_in_airflow(server: Server) -> None:
    """A retry takes the delay of the rule or decision, FAIL ends the task, and a policy that raises is as none."""
    wait_for_dag(server.folder / ".headway", "policies")
    ran = server.run("policies")
    assert ran.states == {
        "recovers": "success",
        "fails_at_once": "failed",
        "gives_up": "failed",
        "decides": "failed",
        "falls_back": "failed",
        "takes_too_long": "failed",
    }
    assert ran.attempts == {
        "recovers": 3,
        "fails_at_once": 1,
        "gives_up": 4,
        "decides": 2,
        "falls_back": 2,
        "takes_too_long": 1,
    }
    assert "rate limit" in ran.log("gives_up")
    assert "ValueError: wrong" in ran.why("fails_at_once")
    assert "KeyError: 'x'" in ran.why("decides")
    assert "AirflowTaskTimeout" in ran.why("takes_too_long"), "the time-out of Airflow, not ours"
    assert "Retry policy evaluation failed" in ran.log("falls_back")


def test_the_delay_of_a_policy_is_waited_for_and_told(server: Server) -> None:
    wait_for_dag(server.folder / ".headway", "policy_waits")
    done = headway("run", "policy_waits", "--detach", cwd=server.folder)
    run_id = done.stdout.strip()

    def seen() -> dict[str, object]:
        shown = headway("show", run_id, "--output", "json", cwd=server.folder)
        (found,) = json.loads(shown.stdout)["tasks"]
        return dict(found)

    wait_until(
        lambda: seen()["counts"] == {"up_for_retry": 1}, "the task does not wait for a retry"
    )
    found = seen()
    assert str(found["reason"]).endswith(
        "429 (retry 1 of 3 by its retry policy: the quota is used up)"
    )
    at = datetime.fromisoformat(str(found["retry_at"])).astimezone(UTC)
    assert timedelta(days=1) < at - clock.now() <= timedelta(days=2)
    told = headway("why", run_id, "waits", cwd=server.folder).stdout
    assert "attempt 2 of 4" in told
    assert "by its retry policy: the quota is used up" in told
