"""Components apart, two of each on one database, and what a kill -9 of each costs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from headway import wire
from headway.store.transact import connect
from tests.apart.balancer import balanced
from tests.apart.install import Install, install, meanwhile
from tests.api.stream import listening
from tests.cli.conftest import wait_until
from tests.ports import free_port
from tests.simulation import invariants

pytestmark = pytest.mark.long

RUNS: Final = 4  # for each that is killed
TRIES_MAX: Final = 3  # of one request: its connection goes with the server that is killed
PACE_S: Final = 0.05
ENDS = """
    SELECT run_id, task_id, map_index, count(*) FROM event
    WHERE subject = 'task_instance' AND state = 'success' GROUP BY 1, 2, 3 HAVING count(*) > 1
"""


def test_nothing_is_lost_and_nothing_runs_twice_when_each_component_is_killed(
    database: str, tmp_path: Path
) -> None:
    with install(tmp_path, database) as here:
        two_servers_are_one(here)
        here.health["loader-2"] = free_port()
        for name in ("loader-2", "agent-2"):
            here.start(name)
        wait_until(lambda: is_up(here, "loader-2"), "the second loader is not there")
        ledger = tmp_path / "ledger"
        run_ids: list[str] = []
        with asking(here) as answers:
            for victim in list(here.running):
                run_ids += kill_under_load(here, ledger, victim)
                seen = len(answers)
                wait_until(lambda seen=seen: len(answers) > seen, "nobody answers")  # type: ignore[misc]
        assert max(answers) <= TRIES_MAX
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
    with connect(database) as conn:
        assert conn.execute(ENDS).fetchall() == [], "a task ended twice"
        assert invariants.check(conn) == []


@contextmanager
def asking(here: Install) -> Iterator[list[int]]:
    """Ask for the runs all the time, by the address of both API servers: how many tries each answer took."""
    found: list[int] = []
    headers = {"Authorization": f"Bearer {here.token}"}
    with balanced([here.ports["api-1"], here.ports["api-2"]]) as door:
        url = f"http://127.0.0.1:{door}/api/v1/runs?limit=1"
        with meanwhile(lambda: found.append(tries(url, headers)), PACE_S):
            yield found


def tries(url: str, headers: dict[str, str]) -> int:
    """Ask until there is an answer, at once each time."""
    for number in range(1, 1 + TRIES_MAX):
        try:
            answer = httpx.get(url, headers=headers, timeout=30.0)
        except httpx.TransportError:
            continue
        assert answer.status_code == 200, answer.text
        return number
    raise AssertionError(f"no API server answered {TRIES_MAX} times")


def is_up(here: Install, name: str) -> bool:
    """Return whether a component does its work again. An agent says so by the runs that end."""
    if name.startswith("api"):
        return here.answers(name)
    try:
        return name not in here.health or here.is_alive(name)
    except httpx.TransportError:
        return False


def kill_under_load(here: Install, ledger: Path, victim: str) -> list[str]:
    run_ids = [here.trigger(ledger, f"{victim}-{n}") for n in range(RUNS)]
    wait_until(lambda: some_work(ledger, run_ids), f"nothing runs before the end of {victim}")
    here.kill(victim)
    run_ids.append(here.trigger(ledger, f"{victim}-without"))
    here.start(victim)
    wait_until(lambda: is_up(here, victim), f"{victim} does not come back")
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
