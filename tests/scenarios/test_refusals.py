"""What is refused whoever asks for it."""

from datetime import timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import Connection

from headway.actions import commands
from headway.agent.protocol import LEASE_S
from headway.core.reasons import PoolEmpty, PoolFull, PoolMissing, Reason, TooManyTasks
from headway.core.stored_reasons import stored
from headway.errors import Conflict
from headway.store import limits, sessions
from headway.store.clock import clock
from headway.store.transact import transact
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    run_state,
    task,
    trigger,
    value,
)


def test_the_database_refuses_a_second_live_attempt(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    trigger(conn)
    scheduler.tick()
    again: LiteralString = """
        INSERT INTO attempt (team_id, run_id, task_id, map_index, number, session_id, token, queued_at)
        SELECT team_id, run_id, task_id, map_index, 2, session_id, 'x', queued_at FROM attempt
    """
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_open_attempt"):
        conn.execute(again)


def test_a_hundred_triggers_with_one_key_are_one_run(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    first = {trigger(conn, "d", "webhook 7")[0] for _ in range(50)}
    scheduler.play()
    late = {trigger(conn, "d", "webhook 7")[0] for _ in range(50)}
    assert first == late
    assert value(conn, "SELECT count(*) FROM run") == 1
    assert run_state(conn, *first) == "success"


def test_a_pool_that_shrank_starts_nothing_until_enough_has_ended(conn: Connection[Any]) -> None:
    deploy(conn, *(task(name, pool="etl") for name in "abcd"))
    commands_of = {"actor": ANN}
    transact(conn, commands.resize_pool, 1, "etl", 2, **commands_of)
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    two = scheduler.tick().grants
    assert len(two) == 2
    transact(conn, commands.resize_pool, 1, "etl", 1, **commands_of)
    assert not scheduler.tick(scheduler.end(two[0])).grants
    with pytest.raises(Conflict):
        transact(conn, commands.delete_pool, 1, "etl", **commands_of)
    assert len(scheduler.tick(scheduler.end(two[1])).grants) == 1
    transact(conn, commands.resize_pool, 1, "etl", 0, **commands_of)
    assert not scheduler.tick(*scheduler.work()).grants
    assert (
        value(conn, "SELECT blocked_reason ->> 'kind' FROM task_instance WHERE state = 'ready'")
        == "pool_empty"
    )
    transact(conn, commands.resize_pool, 1, "etl", 5, **commands_of)
    scheduler.play()
    assert run_state(conn, run_id) == "success"


def test_why_it_waits_is_said_anew_when_its_pool_is_another(conn: Connection[Any]) -> None:
    deploy(conn, task("a", pool="etl"), task("b", pool="etl"))
    scheduler = Scheduler(conn)

    def why_after(slots: int | None) -> list[Reason]:
        if slots is None:
            transact(conn, commands.delete_pool, 1, "etl", actor=ANN)
        else:
            transact(conn, commands.resize_pool, 1, "etl", slots, actor=ANN)
        scheduler.tick()
        found = conn.execute("SELECT blocked_reason::text FROM task_instance WHERE state = 'ready'")
        return [stored(reason) for (reason,) in found]

    trigger(conn)
    scheduler.tick()
    assert why_after(0) == [PoolEmpty("etl")] * 2
    assert why_after(None) == [PoolMissing("etl")] * 2
    assert why_after(1) == [PoolFull("etl", 1, 1)]
    assert why_after(0) == [PoolEmpty("etl")]
    assert why_after(2) == []  # it runs


def test_a_heartbeat_that_comes_after_the_lease_brings_nothing_back(conn: Connection[Any]) -> None:
    scheduler = Scheduler(conn)
    lease = timedelta(seconds=LEASE_S)
    late = {scheduler.session: 0}
    assert transact(conn, sessions.renew, late, scheduler.now, lease) == {scheduler.session: None}
    scheduler.later(LEASE_S + 1)
    assert transact(conn, sessions.renew, late, scheduler.now, lease) == {}
    assert scheduler.expire() == [scheduler.session]
    assert transact(conn, sessions.renew, late, transact(conn, clock), lease) == {}


def test_a_run_with_more_tasks_than_its_team_may_have_fails_with_the_reason(
    conn: Connection[Any],
) -> None:
    deploy(conn, *(task(name) for name in "abc"))
    scheduler = Scheduler(conn)
    conn.execute("""UPDATE team SET limits = '{"run_tasks": 2}'""")
    (large,) = trigger(conn)
    scheduler.play()
    assert run_state(conn, large) == "failed"
    why = stored(value(conn, "SELECT reason::text FROM run WHERE run_id = %s", large))
    assert why == TooManyTasks(3, 2)
    assert value(conn, "SELECT count(*) FROM task_instance") == 0
    conn.execute("""UPDATE team SET limits = '{"run_tasks": 3}'""")
    (fits,) = trigger(conn)
    scheduler.tick()
    assert limits.run_tasks(conn, 1) == 3
    scheduler.play()
    assert run_state(conn, fits) == "success"
