"""Components apart: several API servers and schedulers on one database, and what a kill -9 of each costs."""

from collections import Counter
from pathlib import Path

import httpx
import pytest

from headway import wire
from tests.apart.install import Install, install
from tests.api.stream import listening
from tests.cli.conftest import wait_until

pytestmark = pytest.mark.long

RUNS = 5  # for each that is killed


def test_nothing_is_lost_and_nothing_runs_twice_when_each_component_is_killed(
    database: str, tmp_path: Path
) -> None:
    with install(tmp_path, database) as here:
        two_servers_are_one(here)
        ledger = tmp_path / "ledger"
        run_ids: list[str] = []
        for victim in ("api-1", "scheduler-1", "loader", "agent", "scheduler-2", "api-2"):
            run_ids += kill_under_load(here, ledger, victim)
        wait_until(lambda: here.answers("api-2"), "api-2 does not come back")
        wait_until(
            lambda: len(here.ended(run_ids, "api-2")) == len(run_ids),
            f"not all runs end: {[here.said(name)[-2000:] for name in here.running]}",
        )
        assert {run.state for run in here.ended(run_ids, "api-1")} == {"success"}
        assert len(set(run_ids)) == len(run_ids)
        again = [here.trigger(ledger, "agent-0"), here.trigger(ledger, "api-2-without")]
        assert set(again) <= set(run_ids), "a key that came before is the same run"
        starts = Counter(ledger.read_text().splitlines())
        assert max(starts.values()) == 1, "an attempt ran twice"
        assert len({line.rsplit(" ", 1)[0] for line in starts}) == 3 * len(run_ids)


def kill_under_load(here: Install, ledger: Path, victim: str) -> list[str]:
    run_ids = [here.trigger(ledger, f"{victim}-{n}") for n in range(RUNS)]
    wait_until(lambda: some_work(ledger, run_ids), f"nothing runs before the end of {victim}")
    here.kill(victim)
    run_ids.append(here.trigger(ledger, f"{victim}-without"))
    here.start(victim)
    other = "api-2" if victim == "api-1" else "api-1"
    wait_until(lambda: here.answers(other), f"{other} does not answer")
    return run_ids


def some_work(ledger: Path, run_ids: list[str]) -> bool:
    """Return whether a task of these runs has begun."""
    return ledger.exists() and any(run_id in ledger.read_text() for run_id in run_ids)


def two_servers_are_one(here: Install) -> None:
    """What one API server is told, the other one knows: changes, sessions and tries to sign in."""
    bearer = {"Authorization": f"Bearer {here.token}"}
    with (
        listening(here.url("api-2"), headers=bearer, runs="all") as stream,
        here.client("api-1") as client,
    ):
        run_id = client.trigger("work", wire.TriggerRequest(params={"ledger": "/dev/null"})).run_id
        while run_id not in str(stream.next().data):
            pass
    link = httpx.post(
        f"{here.url('api-1')}/api/v1/login-links", json={}, headers=bearer, timeout=30.0
    )
    secret = link.json()["url"].partition("#")[2]
    entered = httpx.post(
        f"{here.url('api-2')}/api/v1/session/link", json={"token": secret}, timeout=30.0
    )
    assert entered.status_code == 200, entered.text
    shown = httpx.get(
        f"{here.url('api-1')}/api/v1/session", cookies=dict(entered.cookies), timeout=30.0
    )
    assert shown.json()["user"]["name"] == "admin", shown.text
    answers = [
        httpx.post(
            f"{here.url(f'api-{1 + n % 2}')}/api/v1/session",
            json={"name": "ann", "password": "wrong"},
            timeout=30.0,
        ).status_code
        for n in range(6)
    ]
    assert answers == [401] * 5 + [429]
    assert all(here.is_alive(name) for name in ("scheduler-1", "scheduler-2", "loader"))
