from datetime import timedelta

import pytest

from headway.core.run_retention import DAYS_MAX, DAYS_MIN, in_effect, refusal

DEFAULT = timedelta(days=90)


def test_a_team_goes_before_the_installation() -> None:
    assert in_effect(None, DEFAULT) == DEFAULT
    assert in_effect(30, DEFAULT) == timedelta(days=30)
    assert in_effect(400, DEFAULT) == timedelta(days=400)


@pytest.mark.parametrize("days", [None, DAYS_MIN, 30, DAYS_MAX])
def test_days_that_are_taken(days: int | None) -> None:
    assert refusal(days) is None


@pytest.mark.parametrize("days", [-1, 0, 6, DAYS_MAX + 1])
def test_days_that_are_refused(days: int) -> None:
    assert refusal(days) == f"runs are kept for 7 to 36500 days, not {days}"
