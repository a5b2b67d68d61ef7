"""Who knocks where agents do, without their secret, is not let in (XA5)."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from headway import clock
from headway.agent.protocol import Hello, Refused, Welcome
from headway.engine.scheduler import Scheduler
from headway.executors.agents.refusals import WINDOW_S, Refusals
from headway.store.transact import Session
from tests.agent_tokens import SECRET
from tests.simulation.line import Line
from tests.simulation.process import Process, one_round


@pytest.fixture
def process(conn: Session) -> Iterator[Process]:
    process = Process(conn, print)
    process.start()
    yield process
    process.die()


@pytest.mark.parametrize("secret", ["", "hwt_a-token-of-a-user", SECRET[:-1], SECRET + "x"])
def test_a_token_of_a_user_is_no_secret_of_an_agent(
    process: Process, conn: Session, owner_conn: Session, secret: str
) -> None:
    line = Line()
    line.tell(Hello("s1", "agent", secret, 4, 4, "host", 1, []))
    process.listener.waiting.append(line)
    scheduler = process.scheduler
    assert isinstance(scheduler, Scheduler)
    for _ in range(3):
        one_round(scheduler)
    heard = line.hear()
    assert not [each for each in heard if isinstance(each, Welcome)]
    assert all(isinstance(each, Refused) for each in heard)
    assert conn.execute("SELECT count(*) FROM agent_session").fetchone() == (0,)
    why = (
        "the agent's token is unknown, expired or revoked, or its owner is no longer an admin; "
        "to create one: headway token create NAME --agent"
    )
    entry = (1, "agent:agent", "agent", "agents.refuse", "host", "", why, "1")
    assert told(owner_conn) == [entry]


def told(conn: Session) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT team_id, actor, via, action, subject, address, detail->>'reason', detail->>'times'"
        " FROM audit ORDER BY seq"
    ).fetchall()


def test_a_crowd_is_few_entries(
    conn: Session, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(clock, "monotonic", lambda: now)

    def safely(step: Callable[[], object]) -> bool:
        if is_broken:
            return False
        step()
        return True

    host: Any = SimpleNamespace(conn=conn, safely=safely)
    refusals, hello = Refusals(host), Hello("s1", "agent", "x", 4, 4, "host", 1, [])
    is_broken = True
    refusals.note(hello, "10.0.0.1", "no token", None)  # counted, and not written
    is_broken = False
    for _ in range(3):
        refusals.note(hello, "10.0.0.1", "no token", None)
    refusals.note(hello, "10.0.0.1", "no pod", None)
    assert [times for *_, times in told(owner_conn)] == ["2", "1"]
    now += WINDOW_S
    refusals.note(hello, "10.0.0.1", "no token", 1)  # of a team that is known: another kind
    refusals.note(hello, "10.0.0.1", "no token", None)
    assert [times for *_, times in told(owner_conn)] == ["2", "1", "1", "3"]
