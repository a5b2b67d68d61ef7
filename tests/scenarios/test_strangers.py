"""Who knocks where agents do, without their secret, is not let in (XA5)."""

from collections.abc import Iterator

import pytest

from headway.agent.protocol import Hello, Refused, Welcome
from headway.engine.scheduler import Scheduler
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
    process: Process, conn: Session, secret: str
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
