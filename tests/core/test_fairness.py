"""A pool with one queue, played through: nobody starves, and wide runs let others pass."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.core.fairness import AGE_S, BACKFILL_S, SPREAD_S, WEIGHT_MAX, rank

START = datetime(2026, 1, 1, tzinfo=UTC)

Arrival = tuple[float, float, str]  # when, rank, name


def arrival(
    name: str, at_s: float, weight: int = 0, ordinal: int = 0, backfill: bool = False
) -> Arrival:
    return at_s, rank(START + timedelta(seconds=at_s), weight, ordinal, backfill), name


def play(arrivals: Iterable[Arrival], slots: int, task_s: float, until: str) -> float:
    """When the named one starts, in a pool of so many slots where each task takes so long."""
    coming = sorted(arrivals, reverse=True)
    free_at = [0.0] * slots
    heapify(free_at)
    ready: list[tuple[float, str]] = []
    while coming or ready:
        now = heappop(free_at)
        if not ready:
            now = max(now, coming[-1][0])
        while coming and coming[-1][0] <= now:
            _, place, name = coming.pop()
            heappush(ready, (place, name))
        _, name = heappop(ready)
        if name == until:
            return now
        heappush(free_at, now + task_s)
    raise AssertionError(f"{until} never starts")


@pytest.mark.parametrize("weight", [-WEIGHT_MAX, -10, 0, 10])
@pytest.mark.parametrize("backfill", [False, True])
def test_a_hostile_stream_of_urgent_work_starves_nobody(weight: int, backfill: bool) -> None:
    task_s = 60.0
    bound_s = (WEIGHT_MAX - weight) * AGE_S + BACKFILL_S * backfill
    # Twice what the pool can do, for longer than the bound, all as urgent as can be.
    arrivals = 2 * int(bound_s / task_s + 60)
    hostile = (arrival(f"h{n}", n * task_s / 2, WEIGHT_MAX) for n in range(arrivals))
    victim = arrival("victim", 0, weight, backfill=backfill)
    began = play(chain(hostile, [victim]), slots=1, task_s=task_s, until="victim")
    # Those that came before the bound keep their places, and the pool needs twice as long for them.
    assert bound_s <= began <= 2 * bound_s + 2 * task_s


@pytest.mark.parametrize(("slots", "task_s"), [(1, 60), (4, 120), (16, 60), (16, 600), (64, 1)])
@pytest.mark.parametrize("at_s", [1, 600, 3600])
def test_a_newcomer_passes_a_run_of_ten_thousand(slots: int, task_s: float, at_s: float) -> None:
    wide = (arrival(f"w{n:05}", 0, ordinal=n) for n in range(10_000))
    newcomer = arrival("newcomer", at_s)
    began = play(chain(wide, [newcomer]), slots=slots, task_s=task_s, until="newcomer")
    # The slot that is free next; where tasks are slower than one a minute, a few after it.
    assert began - at_s <= task_s + SPREAD_S


def test_a_wide_run_gets_a_slot_a_minute_from_a_full_pool() -> None:
    narrow = (arrival(f"n{n:05}", 5.0 * n) for n in range(20_000))
    wide = (arrival(f"w{n:05}", 0, ordinal=n) for n in range(100))
    began = play(chain(narrow, wide), slots=1, task_s=5, until="w00099")
    assert began <= 100 * (SPREAD_S + 10)


def test_daily_work_passes_a_backfill() -> None:
    backfill = (arrival(f"b{n:05}", 0, weight=10, backfill=True) for n in range(10_000))
    daily = arrival("daily", 5 * 3600)
    assert play(chain(backfill, [daily]), 4, 60, until="daily") <= 5 * 3600 + 60


WEIGHTS = st.integers(-WEIGHT_MAX, WEIGHT_MAX)
PLACES = st.tuples(WEIGHTS, st.integers(0, 10_000), st.booleans())


@given(PLACES, PLACES, st.floats(0, 1e7))
def test_the_wait_behind_later_arrivals_is_bounded(
    first: tuple[int, int, bool], later: tuple[int, int, bool], gap_s: float
) -> None:
    bound_s = (
        max(0, later[0] - first[0]) * AGE_S
        + max(0, first[1] - later[1]) * SPREAD_S
        + max(0, first[2] - later[2]) * BACKFILL_S
    )
    came = START + timedelta(seconds=gap_s)
    if gap_s > bound_s + 0.001:
        assert rank(START, *first) < rank(came, *later)


@given(WEIGHTS, st.integers(0, 10_000), st.booleans())
def test_each_part_pushes_its_own_way(weight: int, ordinal: int, backfill: bool) -> None:
    here = rank(START, weight, ordinal, backfill)
    assert rank(START + timedelta(milliseconds=1), weight, ordinal, backfill) > here
    assert rank(START, weight, ordinal + 1, backfill) > here
    assert rank(START, weight, ordinal, True) >= here
    assert weight == WEIGHT_MAX or rank(START, weight + 1, ordinal, backfill) < here


def test_a_weight_beyond_the_bounds_counts_as_the_bound() -> None:
    assert rank(START, 10**9, 0, False) == rank(START, WEIGHT_MAX, 0, False)
    assert rank(START, -(10**9), 0, False) == rank(START, -WEIGHT_MAX, 0, False)
