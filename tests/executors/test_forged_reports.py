"""Ends that an agent reports (XC1, XC2, XC3, XC7, XC8): taken once, with the token of the live attempt.

What is not taken changes no row, and its agent is told nothing but that it came. There is no entry in the audit: each
lost lease leaves such reports behind, and nothing tells a forged one from a late one.
"""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from psycopg import Connection

from headway.actions import commands
from headway.agent.protocol import Ack, Deferral, Ended, Grant, Grants, XComValue
from headway.engine.scheduler import Scheduler
from headway.executors.agents.flaws import flaw_of_json
from headway.store import reports
from headway.store.transact import transact
from tests.leaks.world import rows_of
from tests.scenarios.test_deliveries import greeted
from tests.scenarios.test_gateway import Peer, scheduler
from tests.scenarios.world import ANN, deploy, run_state, states, task, trigger, value

__all__ = ["scheduler"]

RESULT = XComValue("return_value", b"1", None, 1)
STORED_NOWHERE = {
    "is not UTF-8": XComValue("return_value", b'"\xff"', None, 3),
    "is not JSON": XComValue("return_value", b"{", None, 1),
    "is nested too deep": XComValue("return_value", b"[" * 20_000 + b"]" * 20_000, None, 40_000),
    "outside of a file": XComValue("return_value", b"1" * 70_000, None, 70_000),
    "neither a value nor a file": XComValue("return_value", None, None, 1),
    "both a value and a file": XComValue("return_value", b"1", "xcom/r/x/-1-1.json", 1),
    "has a size of -1 bytes": XComValue("return_value", b"1", None, -1),
    "has a length of -1": XComValue("return_value", b"[]", None, 2, -1),
    "a key of 3,000 characters": XComValue("k" * 3_000, b"1", None, 1),
    "not in the folder of its run": XComValue("return_value", None, "xcom/other/x/-1-1.json", 1),
    "NUL": XComValue("a\0b", b"1", None, 1),
}


def granted(scheduler: Scheduler, agent: Peer) -> list[Grant]:
    scheduler.tick()
    scheduler.sweep()
    return [grant for message in agent.of(Grants) for grant in message.grants]


def settle(scheduler: Scheduler) -> None:
    for _ in range(3):
        scheduler.tick()


def rows(conn: Connection[Any]) -> dict[str, str]:
    """The rows of the team, without those by which a scheduler and its agents know of each other."""
    found = rows_of(conn, 1)
    for table in ("agent_session", "api_token", "report"):
        found.pop(table, None)
    return found


