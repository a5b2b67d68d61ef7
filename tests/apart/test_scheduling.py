"""Schedulers that live and do not schedule: told by ``/health/scheduler``, and by the probe of the process."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from headway.store.transact import connect
from tests.apart.install import Install
from tests.cli.conftest import wait_until

pytestmark = pytest.mark.long

# What every process of the test imports first: runs do not begin any more once the file ``bug`` is there.
PLANTED = """
import os
import sys

if "scheduler" in sys.argv or os.environ.get("PLANTED"):
    from headway.core import plan

    begin = plan.begin
    plan.begin = lambda run: None if os.path.exists("bug") else begin(run)
"""


@pytest.fixture
def here(database: str, tmp_path: Path) -> Iterator[Install]:
    (tmp_path / "sitecustomize.py").write_text(PLANTED)
    environment = {"HEADWAY_CANARY_S": "1", "PYTHONPATH": str(tmp_path), "PLANTED": "1"}
    found = Install(tmp_path, database, environment)
    found.prepare()
    found.start("api-1")
    found.start("scheduler-1")
    try:
        yield found
    finally:
        found.running["scheduler-1"].send_signal(signal.SIGCONT)
        found.end()


def health(here: Install) -> tuple[int, str]:
    try:
        answer = httpx.get(f"{here.url('api-1')}/health/scheduler", timeout=5.0)
    except httpx.TransportError:
        return 0, ""
    return answer.status_code, answer.text


def own(here: Install) -> int:
    try:
        address = f"http://127.0.0.1:{here.health['scheduler-1']}/healthz"
        return httpx.get(address, timeout=5.0).status_code
    except httpx.TransportError:
        return 0


def test_a_scheduler_that_lives_and_does_not_schedule_is_noticed(here: Install) -> None:
    wait_until(lambda: health(here) == (200, "schedules"), "it never schedules")
    with here.client("api-1") as client:
        (found,) = [each for each in client.health().components if each.name == "scheduler"]
        assert found.healthy
        assert "got a run to success" in found.detail
        (here.folder / "bug").touch()
        wait_until(lambda: health(here)[0] == 503, "nobody notices that nothing is scheduled")
        (found,) = [each for each in client.health().components if each.name == "scheduler"]
        assert not found.healthy
        assert "got no run to success for" in found.detail
        assert "0 of its 1 task was granted" in found.detail
        wait_until(lambda: own(here) == 503, "the process would not be replaced")
        (here.folder / "bug").unlink()
        wait_until(lambda: health(here)[0] == 200 and own(here) == 200, "it stays late")
    assert here.said("scheduler-1").count("the canary got no run to success") == 1


def test_each_team_with_agents_has_a_canary_on_them(here: Install) -> None:
    """With real processes: an agent runs it, nobody sees it, and agents that are gone are not the scheduler's fault."""
    here.gateway = here.ports["scheduler-1"]
    here.start("agent-1")
    wait_until(lambda: health(here) == (200, "schedules"), "it never schedules")
    with here.client("api-1") as client:

        def told() -> list[str]:
            found = client.health().components
            return [each.detail for each in found if each.name == "canary" and each.healthy]

        wait_until(lambda: any("the team got a run to success" in each for each in told()), "none")
        assert client.runs(10) == []
        assert client.dags() == []
        assert [pool.name for pool in client.pools()] == ["default"]
        metrics = client.metrics()
        assert "headway_team_proved_seconds " in metrics
        assert "headway_attempts_ended_total{" not in metrics
        gone = here.running.pop("agent-1")
        gone.kill()
        gone.wait()
        wait_until(lambda: not told(), "it is watched without agents")
        assert health(here) == (200, "schedules")
    with connect(here.dsn) as conn:
        left = "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM event WHERE run_id IS NOT NULL)"
        wait_until(lambda: conn.execute(left).fetchone() == (0, 0), "something of it is left")


def test_a_frozen_scheduler_is_noticed(here: Install) -> None:
    wait_until(lambda: health(here)[0] == 200, "it never schedules")
    here.running["scheduler-1"].send_signal(signal.SIGSTOP)
    wait_until(lambda: health(here)[0] == 503, "nobody notices that it stands still")
    here.running["scheduler-1"].send_signal(signal.SIGCONT)
    wait_until(lambda: health(here)[0] == 200, "it does not come back")
