"""Why tasks wait is told as it is now, not as it was when they were passed over; what can never run stands apart."""

from typing import Any, LiteralString

import pytest

from headway.client import Client
from headway.core.reasons import (
    AgentsFull,
    ExecutorUnknown,
    NoAgent,
    PoolEmpty,
    PoolFull,
    PoolMissing,
    PoolTooSmall,
    PoolTurn,
    QueueUnserved,
    Reason,
)
from headway.store.transact import Session
from tests.scenarios.world import Scheduler, deploy, task, trigger

SIZE: LiteralString = "UPDATE pool SET slots = {} WHERE name = 'default'"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("SELECT 1", PoolFull("default", 1, 1)),
        (SIZE.format("2"), PoolTurn("default")),
        (SIZE.format("0"), PoolEmpty("default")),
        (f"{SIZE.format('9')}; UPDATE agent_session SET slots = 1", AgentsFull(("local",))),
        (f"{SIZE.format('9')}; UPDATE agent_session SET ended_at = now()", NoAgent()),
        (
            f"{SIZE.format('9')}; UPDATE agent_session SET queues = '{{gpu}}'",
            QueueUnserved("default"),
        ),
    ],
)
def test_a_reason_is_that_of_now(
    client: Client, conn: Session, change: LiteralString, reason: Reason
) -> None:
    deploy(conn, task("a"), task("b"))
    conn.execute(SIZE.format("1"))
    (run_id,) = trigger(conn)
    Scheduler(conn).tick()
    with conn.transaction():
        conn.execute(change)
    (waits,) = [each for each in client.tasks(run_id) if each.counts == {"ready": 1}]
    assert waits.why == reason
    assert waits.waits_since is not None
    (instance,) = client.instances(run_id, state="ready")
    assert instance.why == reason
    assert client.instance(run_id, waits.task_id, -1).why == reason
    (pool,) = [each for each in client.slots().pools if each.name == "default"]
    assert [(part.why, part.count) for part in pool.queue] == [(reason, 1)]


@pytest.mark.parametrize(
    ("options", "change", "reason", "is_said_at_once"),
    [
        ({"pool": "gpu"}, "SELECT 1", PoolMissing("gpu"), True),
        ({"pool_slots": 20}, SIZE.format("8"), PoolTooSmall("default", 20, 8), True),
        ({"executor": "lambda"}, "SELECT 1", ExecutorUnknown("lambda", ("agents",)), True),
        ({"queue": "gpu"}, "SELECT 1", QueueUnserved("gpu"), False),
        ({}, "UPDATE agent_session SET ended_at = now()", NoAgent(), False),
        ({}, "SELECT 1", None, False),
    ],
)
def test_what_can_never_run_is_told_apart(
    client: Client,
    conn: Session,
    options: dict[str, Any],
    change: LiteralString,
    reason: Reason | None,
    is_said_at_once: bool,
) -> None:
    deploy(conn, task("a", **options))
    scheduler = Scheduler(conn)
    conn.execute(change)
    (run_id,) = trigger(conn)
    scheduler.tick()
    at_once = [each.why for each in client.overview().stuck]
    assert at_once == ([reason] if is_said_at_once else [])  # an agent may come at any moment
    conn.execute("UPDATE task_instance SET ready_at = now() - interval '1 m' WHERE task_id = 'a'")
    stuck = client.overview().stuck
    assert stuck == client.slots().stuck
    told = [(each.run_id, each.task_id, each.count, each.why) for each in stuck]
    assert told == ([] if reason is None else [(run_id, "a", 1, reason)])
