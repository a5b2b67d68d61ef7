"""What an agent keeps does not grow with the runs that it has seen.

Counted in this process, with an agent that has no fork server.
"""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from headway.agent import xcoms
from headway.agent.agent import Agent
from headway.agent.attempts import Attempt, End
from headway.agent.protocol import (
    Ack,
    AttemptKey,
    Cancel,
    Ended,
    Grant,
    Grants,
    RunContext,
    Stored,
    Values,
    XComRef,
    XComValue,
)
from tests.agent.gateway import DAY

RUNS: Final = 300
TEXT: Final = b"x" * 250_000
TOTAL_MAX: Final = 5_000_000  # the contexts of all runs are 75 MB
LATER_S: Final = 86_400.0


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(f"unix:{tmp_path}/none.sock", tmp_path, "local", 8, 4, "token")


@contextmanager
def little_is_left() -> Iterator[None]:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < TOTAL_MAX


def context(run_id: str) -> RunContext:
    params = b'{"run": "%s", "text": "%s"}' % (run_id.encode(), TEXT)
    return RunContext(
        run_id, "default", "flow", 1, "v1", "flow.py", DAY, DAY, DAY, "manual", params
    )


def granted(run_id: str, *inputs: XComRef) -> Grant:
    key = AttemptKey(run_id, "a", -1, 1)
    return Grant(key, "token", "python", list(inputs), timeout_s=LATER_S)


def test_a_run_that_is_over_leaves_nothing(agent: Agent) -> None:
    with little_is_left():
        for number in range(RUNS):
            grant = granted(f"r{number}")
            agent.receive(Cancel([grant.key]))
            agent.receive(Grants([context(f"r{number}")], [grant]))
        assert len(agent.unacked) == RUNS
        agent.receive(Ack(RUNS))
    assert not agent.attempts
    assert not agent.unacked


def test_the_timer_of_a_time_out_does_not_hold_its_attempt(agent: Agent) -> None:
    with little_is_left():
        for number in range(RUNS):
            attempt = Attempt(granted(f"r{number}"), context(f"r{number}"))
            agent.attempts[attempt.key] = attempt
            agent.begin(attempt, LATER_S)
            agent.end(attempt, End("success", ""))
        del attempt
        agent.receive(Ack(2 * RUNS))
    assert len(agent.loop.timers) >= RUNS


def test_results_at_hand_are_bounded_and_a_changed_run_loses_its_own(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xcoms, "CACHE_BYTES_MAX", TOTAL_MAX)
    cache = agent.inputs.xcoms
    for number in range(RUNS):
        for task_id in ("a", "b"):
            value = XComValue("return_value", TEXT)
            cache.put(f"r{number}", XComRef(task_id), [value])
    last = f"r{RUNS - 1}"
    assert cache.bytes <= TOTAL_MAX
    assert set(cache.of_run) == {run_id for run_id, *_ in cache.entries}
    assert len(cache.of_run[last]) == 2
    agent.receive(Grants([], [], changed=[last, "never heard of"]))
    assert last not in cache.of_run
    assert f"r{RUNS - 2}" in cache.of_run
    assert cache.bytes == sum(entry.bytes for entry in cache.entries.values())


def test_an_answer_in_parts_is_one_and_a_refused_one_is_the_end_of_its_attempts(
    agent: Agent,
) -> None:
    inputs = agent.inputs
    attempts = [
        Attempt(granted(run_id, XComRef("a", map_index=None)), context(run_id))
        for run_id in ("r1", "r2")
    ]
    for attempt in attempts:
        agent.attempts[attempt.key] = attempt
        inputs.gather(attempt)
    one, other = (
        [Stored("a", index, XComValue("return_value", b"%d" % index))] for index in (0, 1)
    )
    agent.receive(Values(1, one, [], more=True))
    assert not agent.ready
    agent.receive(Values(1, other, []))
    assert [attempt.key for *_, attempt in agent.ready] == [attempts[0].key]
    (entry,) = attempts[0].held.values()
    assert [stored.value for stored in entry.stored] == [b"0", b"1"]
    agent.receive(Values(2, [], [], refused="too much"))
    (ended, _at), *_ = agent.unacked.values()
    assert isinstance(ended, Ended)
    assert (ended.key, ended.cause, ended.detail, ended.retry) == (
        attempts[1].key,
        "input",
        "too much",
        False,
    )
    assert not inputs.asked
    assert not inputs.parts
