"""Verdicts of the benches: stretched by the machine's speed, never by what is measured."""

import pytest
from bench.figures import summarise
from bench.targets import REFERENCE_FIB_S, TARGETS, Target, Verdict, judge

FLOORS = {
    "fib_s": REFERENCE_FIB_S,
    "fork_serial_per_s": 500.0,
    "fork_8_in_flight_per_s": 1_000.0,
    "commit_per_s": 2_000.0,
    "http_per_s": 5_000.0,
}
SLOWER = FLOORS | {"fib_s": 2 * REFERENCE_FIB_S}
W1 = TARGETS[0]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (0.20, Verdict.MOONSHOT),
        (0.21, Verdict.TARGET),
        (0.30, Verdict.TARGET),
        (0.31, Verdict.MISSED),
    ],
)
def test_verdict_on_the_reference_machine(value: float, verdict: Verdict) -> None:
    assert judge(W1, summarise([value]), FLOORS).verdict is verdict


def test_a_slower_machine_may_take_longer() -> None:
    judged = judge(W1, summarise([0.39]), SLOWER)
    assert judged.verdict is Verdict.MOONSHOT
    assert judged.target == pytest.approx(0.6)


def test_a_ratio_is_the_same_on_every_machine() -> None:
    assert judge(Target("W2", "to_compute", 1.05, scales=False), summarise([1.06]), SLOWER) == (
        judge(Target("W2", "to_compute", 1.05, scales=False), summarise([1.06]), FLOORS)
    )


def test_the_ratio_to_the_floor() -> None:
    # 40 links of a fork (2 ms) and a commit (0.5 ms) each.
    assert judge(W1, summarise([0.2]), FLOORS).ratio == pytest.approx(2.0)


def test_p95_is_judged_where_it_is_asked_for() -> None:
    target = Target("W5", "first_line_ms", 30, statistic="p95")
    found = summarise([10.0] * 28 + [40.0] * 2)
    assert judge(target, found, FLOORS).verdict is Verdict.MISSED


def test_every_floor_can_be_computed() -> None:
    for target in TARGETS:
        judged = judge(target, summarise([1.0]), FLOORS)
        assert (judged.ratio is None) == (target.floor is None)
