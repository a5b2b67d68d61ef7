"""What a hostile or confused agent says at its connection costs this connection, and nobody else."""

from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.agent.protocol import Grants, Hello, Refused, Welcome
from headway.engine.scheduler import Scheduler
from tests.executors.test_credentials import greeted, scheduler, teams
from tests.scenarios.test_gateway import Peer
from tests.scenarios.world import states, trigger, value

__all__ = ["scheduler", "teams"]

LARGEST = 2**31 - 1


def hello(session: str, secret: str = "a", slots: int = 4, queues: tuple[str, ...] = ()) -> Hello:
    return Hello(session, "agent", secret, slots, 4, "host", 1, [], queues=queues or ("default",))


def connected(scheduler: Scheduler, folder: Path) -> Peer:
    agent = Peer(scheduler, f"{folder}/g.sock")
    scheduler.wait(1.0)
    return agent


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize("session", ["sa", "another"])
def test_who_says_hello_twice_is_no_place_for_attempts(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, session: str
) -> None:
    agent = greeted(scheduler, tmp_path, "a", "sa")
    agent.say(hello(session, "b"))
    scheduler.serve()
    (executor,) = scheduler.executors
    assert list(executor.sessions()) == []
    (run,) = trigger(conn, team_id=1)
    scheduler.tick()
    assert states(conn, run)["x"] == "ready"
    again = greeted(scheduler, tmp_path, "a", "sa")
    scheduler.tick()
    assert len(again.of(Grants)) == 1


@pytest.mark.usefixtures("teams")
def test_two_hellos_at_once_are_one_too_many(scheduler: Scheduler, tmp_path: Path) -> None:
    agent = connected(scheduler, tmp_path)
    agent.say(hello("one"))
    agent.say(hello("two", "b"))
    scheduler.serve()
    scheduler.serve()
    (executor,) = scheduler.executors
    assert len(agent.of(Welcome)) <= 1
    assert list(executor.sessions()) in ([], ["one"])
    assert all(link.team_id == 1 for link in executor.gateway.links.values())  # type: ignore[attr-defined]


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize("slots", [LARGEST, 0, -5])
def test_an_agent_of_any_size_stops_no_tick(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, slots: int
) -> None:
    greedy = connected(scheduler, tmp_path)
    greedy.say(hello("s1", slots=slots))
    other = connected(scheduler, tmp_path)
    other.say(hello("s2", slots=slots))
    scheduler.serve()
    of_b = greeted(scheduler, tmp_path, "b", "sb")
    trigger(conn, team_id=2)
    scheduler.tick()
    scheduler.tick()
    assert len(of_b.of(Grants)) == 1


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize(
    "queues",
    [
        ("a\0b",),
        ("x" * 100_000,),
        tuple(f"q{n}" for n in range(10_000)),
        ("",),
        ("a b; DROP TABLE run",),
    ],
    ids=["nul", "long", "many", "empty", "odd"],
)
def test_queues_that_no_task_can_name_are_refused(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, queues: tuple[str, ...]
) -> None:
    agent = connected(scheduler, tmp_path)
    agent.say(hello("s1", queues=queues))
    scheduler.serve()
    (refused,) = agent.of(Refused)
    assert not refused.again
    assert "queue" in refused.reason
    assert value(conn, "SELECT count(*) FROM agent_session") == 0
    assert len(greeted(scheduler, tmp_path, "a", "sa").of(Welcome)) == 1


@pytest.mark.usefixtures("teams")
def test_who_knows_the_session_of_another_team_does_not_keep_it_alive(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    of_a = greeted(scheduler, tmp_path, "a", "same")
    assert of_a.of(Welcome)
    of_a.sock.close()
    scheduler.wait(1.0)
    before = value(conn, "SELECT heartbeat_at FROM agent_session WHERE team_id = 1")
    of_b = greeted(scheduler, tmp_path, "b", "same")
    scheduler.tick()
    assert (of_b.of(Welcome), len(of_b.of(Refused))) == ([], 1)
    assert value(conn, "SELECT heartbeat_at FROM agent_session WHERE team_id = 1") == before
    assert value(conn, "SELECT count(*) FROM agent_session") == 1


DISABLED = "UPDATE person SET disabled_at = now() WHERE name = 'agents'"
LEFT = (
    "DELETE FROM membership WHERE person_id = (SELECT person_id FROM person WHERE name = 'agents')"
)
DEMOTED = "UPDATE membership SET role = 'viewer' WHERE person_id = (SELECT person_id FROM person WHERE name = 'agents')"


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize("end", [DISABLED, LEFT, DEMOTED], ids=["disabled", "left", "demoted"])
def test_a_token_ends_with_what_its_owner_may(
    scheduler: Scheduler, owner_conn: Connection[Any], tmp_path: Path, end: str
) -> None:
    agent = greeted(scheduler, tmp_path, "a", "s1")
    assert agent.of(Welcome)
    scheduler.sweep()
    assert agent.of(Refused) == []
    owner_conn.execute(end)
    scheduler.sweep()
    (refused,) = agent.of(Refused)
    assert not refused.again
    again = greeted(scheduler, tmp_path, "a", "s2")
    assert (again.of(Welcome), len(again.of(Refused))) == ([], 1)
