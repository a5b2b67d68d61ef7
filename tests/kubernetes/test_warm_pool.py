"""Warm pools through the ends of schedulers, agents and versions. Nothing here depends on the speed of the machine."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway import clock
from headway.agent.protocol import FENCE_S, LEASE_S, AttemptKey
from headway.store.transact import Session
from tests.executors.test_conformance import key
from tests.kubernetes.warm_site import SLOTS, Still, WarmAgent, WarmSite
from tests.scenarios.world import deploy, run_state, task, trigger, value

TASKS = "abcd"


@pytest.fixture
def site(dsn: str, tmp_path: Path, owner_conn: Session) -> Iterator[WarmSite]:
    """A pool of two agents, which are there."""
    size(owner_conn, warm_min=2, warm_max=2)
    still = Still()
    with clock.use(still):
        site = WarmSite(dsn, tmp_path, still)
        try:
            site.begin()
            site.until(lambda: site.is_ready(2))
            yield site
        finally:
            site.close()


def size(conn: Connection[Any], **settings: Any) -> None:
    text = msgspec.json.encode({"warm_slots": SLOTS, "warm_idle_s": 60, **settings}).decode()
    conn.execute("UPDATE team SET cluster = %s::jsonb WHERE team_id = 1", [text])


def begin(conn: Connection[Any], tasks: str = TASKS) -> str:
    deploy(conn, *(task(name, executor="warm") for name in tasks))
    return trigger(conn)[0]


def end_all(site: WarmSite) -> None:
    for agent in site.agents.values():
        agent.end_all()


def attempts(conn: Connection[Any]) -> dict[str, int]:
    return dict(conn.execute("SELECT state, count(*) FROM attempt GROUP BY state").fetchall())


@pytest.mark.parametrize("moment", ["granted", "running", "ended"])
def test_a_scheduler_that_is_killed_starts_nothing_twice_and_loses_nothing(
    conn: Session, site: WarmSite, moment: str
) -> None:
    """Whatever it had not said or heard yet, the next one goes on with it, as long as the leases last."""
    run_id = begin(conn)
    site.decide()
    assert attempts(conn) == {"queued": 4}
    if moment != "granted":
        site.turn(2)
        assert len(site.started) == 4
    if moment == "ended":
        end_all(site)
    site.kill()
    site.later(FENCE_S - 3)
    site.begin()
    site.until(lambda: site.is_ready(2) and len(site.started) == 4)
    end_all(site)
    site.until(lambda: run_state(conn, run_id) == "success")
    assert Counter(site.started) == {key(run_id, name): 1 for name in TASKS}
    assert attempts(conn) == {"success": 4}


def test_without_a_scheduler_for_too_long_each_is_started_again_and_no_two_at_once(
    conn: Session, site: WarmSite
) -> None:
    run_id = begin(conn)
    site.until(lambda: len(site.started) == 4)
    site.kill()
    site.later(FENCE_S + 1)
    site.nodes()
    assert site.running == {}, "agents end what they have when nobody answers them"
    site.begin()
    site.later(LEASE_S - FENCE_S)
    site.until(lambda: len(site.started) == 8)
    end_all(site)
    site.until(lambda: run_state(conn, run_id) == "success")
    both = [key(run_id, name, number) for name in TASKS for number in (1, 2)]
    assert Counter(site.started) == dict.fromkeys(both, 1)
    assert attempts(conn) == {"lost": 4, "success": 4}
    assert value(conn, "SELECT sum(failures) FROM task_instance") == 0


def test_what_a_frozen_agent_had_is_started_elsewhere_after_its_fence(
    conn: Session, site: WarmSite
) -> None:
    """A start before the fence of the agent that had it fails in ``site``: no two at once."""
    run_id = begin(conn, "ab")
    site.until(lambda: len(site.started) == 2)
    frozen = site.running[run_id, "a", -1]
    assert frozen is not site.running[run_id, "b", -1]
    frozen.is_frozen = True
    site.until(lambda: len(site.started) == 3)
    assert site.started[2] == key(run_id, "a", 2)
    frozen.is_frozen = False
    site.turn()
    assert frozen.running == set(), "it finds that its time was over"
    end_all(site)
    site.until(lambda: run_state(conn, run_id) == "success")
    assert attempts(conn) == {"lost": 1, "success": 2}


def test_two_schedulers_keep_one_pool_and_do_not_undo_each_others_work(
    conn: Session, owner_conn: Session, site: WarmSite
) -> None:
    site.begin("second")
    for agent, home in zip(site.agents.values(), ("first", "second"), strict=True):
        agent.hang_up()
        agent.home, agent.path = home, site.path_of(home)
    site.until(lambda: site.is_ready(2))
    site.turn(2)
    before = len(changes(site))
    site.turn(20)
    assert changes(site)[before:] == [], "what is level is left alone"
    run_id = begin(conn, "abcdef")
    site.until(lambda: len(site.started) == 4)
    size(owner_conn, warm_min=0, warm_max=3, warm_idle_s=10)
    site.until(lambda: len(site.started) == 6)
    assert (site.replicas(), len(site.pods())) == (3, 3)
    homes = {each.home for each in site.agents.values() if each.running}
    assert homes == {"first", "second"}
    end_all(site)
    site.until(lambda: run_state(conn, run_id) == "success")
    sizes = sampled(site, until=0)
    assert sizes == sorted(sizes, reverse=True), "it only shrinks"
    assert len(site.deployments.removed) == 3
    assert Counter(site.started) == {key(run_id, name): 1 for name in "abcdef"}
    assert value(owner_conn, "SELECT count(*) FROM audit WHERE action = 'cluster.repair'") == 0


def changes(site: WarmSite) -> list[str]:
    """Requests that change an object in the cluster."""
    return [each for each in site.server.requests if each.split()[0] in ("PATCH", "PUT", "DELETE")]


def sampled(site: WarmSite, until: int) -> list[int]:
    found: list[int] = []

    def over() -> bool:
        found.append(site.replicas() or 0)
        return found[-1] == until and site.pods() == []

    site.until(over)
    return found


def test_a_new_image_replaces_the_idle_agents_first_and_the_busy_ones_when_they_are_done(
    conn: Session, owner_conn: Session, site: WarmSite
) -> None:
    size(owner_conn, warm_min=3, warm_max=3)
    site.until(lambda: site.is_ready(3))
    run_id = begin(conn, "a")
    site.until(lambda: len(site.started) == 1)
    (busy,) = [each for each in site.agents.values() if each.running]
    idle = {each.meta["name"] for each in site.agents.values()} - {busy.meta["name"]}
    size(owner_conn, warm_min=3, warm_max=3, warm_image="headway:2")
    site.until(lambda: busy.draining)
    assert set(site.deployments.removed[:2]) == idle
    site.turn(5)
    assert busy.running == {key(run_id, "a")}, "it ends what it has"
    later = begin(conn, "b")
    site.until(lambda: key(later, "b") in site.started)
    assert agent_of(site, key(later, "b")).image == "headway:2"
    end_all(site)
    site.until(lambda: {run_state(conn, each) for each in (run_id, later)} == {"success"})
    site.until(lambda: [each.image for each in site.agents.values()] == ["headway:2"] * 3)
    assert Counter(site.started) == {key(run_id, "a"): 1, key(later, "b"): 1}
    assert len(site.deployments.removed) == 3
    assert attempts(conn) == {"success": 2}


def agent_of(site: WarmSite, wanted: AttemptKey) -> WarmAgent:
    return site.running[wanted.run_id, wanted.task_id, wanted.map_index]
