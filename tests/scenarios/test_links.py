"""The real scheduler and its gateway on a line in memory: what an agent is sent, and how many
places it seems to have.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from headway.actions import commands
from headway.agent.protocol import (
    AttemptKey,
    Cancel,
    Ended,
    GatewayMessage,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    XComValue,
)
from headway.core.commands import Selection
from headway.engine.catalog import Catalog
from headway.executors.agents import gateway
from headway.store.transact import Session, transact
from tests.agent_tokens import SECRET
from tests.scenarios.test_watchers import watched
from tests.scenarios.world import ANN, deploy, states, task, trigger
from tests.simulation.line import Line
from tests.simulation.process import Process, gateway_of, one_round

LIST = XComValue("return_value", b"[1, 2]", None, 6, 2)


@pytest.fixture
def process(conn: Session) -> Iterator[Process]:
    process = Process(conn, print)
    process.start()
    yield process
    process.die()


def connect(process: Process, held: list[AttemptKey], session: str = "s1") -> Line:
    line = Line()
    process.listener.waiting.append(line)
    line.tell(Hello(session, "agent", SECRET, 4, 4, "host", 1, held, watchers=[]))
    return line


def heard(process: Process, line: Line, rounds: int = 2) -> list[GatewayMessage]:
    assert process.scheduler is not None
    for _ in range(rounds):
        one_round(process.scheduler)
    return line.hear()


def grants_in(messages: list[GatewayMessage]) -> Grants:
    (found,) = [message for message in messages if isinstance(message, Grants)]
    return found


def test_an_end_that_no_tick_has_taken_yet_costs_no_place(
    conn: Connection[Any], process: Process
) -> None:
    """Once a second all that is bound and not held is sent again: not what has just ended."""
    deploy(conn, task("a"))
    line = connect(process, [])
    trigger(conn)
    (grant,) = grants_in(heard(process, line)).grants
    line.tell(Ended(1, grant.key, grant.token, "success", ""))
    assert process.scheduler is not None
    process.scheduler.wait(0.0)
    process.scheduler.sweep()
    process.scheduler.tick()
    (link,) = gateway_of(process.scheduler).links.values()
    assert link.held == set()
    assert not [message for message in line.hear() if isinstance(message, Grants)]
    assert states(conn, grant.key.run_id) == {"a": "success"}


def test_what_is_not_wanted_any_more_is_cancelled_before_it_is_sent(
    conn: Connection[Any], process: Process
) -> None:
    """The agent was away when it was granted; meanwhile its list was cleared."""
    deploy(conn, task("a"), task("b", over="a"))
    line = connect(process, [])
    (run_id,) = trigger(conn)
    (a,) = grants_in(heard(process, line)).grants
    line.tell(Ended(1, a.key, a.token, "success", "", xcoms=[LIST]))
    assert len(grants_in(heard(process, line)).grants) == 2
    line.hang_up()
    chosen = Selection(tasks=frozenset({"a"}))
    transact(conn, commands.clear, 1, run_id, chosen, Catalog(conn).graph, ANN)
    messages = heard(process, line := connect(process, []))
    unwanted = {AttemptKey(run_id, "b", index, 1) for index in (0, 1)}
    cancelled = next(n for n, one in enumerate(messages) if isinstance(one, Cancel))
    granted = [n for n, one in enumerate(messages) if isinstance(one, Grants)]
    assert set(messages[cancelled].keys) == unwanted  # type: ignore[union-attr]
    assert cancelled < min(granted)
    assert states(conn, run_id)["a"] in ("ready", "queued")


def test_a_sweep_asks_as_little_for_many_agents_as_for_one(
    conn: Session, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All beat, as they do every few seconds; what is bound to them, and what they look out for, is read at once.

    What a sweep does now and then may come in either.
    """
    watched(conn, "orders", "customers")
    asked: Counter[str] = Counter()
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *given: Any, **options: Any) -> Any:
        asked[str(query)] += 1
        return execute(self, query, *given, **options)

    def of_a_sweep(lines: list[Line]) -> Counter[str]:
        assert process.scheduler is not None
        heard(process, lines[0], rounds=2 * len(lines))  # one connection is accepted in a round
        process.scheduler.sweep()  # hands out what is free
        for line in lines:
            line.tell(Heartbeat(1))
        process.scheduler.wait(0.0)
        asked.clear()
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Cursor, "execute", counted)
            process.scheduler.sweep()
        assert all(HeartbeatAck(1) in line.hear() for line in lines)
        return asked.copy()

    lines = [connect(process, [])]
    of_one = of_a_sweep(lines)
    lines += [connect(process, [], f"s{number}") for number in range(2, 40)]
    assert {
        query for query, times in of_a_sweep(lines).items() if times > max(1, of_one[query])
    } == set()


def test_where_agents_are_very_many_each_is_compared_in_its_turn(
    conn: Connection[Any], process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "LOOKED_AT_MAX", 2)
    lost = AttemptKey("nothing", "a", -1, 1)
    lines = [connect(process, [lost], f"s{number}") for number in range(5)]
    assert process.scheduler is not None
    heard(process, lines[0], rounds=2 * len(lines))
    compared = gateway_of(process.scheduler).next_to_look_at
    sessions = [[link.session for link in compared()] for _ in range(6)]
    assert [len(each) for each in sessions] in (
        [2, 2, 1, 2, 2, 1],
        [1, 2, 2, 1, 2, 2],
        [2, 1, 2, 2, 1, 2],
    )
    assert {s for each in sessions[:3] for s in each} == {f"s{number}" for number in range(5)}
