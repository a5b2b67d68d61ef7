"""The run strategies: who starts, and who is skipped."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from headway.core.reasons import HeldByRun, SkippedByStrategy
from headway.core.strategies import (
    Line,
    Other,
    Strategy,
    decide,
    turn,
    why_first_held,
    why_held,
)

DAY = datetime(2026, 1, 1, tzinfo=UTC)
SKIPPING = [Strategy.FIRST_ONLY, Strategy.LAST_ONLY]


def run(name: str, day: int, state: str = "queued", *, backfill: bool = False) -> Other:
    return Other(name, DAY + timedelta(days=day), state, backfill)


A, B, C = run("a", 1), run("b", 2), run("c", 3)
ACTIVE, FILLING = run("x", 0, "running"), run("y", 0, "running", backfill=True)
FILLED = run("f", -9, backfill=True)
UNASKED: list[tuple[Other, ...]] = [(), (A,), (A, B), (A, B, C)]


@pytest.mark.parametrize("strategy", [each for each in Strategy if each is not Strategy.PARALLEL])
def test_one_at_a_time(strategy: Strategy) -> None:
    for active, asked, unasked in product((ACTIVE, FILLING), (None, B), UNASKED):
        line = Line(active=active, asked=asked, unasked=unasked if strategy.skips else ())
        assert decide(strategy, line).start is None
    assert decide(strategy, Line()).start is None
    assert decide(strategy, Line(asked=A)).start is A


@pytest.mark.parametrize(
    ("state", "starts"),
    [
        ("success", True),
        ("failed", False),
        ("queued", False),
        ("running", False),
        (None, True),
    ],
)
def test_strictly_in_order(state: str | None, starts: bool) -> None:
    line = Line(asked=B, before=None if state is None else run("a", 1, state))
    assert decide(Strategy.STRICT_SEQUENTIAL, line).start is (B if starts else None)
    assert decide(Strategy.SEQUENTIAL, line).start is B
    why = why_held(Strategy.STRICT_SEQUENTIAL, line, "b")
    date = (DAY + timedelta(days=1)).isoformat()
    assert why == (None if starts else HeldByRun("strict_sequential", "a", date, state or ""))
    assert why_held(Strategy.SEQUENTIAL, line, "b") is None


@pytest.mark.parametrize("strategy", SKIPPING)
def test_who_is_skipped(strategy: Strategy) -> None:
    """For each line: whoever is skipped gives way to one that runs or waits, and nobody who was asked for is."""
    cases = product((None, ACTIVE, FILLING), (None, run("m", 2)), (None, FILLED), UNASKED)
    for active, asked, filled, unasked in cases:
        line = Line(active=active, asked=asked, filled=filled, unasked=unasked)
        decision = decide(strategy, line)
        skipped = [one for one, _ in decision.skip]
        left = [one for one in unasked if one not in skipped]
        assert set(skipped) <= set(unasked)
        assert decision.start not in skipped
        for _, why in decision.skip:
            assert isinstance(why, SkippedByStrategy)
            known = {one.run_id: one for one in (active, asked, filled, *unasked) if one}
            assert why.run in known
            assert known[why.run] not in skipped
            assert not known[why.run].backfill
        if strategy is Strategy.LAST_ONLY:
            assert left == list(unasked[-1:])
        elif active is ACTIVE:
            assert not left
        elif asked is None or (unasked and unasked[0].logical_date < asked.logical_date):
            assert left == list(unasked[:1])
        else:
            assert not left
        if active is None:
            waiting = [one for one in (asked, *left) if one is not None]
            first = min(waiting, key=lambda one: (one.logical_date, one.run_id), default=filled)
            assert decision.start == first


@pytest.mark.parametrize("strategy", SKIPPING)
def test_what_is_too_much_for_one_look_is_skipped_from_the_front(strategy: Strategy) -> None:
    decision = decide(strategy, Line(unasked=(A, B, C), more=True))
    assert decision.more
    if strategy is Strategy.LAST_ONLY:
        assert decision.start is None, "later ones have not been seen"
        assert [one for one, _ in decision.skip] == [A, B]
    else:
        assert decision.start is A
        assert [one for one, _ in decision.skip] == [B, C]


@pytest.mark.parametrize("strategy", [each for each in Strategy if each is not Strategy.PARALLEL])
def test_a_run_that_does_not_start_has_a_reason(strategy: Strategy) -> None:
    lines = product((None, ACTIVE, FILLING), (None, B), (None, FILLED), UNASKED)
    for active, asked, filled, unasked in lines:
        if not strategy.skips and (filled or unasked):
            continue
        line = Line(active=active, asked=asked, filled=filled, unasked=unasked)
        decision = decide(strategy, line)
        first = turn(strategy, line)
        skipped = [one for one, _ in decision.skip]
        waiting = [one for one in (asked, filled, *unasked) if one and one not in skipped]
        for one in waiting:
            assert (why_held(strategy, line, one.run_id) is None) == (one == decision.start)
        assert (why_first_held(strategy, line) is None) == (first == decision.start)
        assert (why_held(strategy, line) is None) == (active is None and not waiting)
