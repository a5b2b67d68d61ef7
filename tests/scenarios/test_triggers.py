"""Waits that triggerers look after, in the database: who holds them, who takes over, and when they are over."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from headway.actions import commands
from headway.agent import protocol
from headway.agent.protocol import FENCE_S, AttemptKey, Deferral
from headway.core.commands import Selection
from headway.executors.agents import translate
from headway.executors.agents.handing import SILENCE
from headway.executors.base import Envelope
from headway.store import triggers
from headway.store.claims import Claim
from headway.store.transact import Session, transact
from headway.store.triggers import Held, Look
from tests.scenarios.test_deferrals import deferred, told
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    run_state,
    states,
    task,
    trigger,
    value,
)

FACTS = {"trigger": "flow:arrives", "what": "file /data/x.csv", "kwargs": {"path": "/data/x.csv"}}
WAIT = Deferral("trigger", msgspec.json.encode(FACTS), method="finish")


def claim(scheduler: Scheduler, *queues: str, session: str | None = None) -> list[Held]:
    holder, given = session or scheduler.session, list(queues or ("default",))
    asked = Claim(1, holder, given, 10, scheduler.now, SILENCE)
    return transact(scheduler.conn, triggers.claim, asked)


def free(scheduler: Scheduler) -> int:
    return transact(scheduler.conn, triggers.free, scheduler.now, SILENCE)


def found(run_id: str, deferrals: int = 1, **values: Any) -> Envelope:
    message = protocol.Found(AttemptKey(run_id, "a", -1, 1, deferrals), **values)
    return Envelope(1, run_id, translate.report(message), msgspec.msgpack.encode(message))


def test_one_session_holds_a_wait_and_another_takes_over(conn: Session) -> None:
    scheduler, run_id = deferred(conn, WAIT)
    assert claim(scheduler, "gpu") == []  # its task is of another queue
    (held,) = claim(scheduler)
    assert (held.run_id, held.task_id, held.attempt, held.deferrals) == (run_id, "a", 1, 1)
    assert msgspec.json.decode(held.facts)["kwargs"] == {"path": "/data/x.csv"}
    assert (claim(scheduler), free(scheduler)) == ([], 0)
    assert transact(conn, triggers.held, scheduler.session) == [held]
    silent = scheduler.session
    scheduler.later(FENCE_S + 1)  # its lease is not over, but it has ended what it looked after
    other = Scheduler(conn)
    other.offset = scheduler.offset
    conn.execute(
        "UPDATE agent_session SET heartbeat_at = %s WHERE session_id = %s",
        [other.now, other.session],
    )
    assert claim(other, session=silent) == []  # it gets nothing any more
    assert free(other) == 1
    assert claim(other) == [held]
    assert transact(conn, triggers.count, [silent]) == {}
    assert transact(conn, triggers.any_open)


def test_what_is_found_ends_it_once(conn: Session) -> None:
    scheduler, run_id = deferred(conn, WAIT)
    claim(scheduler)
    scheduler.tick(found(run_id, deferrals=2, found=b"1"))  # of another wait
    assert states(conn, run_id) == {"a": "deferred"}
    scheduler.tick(found(run_id, found=b'["/data/x.csv"]'))
    grant = told(scheduler)
    resumed = translate.grant(grant.run, grant.instance, grant.attempt, "t").resumed
    assert resumed is not None
    assert (resumed.method, resumed.found) == ("finish", b'["/data/x.csv"]')
    assert not transact(conn, triggers.any_open)
    scheduler.tick(found(run_id, found=b"[]"), *scheduler.work())
    assert run_state(conn, run_id) == "success"


def test_a_trigger_that_raises_fails_the_attempt(conn: Session) -> None:
    scheduler, run_id = deferred(conn, WAIT)
    claim(scheduler)
    scheduler.tick(found(run_id, error="ValueError: no flights"))
    cause = "SELECT cause || ': ' || detail FROM attempt"
    assert value(conn, cause) == "wait_failed: ValueError: no flights"
    assert states(conn, run_id) == {"a": "up_for_retry"}
    assert not transact(conn, triggers.any_open)


def test_a_person_ends_what_is_held(conn: Session) -> None:
    """Who holds it sees that it holds fewer waits than it looks after."""
    scheduler, run_id = deferred(conn, WAIT)
    (held,) = claim(scheduler)
    transact(
        conn, commands.clear, 1, run_id, Selection(tasks=frozenset({"a"})), graphs(scheduler), ANN
    )
    scheduler.tick()
    assert transact(conn, triggers.count, [scheduler.session]) == {}
    scheduler.tick(found(held.run_id, found=b"1"))
    assert states(conn, run_id)["a"] in ("ready", "queued")


def test_looks_are_noted_by_who_holds_the_wait(conn: Session) -> None:
    scheduler, run_id = deferred(conn, WAIT)
    claim(scheduler)
    look = Look(run_id, "a", -1, 1, 1, 7, 1.0, 5.0, "nothing yet\0")

    transact(conn, triggers.note, 1, "another", [look], scheduler.now)
    query = "SELECT looks, looks_at - looked_at, note FROM wait"
    assert conn.execute(query).fetchone() == (0, None, None)
    transact(conn, triggers.note, 1, scheduler.session, [look], scheduler.now)
    assert conn.execute(query).fetchone() == (7, timedelta(seconds=5), "nothing yet\u2400")


@pytest.mark.parametrize(
    "facts",
    [
        b'{"what": "x"}',
        b'{"trigger": "a\\u0000:b", "what": "x"}',
        b'{"trigger": "a:b", "what": "x", "kwargs": [1]}',
        b'{"trigger": "a:b", "what": "x", "kwargs": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    ],
)
def test_facts_that_cannot_be_carried_fail_the_task(conn: Session, facts: bytes) -> None:
    deploy(conn, task("a", retries=1))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    wait = Deferral("trigger", facts)
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "deferred", "deferral": wait}))
    assert states(conn, run_id) == {"a": "failed"}
    assert value(conn, "SELECT cause FROM attempt") == "deferral"
