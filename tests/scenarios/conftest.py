"""After every scenario the invariants of the simulator hold in its database."""

from collections.abc import Iterator

import pytest

from headway.agent.protocol import Hello
from headway.engine.scheduler import Scheduler
from headway.store.transact import Session
from tests.agent_tokens import SECRET
from tests.lending import Lent
from tests.simulation import invariants
from tests.simulation.line import Line
from tests.simulation.process import Process

# It writes by hand what no move leads to.
WRONG_ON_PURPOSE = {
    "test_a_model_that_is_not_the_database_is_never_written",
    "test_answers_are_those_of_airflow",
}


@pytest.fixture(autouse=True)
def invariants_hold(lent: Lent, request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if request.node.name in WRONG_ON_PURPOSE:
        return
    with lent.session() as conn:
        conn.prepare_threshold = (
            0  # planned once for many tests: to plan it costs forty times what it does
        )
        conn.execute("SET plan_cache_mode = force_generic_plan")
        assert invariants.check(conn) == []


@pytest.fixture
def line() -> Line:
    """The wire of an agent that has said who it is; the test speaks for it."""
    line = Line()
    line.tell(Hello("s1", "agent", SECRET, 4, 4, "host", 1, []))
    return line


@pytest.fixture
def scheduler(conn: Session, line: Line) -> Iterator[Scheduler]:
    """The real one, a round at a time; the agent knocks in its first."""
    process = Process(conn, print)
    process.start()
    process.listener.waiting.append(line)
    assert process.scheduler is not None
    yield process.scheduler
    process.die()
