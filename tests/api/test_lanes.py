"""Who has many requests in progress delays their own, by counts and order."""

from concurrent.futures import Future
from threading import Event

import pytest

from headway.api.lanes import WAITING_MAX, Lanes
from headway.errors import RateLimited

PATIENCE_S = 60.0


def test_a_full_lane_leaves_a_thread_to_the_others() -> None:
    lanes, gate = Lanes(3, "test"), Event()
    flood = [lanes.submit("a", gate.wait) for _ in range(WAITING_MAX)]
    assert lanes.submit("b", lambda: "answered").result(PATIENCE_S) == "answered"
    assert sum(job.done() for job in flood) == 0
    gate.set()
    assert all(job.result(PATIENCE_S) for job in flood)
    lanes.close()


def test_when_threads_are_busy_the_lanes_take_turns() -> None:
    lanes, gate, end, order = Lanes(2, "test"), Event(), Event(), list[str]()
    lanes.submit("x", end.wait)  # one thread is left
    lanes.submit("y", gate.wait)
    jobs: list[Future[None]] = []
    for name in ("a", "a", "a", "b"):
        jobs.append(lanes.submit(name, lambda name=name: order.append(name)))  # type: ignore[misc]
    gate.set()
    for job in jobs:
        job.result(PATIENCE_S)
    assert order == ["a", "b", "a", "a"]
    end.set()
    lanes.close()


def test_what_waits_has_a_limit_for_each_lane() -> None:
    lanes, gate = Lanes(2, "test"), Event()
    flood = [lanes.submit("a", gate.wait) for _ in range(WAITING_MAX + 1)]  # one of them runs
    with pytest.raises(RateLimited, match="wait for the database already"):
        lanes.submit("a", gate.wait)
    assert lanes.submit("b", lambda: 1).result(PATIENCE_S) == 1
    gate.set()
    assert all(job.result(PATIENCE_S) for job in flood)
    lanes.close()


def test_what_was_given_up_is_not_done_and_an_error_is_the_callers() -> None:
    lanes, gate, done = Lanes(2, "test"), Event(), list[int]()
    lanes.submit("a", gate.wait)
    given_up = lanes.submit("a", lambda: done.append(1))
    assert given_up.cancel()
    gate.set()
    with pytest.raises(ZeroDivisionError):
        lanes.submit("a", lambda: 1 // 0).result(PATIENCE_S)
    lanes.close()
    assert done == []
    assert lanes.running == {}
