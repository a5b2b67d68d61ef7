"""Whatever a task says of its end is stored, and costs its run nothing but that end."""

from typing import Any

import pytest
from psycopg import Connection

from headway.agent.protocol import Ended, Grants, Hello
from headway.engine.scheduler import Scheduler
from tests.agent_tokens import SECRET
from tests.scenarios.test_gateway import Peer, scheduler
from tests.scenarios.world import deploy, run_state, task, trigger, value

__all__ = ["scheduler"]

TEXTS = ["a\0b", "\\u0000 \\ud800", '{"kind": "granted", "pool": 1}', "x" * 50_000, "%s %(a)s {0}"]


@pytest.mark.parametrize("outcome", ["failed", "skipped", "lost"])
@pytest.mark.parametrize("text", TEXTS, ids=["nul", "escaped", "json", "long", "formats"])
def test_what_a_task_says_is_stored(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Any, text: str, outcome: Any
) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    agent = Peer(scheduler, f"{tmp_path}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello("s1", "local", SECRET, 4, 4, "host", 1, []))
    scheduler.serve()
    scheduler.tick()
    (grants,) = agent.of(Grants)
    (grant,) = grants.grants
    agent.say(Ended(1, grant.key, grant.token, outcome, "exception", text))
    for _ in range(4):
        scheduler.tick()
    assert run_state(conn, run_id) != "queued"
    assert value(conn, "SELECT set_aside FROM run") is None
    assert value(conn, "SELECT state FROM attempt ORDER BY number") not in ("queued", "running")
    assert len(str(value(conn, "SELECT detail FROM attempt ORDER BY number"))) <= 2_000
