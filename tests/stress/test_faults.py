"""Real processes under kill -9, freezes and lost connections: everything ends, nothing runs twice."""

import random
import signal
import sys
from collections.abc import Callable

import pytest

from headway import clock
from tests.stress.installation import Installation, installation
from tests.stress.verdicts import all_succeeded, holds

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

KILL, STOP, CONTINUE = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT
LEASE_S = 15.0


@pytest.mark.long
def test_one_kill_of_each_kind() -> None:
    with installation() as site:
        site.trigger(6, items=10, seconds=0.1)
        site.until(lambda: len(site.executions()) > 5, 30, "it has begun")
        site.signal("scheduler0", KILL)
        site.pass_time(0.7)
        site.kill_fork_server("agent0")
        site.pass_time(0.3)
        site.terminate_backends()
        site.pass_time(0.3)
        site.signal("agent1", KILL)
        site.until(lambda: site.unfinished() == 0, 60, "all runs have ended")
        holds(site)
        all_succeeded(site)
    assert site.survivors() == []


def faults(site: Installation, chance: random.Random) -> list[Callable[[], None]]:
    which = chance.randrange(2)

    def freeze(name: str, seconds: float) -> Callable[[], None]:
        def act() -> None:
            site.signal(name, STOP)
            site.pass_time(seconds)
            site.signal(name, CONTINUE)

        return act

    return [
        lambda: site.signal(f"scheduler{which}", KILL),
        lambda: site.signal(f"agent{which}", KILL),
        lambda: site.kill_fork_server(f"agent{which}"),
        site.terminate_backends,
        site.restart_postgres,
        freeze(f"scheduler{which}", chance.uniform(1, 12)),
        freeze(f"agent{which}", LEASE_S + chance.uniform(1, 4)),
    ]


@pytest.mark.stress
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_faults_of_every_kind_again_and_again(seed: int) -> None:
    chance = random.Random(seed)
    with installation() as site:
        site.trigger(15, items=25, seconds=0.5)
        site.until(lambda: len(site.executions()) > 5, 30, "it has begun")
        until = clock.monotonic() + 90
        while clock.monotonic() < until and site.unfinished():
            chance.choice(faults(site, chance))()
            site.pass_time(chance.uniform(0.5, 5))
        site.until(lambda: site.unfinished() == 0, 180, "all runs have ended")
        holds(site)
    assert site.survivors() == []
