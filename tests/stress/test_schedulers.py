"""Real scheduler processes that die, freeze, come and go, and what their tasks notice of it."""

import random
import signal
import sys
from pathlib import Path

import pytest

from headway.agent.protocol import LEASE_S
from tests.stress.dying_scheduler import POINTS, lines
from tests.stress.installation import Installation, installation
from tests.stress.verdicts import all_succeeded, holds, nothing_was_lost

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

KILL, STOP, CONTINUE = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT
DYING = "tests.stress.dying_scheduler"
GAP_S = 15.0

RUNNING = "SELECT count(*) FROM attempt WHERE state = 'running'"
GAP_MS = """
    SELECT coalesce(1000 * max(extract(epoch FROM pause)), 0)::int FROM (
        SELECT at - lag(at) OVER (ORDER BY seq) AS pause FROM event WHERE subject = 'task_instance'
    ) AS found
"""


@pytest.mark.stress
def test_a_killed_scheduler_costs_fifty_running_tasks_nothing() -> None:
    """G7, REL-01: they go on, end, and are reported to the next one."""
    with installation(schedulers=1, processes=50) as site:
        site.trigger(1, items=50, seconds=2.5, stumbles=False)
        site.until(lambda: site.value(RUNNING) == 50, 30, "fifty tasks run")
        site.signal("scheduler0", KILL)
        site.until(lambda: site.unfinished() == 0, 60, "the run has ended")
        assert site.component("scheduler0").starts == 2
        holds(site)
        all_succeeded(site)
        nothing_was_lost(site)
        assert site.value("SELECT count(*) FROM attempt") == 52
        assert site.value(GAP_MS) < GAP_S * 1000


def die_again_and_again(
    dooms: list[tuple[str, int, signal.Signals]], runs: int, lost: int | None = None
) -> None:
    """``lost``: how many attempts that may cost; an agent that no life of it greets for 10 s ends its own."""
    with installation(schedulers=1, module=DYING) as site:
        site.until(lambda: site.value("SELECT count(*) FROM scheduler") > 0, 30, "it has begun")
        site.doom(0).write_text(lines(*dooms))
        site.signal("scheduler0", KILL)
        site.trigger(runs, items=6)
        site.until(lambda: site.unfinished() == 0, 240, "all runs have ended")
        assert site.doom(0).read_text() == "", "it died of everything that was written down"
        holds(site)
        all_succeeded(site)
        assert (
            lost is None or site.value("SELECT count(*) FROM attempt WHERE state = 'lost'") <= lost
        )


@pytest.mark.long
def test_a_scheduler_dies_in_its_transactions_and_right_after_them() -> None:
    """F02: before COMMIT, and after it before anybody hears of it."""
    die_again_and_again([(point, 1, KILL) for point in POINTS[:2]], runs=2, lost=0)


@pytest.mark.stress
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_scheduler_dies_twenty_times(seed: int) -> None:
    chance = random.Random(seed)
    dooms = [(chance.choice(POINTS), chance.randrange(4), KILL) for _ in range(20)]
    die_again_and_again(dooms, runs=40)


@pytest.mark.stress
@pytest.mark.parametrize("point", ["written", "committed", "granting"])
def test_a_scheduler_frozen_after_its_claim_starts_nothing_when_it_wakes(point: str) -> None:
    """F04: longer than the lease, and then it goes on as if nothing had been."""
    with installation(module=DYING) as site:
        site.until(lambda: site.value("SELECT count(*) FROM scheduler") == 2, 30, "both are up")
        site.doom(0).write_text(lines((point, 2, STOP)))
        site.signal("scheduler0", KILL)
        site.trigger(8, items=20, seconds=0.3)
        site.until(lambda: is_stopped(site, "scheduler0"), 30, "it stopped itself")
        mine = bound_to(site, "agent0")
        site.until(lambda: site.value(DEAD_SESSIONS) > 0, LEASE_S + 15, "its agent's lease is over")
        site.until(lambda: not bound_to(site, "agent0") & mine, 15, "others took it over")
        assert site.value(LIVES_OF_THE_OTHER) == 1, "its heartbeats were answered all the while"
        before = site.executions()
        site.signal("scheduler0", CONTINUE)
        site.until(lambda: site.unfinished() == 0, 90, "all runs have ended")
        assert {line for line in mine if site.executions()[line] != before[line]} == set()
        holds(site)
        all_succeeded(site)


LIVES_OF_THE_OTHER = "SELECT count(*) FROM agent_session WHERE agent = 'agent1'"
DEAD_SESSIONS = "SELECT count(*) FROM agent_session WHERE agent = 'agent0' AND ended_at IS NOT NULL"


def bound_to(site: Installation, agent: str) -> set[str]:
    with site.session() as conn:
        found = conn.execute(
            "SELECT run_id || ' ' || task_id || ' ' || map_index || ' ' || number"
            " FROM attempt JOIN agent_session USING (team_id, session_id)"
            " WHERE state IN ('queued', 'running') AND agent = %s",
            [agent],
        ).fetchall()
    return {line for (line,) in found}


def is_stopped(site: Installation, name: str) -> bool:
    pid = site.component(name).pid
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


@pytest.mark.stress
def test_schedulers_come_and_go_under_load() -> None:
    """F03, EXE-14: one, three, one again; each of them did a part."""
    with installation(schedulers=1) as site:
        site.trigger(40, items=20, seconds=0.2)
        site.until(lambda: len(site.executions()) > 20, 30, "it has begun")
        for number in (1, 2):
            site.grow(number)
        for number in (1, 2):
            site.until(lambda n=number: done_by(site, n) > 20, 60, "it takes its part")  # type: ignore[misc]
        assert site.unfinished() > 0
        for number in (1, 2):
            site.shrink(number)
        assert site.unfinished() > 0
        site.until(lambda: site.unfinished() == 0, 180, "all runs have ended")
        holds(site)
        all_succeeded(site)


def done_by(site: Installation, number: int) -> int:
    return site.value(
        "SELECT count(*) FROM attempt JOIN agent_session USING (team_id, session_id)"
        f" WHERE agent = 'agent{number}' AND state = 'success'"
    )


@pytest.mark.stress
def test_a_scheduler_that_starts_every_five_seconds_makes_progress() -> None:
    """F08: killed again and again under load, it costs no attempt, and every life does a part."""
    with installation(schedulers=1) as site:
        site.trigger(24, items=20, seconds=0.3, stumbles=False)
        site.until(lambda: len(site.executions()) > 4, 30, "it has begun")
        lives = 0
        while site.unfinished():
            before = len(site.executions())
            site.pass_time(5.0)
            assert len(site.executions()) > before or not site.unfinished(), (
                f"life {lives} did nothing"
            )
            site.signal("scheduler0", KILL)
            lives += 1
            assert lives < 60, "it does not end"
        assert lives > 3
        holds(site)
        all_succeeded(site)
        nothing_was_lost(site)