def test_an_end_needs_the_token_of_its_own_attempt(
    scheduler: Scheduler, conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x"), task("y"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    one, other = sorted(granted(scheduler, agent), key=lambda grant: grant.key.task_id)
    settle(scheduler)
    agent.listen()
    before, heard = rows(owner_conn), len(agent.heard)
    forged = [(one.key, token) for token in (other.token, "", "guessed", one.token[:-1])]
    forged += [(replace(one.key, run_id="nobodys"), one.token), (replace(one.key, number=7), "x")]
    for seq, (key, token) in enumerate(forged, 1):
        agent.say(Ended(seq, key, token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert rows(owner_conn) == before
    agent.listen()
    told = agent.heard[heard:]
    assert told
    assert {type(each) for each in told} == {Ack}
    agent.say(Ended(9, one.key, one.token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert states(conn, run_id)["x"] == "success"
    assert value(conn, "SELECT count(*) FROM xcom") == 1


def test_an_end_is_one_event_however_often_and_late_it_comes(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x"), task("y", "x"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (grant,) = granted(scheduler, agent)
    end = Ended(1, grant.key, grant.token, "success", "", xcoms=[RESULT])
    agent.say(end)
    settle(scheduler)
    told = value(conn, "SELECT count(*) FROM event WHERE task_id = 'x'")
    for number in range(100):
        agent.say(replace(end, seq=1 + number % 3))
        agent.say(replace(end, seq=2, outcome="failed", xcoms=[]))
    settle(scheduler)
    assert states(conn, run_id)["x"] == "success"
    assert value(conn, "SELECT count(*) FROM event WHERE task_id = 'x'") == told
    assert value(conn, "SELECT value::text FROM xcom") == "1"


def test_the_token_of_the_attempt_before_ends_nothing(
    scheduler: Scheduler, conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x", retries=1, retry_delay_s=0.0))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (first,) = granted(scheduler, agent)
    agent.say(Ended(1, first.key, first.token, "failed", "exception"))
    second = first
    while (
        second.key == first.key
    ):  # it is ready for its retry at an instant of the database's clock
        second = granted(scheduler, agent)[-1]
    settle(scheduler)
    before = rows(owner_conn)
    agent.say(Ended(2, first.key, first.token, "success", "", xcoms=[RESULT]))
    agent.say(Ended(3, second.key, first.token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert rows(owner_conn) == before
    agent.say(Ended(4, second.key, second.token, "success", ""))
    settle(scheduler)
    assert states(conn, run_id)["x"] == "success"


def test_a_cancelled_run_does_not_succeed_afterwards(
    scheduler: Scheduler, conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x"), task("y", "x"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (grant,) = granted(scheduler, agent)
    transact(conn, commands.cancel, 1, run_id, scheduler.ticker.catalog.graph, ANN)
    agent.say(Ended(1, grant.key, grant.token, "cancelled", "cancelled"))
    settle(scheduler)
    assert states(conn, run_id) == {"x": "cancelled", "y": "cancelled"}
    assert run_state(conn, run_id) == "cancelled"
    before = rows(owner_conn)
    agent.say(Ended(2, grant.key, grant.token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    assert rows(owner_conn) == before


def test_a_result_that_cannot_be_stored_fails_its_attempt_and_no_tick(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deploy(conn, *[task(f"x{number}") for number in range(len(STORED_NOWHERE))], task("well"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path, slots=32)
    given = {grant.key.task_id: grant for grant in granted(scheduler, agent)}
    said = {f"x{number}": each for number, each in enumerate(STORED_NOWHERE.items())}
    for seq, (task_id, (_, xcom)) in enumerate(said.items(), 1):
        grant = given[task_id]
        agent.say(Ended(seq, grant.key, grant.token, "success", "", xcoms=[xcom]))
    agent.say(Ended(99, given["well"].key, given["well"].token, "success", "", xcoms=[RESULT]))
    settle(scheduler)
    details = dict(conn.execute("SELECT task_id, detail FROM attempt").fetchall())
    assert [task_id for task_id, (why, _) in said.items() if why not in details[task_id]] == []
    assert states(conn, run_id) == {**dict.fromkeys(said, "failed"), "well": "success"}
    assert value(conn, "SELECT count(*) FROM xcom") == 1
    assert "a tick failed" not in caplog.text


def test_a_report_in_the_inbox_that_cannot_be_read_costs_itself(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("x"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (grant,) = granted(scheduler, agent)
    transact(conn, reports.put, [(1, run_id, body) for body in (b"", b"\xc1", b"\x91\xa1x")])
    agent.say(Ended(1, grant.key, grant.token, "success", ""))
    settle(scheduler)
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM report") == 0


@pytest.mark.parametrize("facts", [b"{", b"[]", b"[" * 20_000, b'{"a": "\xff"}'])
def test_a_wait_that_cannot_be_read_fails_its_attempt(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, facts: bytes
) -> None:
    deploy(conn, task("x"))
    (run_id,) = trigger(conn)
    agent = greeted(scheduler, tmp_path)
    (grant,) = granted(scheduler, agent)
    wait = Deferral("time", facts, delay_s=1.0)
    agent.say(Ended(1, grant.key, grant.token, "deferred", "", deferral=wait))
    settle(scheduler)
    assert states(conn, run_id)["x"] == "failed"


def test_the_check_of_json_is_that_of_the_database(conn: Connection[Any]) -> None:
    """What it lets through, PostgreSQL takes; it refuses a little more: what no task of ours can read."""
    texts = [
        b"1", b"-0", b"1e999", b"01", b"1.", b"+1", b"NaN", b'"\x7f"', b'"\x01"', b'"\\u0000"', b'"\\ud800"',
        b" [1 ,2]", b"[1,]", b"{'a': 1}", b'{"a":1}', b"\xef\xbb\xbf1", b"", b"tru", b'"a', b"[" * 900 + b"]" * 900,
    ]  # fmt: skip
    for text in texts:
        if flaw_of_json(text) is None:
            conn.execute("SELECT %s::json", [text.decode()])
    assert [text for text in texts if flaw_of_json(text) is None] == [
        b"1", b"-0", b"1e999", b'"\x7f"', b'"\\u0000"', b" [1 ,2]", b'{"a":1}', b"[" * 900 + b"]" * 900,
    ]  # fmt: skip
