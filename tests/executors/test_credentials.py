"""An agent works for the team of its own credential, whatever it says, and for as long as that is good."""

from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.agent.protocol import (
    Ended,
    Fetch,
    Grants,
    Hello,
    Refused,
    Values,
    Welcome,
    XComRef,
    XComValue,
)
from headway.engine.scheduler import Scheduler
from tests.agent_tokens import let_in
from tests.leaks.world import rows_of
from tests.scenarios.test_gateway import Peer, scheduler
from tests.scenarios.world import deploy, run_state, states, task, trigger, value

__all__ = ["scheduler"]

REVOKE = "UPDATE api_token SET revoked_at = now() WHERE token_id = 'of-b'"
LAPSE = "UPDATE membership SET lapses_at = '-infinity' WHERE team_id = 2"


@pytest.fixture
def teams(conn: Connection[Any], owner_conn: Connection[Any]) -> None:
    """Two teams with the same DAG, and a token of agents for each: ``a`` and ``b``."""
    owner_conn.execute("INSERT INTO team OVERRIDING SYSTEM VALUE VALUES (2, 'two')")
    owner_conn.execute("INSERT INTO pool VALUES (2, 'default', 16) ON CONFLICT DO NOTHING")
    for team_id, secret in ((1, "a"), (2, "b")):
        let_in(conn, team_id, secret)
        deploy(conn, task("x"), task("y", "x"), team_id=team_id)


def greeted(scheduler: Scheduler, folder: Path, secret: str, session: str) -> Peer:
    agent = Peer(scheduler, f"{folder}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello(session, "agent", secret, 4, 4, "host", 1, []))
    scheduler.serve()
    return agent


@pytest.mark.usefixtures("teams")
def test_an_agent_has_no_part_in_another_team(
    scheduler: Scheduler, conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_a,) = trigger(conn, team_id=1)
    (run_b,) = trigger(conn, team_id=2)
    of_b = greeted(scheduler, tmp_path, "b", "sb")
    assert of_b.of(Welcome)
    assert value(conn, "SELECT team_id FROM agent_session") == 2
    scheduler.tick()
    scheduler.sweep()
    (grants,) = of_b.of(Grants)
    assert [run.run_id for run in grants.runs] == [run_b]
    assert states(conn, run_a)["x"] == "ready"
    of_a = greeted(scheduler, tmp_path, "a", "sa")
    scheduler.tick()
    (of_team_a,) = of_a.of(Grants)
    (grant,) = of_team_a.grants
    # Neither the end of an attempt of the other team, even with its token, nor its results.
    result = [XComValue("return_value", b"1", None, 1)]
    before = rows_of(owner_conn, 1)
    of_b.say(Ended(1, grant.key, grant.token, "success", "", xcoms=result))
    scheduler.tick()
    scheduler.tick()
    assert rows_of(owner_conn, 1) == before
    of_a.say(Ended(1, grant.key, grant.token, "success", "", xcoms=result))
    scheduler.tick()
    assert states(conn, run_a)["x"] == "success"
    of_b.say(Fetch(1, run_a, [XComRef("x")]))
    of_b.say(Fetch(1, "nobodys", [XComRef("x")]))
    of_a.say(Fetch(1, run_a, [XComRef("x")]))
    scheduler.serve()
    (answer_b, of_nobody), (answer_a,) = of_b.of(Values), of_a.of(Values)
    assert answer_b == of_nobody
    assert (answer_b.values, len(answer_a.values)) == ([], 1)


@pytest.mark.usefixtures("teams")
def test_a_session_of_one_team_is_not_taken_over_by_another(
    scheduler: Scheduler, conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_a,) = trigger(conn, team_id=1)
    of_a = greeted(scheduler, tmp_path, "a", "same")
    scheduler.tick()
    assert len(of_a.of(Grants)) == 1
    before = rows_of(owner_conn, 1)
    of_b = greeted(scheduler, tmp_path, "b", "same")
    scheduler.sweep()
    assert of_b.of(Grants) == []
    assert rows_of(owner_conn, 1) == before
    assert states(conn, run_a)["x"] in ("queued", "running")
    told = owner_conn.execute("SELECT team_id, actor, action, detail->>'reason' FROM audit")
    why = "the session belongs to another team"
    assert told.fetchall() == [(2, "agent:agent", "agents.refuse", why)]
    assert of_a.of(Refused) == []
    assert len(of_b.of(Refused)) == 1


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize("over", [REVOKE, LAPSE], ids=["revoked", "role lapsed"])
def test_a_token_that_is_over_disconnects_and_lets_nobody_in(
    scheduler: Scheduler,
    conn: Connection[Any],
    owner_conn: Connection[Any],
    tmp_path: Path,
    over: str,
) -> None:
    of_a, of_b = (greeted(scheduler, tmp_path, each, f"s{each}") for each in "ab")
    owner_conn.execute(over.encode())
    scheduler.sweep()
    (refused,) = of_b.of(Refused)
    assert not refused.again
    assert of_a.of(Refused) == []
    (run_b,) = trigger(conn, team_id=2)
    scheduler.tick()
    assert run_state(conn, run_b) == "running"
    assert value(conn, "SELECT count(*) FROM attempt") == 0
    again = greeted(scheduler, tmp_path, "b", "s3")
    (refused,) = again.of(Refused)
    assert not refused.again
    assert list(scheduler.executors[0].sessions()) == ["sa"]
