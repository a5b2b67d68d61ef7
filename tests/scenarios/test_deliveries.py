"""What is sent to an agent: whole, in frames that it takes, and never more than it can be believed to know."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway import clock
from headway.agent.protocol import (
    LEASE_S,
    AttemptKey,
    Ended,
    Fetch,
    Grant,
    Grants,
    Hello,
    RunContext,
    Values,
    Welcome,
    XComRef,
    XComValue,
)
from headway.clock import Clock
from headway.engine.scheduler import Scheduler
from headway.executors.agents import gateway
from headway.spec import model
from headway.store import xcoms
from tests.agent_tokens import SECRET
from tests.scenarios import world
from tests.scenarios.test_gateway import Peer, scheduler
from tests.scenarios.world import START_DATE, deploy, task, trigger
from tests.simulation.process import gateway_of

__all__ = ["scheduler"]


def test_a_context_goes_with_each_grant_and_its_parameters_are_the_text_that_is_stored(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    param = model.Param(name="n", type="any", default=None)
    deploy(conn, model.Task(task_id="a"), task("b", "a"), params=(param,))
    given = {"n": [2**53 + 1, 1e22, 0.1, -0.0, "\u2028</script>", None]}
    trigger(conn, params=given)
    agent = greeted(scheduler, tmp_path)
    scheduler.tick()
    (first,) = agent.of(Grants)
    agent.say(Ended(1, first.grants[0].key, first.grants[0].token, "success", ""))
    scheduler.tick()
    second = agent.of(Grants)[1]
    assert first.runs == second.runs
    assert repr(msgspec.json.decode(first.runs[0].params)) == repr(given)
    assert (first.changed, second.changed) == ([first.runs[0].run_id], [])
    assert list(gateway_of(scheduler).links["s1"].known) == [first.runs[0].run_id]


def test_what_a_gateway_knows_of_an_agent_is_bounded(
    scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "RUNS_KNOWN_MAX", 10)
    agent = greeted(scheduler, tmp_path)
    for number in (*range(20), 19, 5):
        grant = Grant(AttemptKey(f"r{number}", "a", -1, number), "t", "python", [])
        gateway_of(scheduler).deliver("s1", context(f"r{number}"), [grant])
    assert len(gateway_of(scheduler).links["s1"].known) == 10
    changed = [message.changed for message in agent.of(Grants)]
    assert changed == [*([f"r{number}"] for number in range(20)), [], ["r5"]]


class Stopwatch(Clock):
    def __init__(self) -> None:
        self.elapsed = clock.monotonic()

    def monotonic(self) -> float:
        return self.elapsed


def test_an_agent_that_reads_slowly_is_not_cut_off_and_one_that_does_not_is(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    agent = greeted(scheduler, tmp_path)
    link = gateway_of(scheduler).links["s1"]
    stopwatch = Stopwatch()
    with clock.use(stopwatch):
        for number in range(100):  # 100 MB
            stopwatch.elapsed += LEASE_S / 2
            grant = Grant(AttemptKey(f"r{number}", "a", -1, 1), "t", "python", [])
            text = b'"%s"' % (b"x" * 2**20)
            gateway_of(scheduler).deliver("s1", context(f"r{number}", text), [grant])
            agent.listen()
            gateway_of(scheduler).flush(link)
        assert link.unsent
        assert link.sock.fileno() >= 0
        stopwatch.elapsed += LEASE_S + 1
        gateway_of(scheduler).deliver("s1", context("last"), [grant])
    assert link.sock.fileno() < 0


def test_what_is_too_large_for_a_frame_is_cut(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "FRAME_BYTES_MAX", 2000)
    agent = greeted(scheduler, tmp_path)
    grants = [Grant(AttemptKey("r", "a", n, 1), "t" * 100, "python", []) for n in range(50)]
    gateway_of(scheduler).deliver("s1", context("r"), grants)
    sent = agent.of(Grants)
    assert [grant for message in sent for grant in message.grants] == grants
    assert all(message.runs for message in sent)
    run_id = mapped_results(conn, 50)
    agent.say(Fetch(1, run_id, [XComRef("a", map_index=None), XComRef("b")]))
    scheduler.serve()
    answers = agent.of(Values)
    assert len(answers) > 2
    assert [answer.more for answer in answers] == [*[True] * (len(answers) - 1), False]
    found = [one for answer in answers for one in answer.values]
    assert [one.map_index for one in found] == list(range(50))
    assert answers[-1].missing == [XComRef("b")]


def test_results_beyond_what_one_attempt_may_receive_are_refused(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xcoms, "FETCH_BYTES_MAX", 5000)
    agent = greeted(scheduler, tmp_path)
    run_id = mapped_results(conn, 50)
    agent.say(Fetch(1, run_id, [XComRef("a", map_index=None)]))
    agent.say(Fetch(2, run_id, [XComRef("a", map_index=3)]))
    scheduler.serve()
    refused, answered = agent.of(Values)
    assert "results that the task receives" in refused.refused
    assert not refused.values
    assert len(answered.values) == 1
    assert not answered.refused


def greeted(scheduler: Scheduler, folder: Path, slots: int = 4) -> Peer:
    agent = Peer(scheduler, f"{folder}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello("s1", "local", SECRET, slots, 4, "host", 1, []))
    scheduler.serve()
    assert agent.of(Welcome)
    return agent


def context(run_id: str, params: bytes = b"{}") -> RunContext:
    return RunContext(
        run_id,
        "default",
        "d",
        1,
        "v1",
        "d.py",
        START_DATE,
        START_DATE,
        START_DATE,
        "manual",
        params,
    )


def mapped_results(conn: Connection[Any], count: int) -> str:
    """A run of which ``a`` has ``count`` results of 102 bytes."""
    deploy(conn, model.Task(task_id="of"), task("a", over="of"))
    (run_id,) = trigger(conn)
    result = XComValue("return_value", b'"%s"' % (b"x" * 100), None, 102, count)
    world.Scheduler(conn).play(lambda grant: {"outcome": "success", "xcoms": [result]})
    return run_id
