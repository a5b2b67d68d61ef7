"""Delays stay within their bounds, and every task instance comes to an end."""

from itertools import pairwise, product
from math import inf, nan

import pytest

from headway.core.retry import (
    DELAY_MAX_S,
    LOSS_DELAY_MAX_S,
    LOSSES_MAX,
    SPACING_S,
    Cause,
    Ending,
    GiveUp,
    RetryPolicy,
    delay,
    loss_delay,
    next_step,
)

JUST_BELOW_1 = 1 - 2**-53
FRACTIONS = (0.0, 0.25, 0.5, JUST_BELOW_1)
AMOUNTS = (0.0, 1e-300, 0.05, 1.0, 30.0, 1e9, 1e308, inf)
FAILURES = (1, 2, 3, 10, 61, 1_000, 10_000)
POLICIES = [
    RetryPolicy(2, delay_s, exponential, max_delay_s, jitter)
    for delay_s, exponential, max_delay_s, jitter in product(
        AMOUNTS, (False, True), AMOUNTS, (0.0, 0.2, 1.0)
    )
]


def test_a_delay_is_between_the_spacing_and_the_maximum() -> None:
    for policy, failure, fraction in product(POLICIES, FAILURES, FRACTIONS):
        seconds = delay(policy, failure, fraction)
        assert SPACING_S <= seconds <= max(SPACING_S, min(policy.max_delay_s, DELAY_MAX_S)), policy


def test_a_delay_never_shrinks_with_failures_or_with_chance() -> None:
    for policy in POLICIES:
        for fraction in FRACTIONS:
            for fewer, more in pairwise(FAILURES):
                assert delay(policy, fewer, fraction) <= delay(policy, more, fraction)
        for failure in FAILURES:
            for less, more_chance in pairwise(FRACTIONS):
                assert delay(policy, failure, less) <= delay(policy, failure, more_chance)


def test_an_exponential_delay_doubles_up_to_its_maximum() -> None:
    policy = RetryPolicy(9, 30, exponential=True, max_delay_s=200, jitter=0)
    assert [delay(policy, n, 0.5) for n in range(1, 6)] == [30, 60, 120, 200, 200]


def test_jitter_lengthens_a_delay_but_stays_below_the_maximum() -> None:
    policy = RetryPolicy(9, 30, exponential=True, max_delay_s=120, jitter=0.2)
    assert delay(policy, 1, 0) == 30
    assert delay(policy, 1, 0.5) == pytest.approx(33)
    assert delay(policy, 9, 0) == pytest.approx(100)
    assert delay(policy, 9, JUST_BELOW_1) == pytest.approx(120)


def test_retries_without_delay_are_no_hot_loop() -> None:
    for exponential in (False, True):
        policy = RetryPolicy(10_000, 0, exponential, max_delay_s=0, jitter=0)
        assert delay(policy, 1, 0) == delay(policy, 10_000, 0) == SPACING_S


@pytest.mark.parametrize("jitter", [1.01, 2.0])
def test_a_delay_cannot_be_lengthened_by_more_than_itself(jitter: float) -> None:
    with pytest.raises(AssertionError):
        RetryPolicy(1, 1.0, False, 1.0, jitter)


@pytest.mark.parametrize("bad", [-1.0, nan])
def test_a_senseless_policy_is_our_mistake(bad: float) -> None:
    for values in ((bad, 1.0, 0.0), (1.0, bad, 0.0), (1.0, 1.0, bad)):
        with pytest.raises(AssertionError):
            RetryPolicy(1, values[0], False, values[1], values[2])


def test_losses_wait_briefly() -> None:
    assert [loss_delay(n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert loss_delay(10_000) == LOSS_DELAY_MAX_S


def test_failures_and_losses_never_use_up_each_other() -> None:
    for retries, losses_max in product(range(4), range(4)):
        policy = RetryPolicy(retries, 1, exponential=False, max_delay_s=60, jitter=0)
        for failures, losses in product(range(1, 7), range(1, 7)):
            failed = next_step(policy, Cause(), failures, losses, losses_max, Ending.FAILED, 0)
            lost = next_step(policy, Cause(), failures, losses, losses_max, Ending.LOST, 0)
            assert isinstance(failed, GiveUp) is (failures > retries)
            assert isinstance(lost, GiveUp) is (losses > losses_max)


def test_every_sequence_of_ends_is_bounded() -> None:
    policy = RetryPolicy(2, 1, exponential=False, max_delay_s=60, jitter=0)
    longest = 0
    for ends in product(Ending, repeat=policy.retries + LOSSES_MAX + 1):
        counts = dict.fromkeys(Ending, 0)
        attempts = 0
        for ending in ends:
            attempts += 1
            counts[ending] += 1
            failures, losses = counts[Ending.FAILED], counts[Ending.LOST]
            if isinstance(
                next_step(policy, Cause(), failures, losses, LOSSES_MAX, ending, 0), GiveUp
            ):
                break
        else:
            pytest.fail(f"no end after {ends}")
        longest = max(longest, attempts)
    assert longest == 1 + policy.retries + LOSSES_MAX
