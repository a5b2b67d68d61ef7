"""For how long logs are kept: what a team says goes before what the installation says."""

import pytest

from headway.core.log_retention import DAYS_MAX, WITH_THE_RUN, Policy, in_effect, refusal, removed


def test_a_team_goes_before_the_installation() -> None:
    assert in_effect(Policy(7), Policy(30)) == Policy(7)
    assert in_effect(Policy(60), Policy(30)) == Policy(60)
    assert in_effect(Policy(None), Policy(30)) == Policy(30)
    assert in_effect(Policy(None), WITH_THE_RUN) == WITH_THE_RUN
    assert in_effect(Policy(60, None), Policy(30, 7)) == Policy(60, 7)
    assert in_effect(Policy(None, 3), Policy(30, 7)) == Policy(30, 3)


@pytest.mark.parametrize("days", [0, -1, DAYS_MAX + 1])
def test_a_number_of_days_that_makes_no_sense(days: int) -> None:
    assert f"not {days}" in (refusal(Policy(days)) or "")
    assert f"not {days}" in (refusal(Policy(None, days)) or "")


def test_nothing_is_here_for_longer_than_anywhere() -> None:
    assert "cannot stay on this machine for 8" in (refusal(Policy(7, 8)) or "")
    assert refusal(Policy(7, 7)) is None


@pytest.mark.parametrize("days", [None, 1, DAYS_MAX])
def test_any_other_is_fine(days: int | None) -> None:
    assert refusal(Policy(days)) is None
    assert refusal(Policy(None, days)) is None


def test_the_sentence_in_place_of_a_log() -> None:
    assert removed("2026-11-20", Policy(1)) == (
        "the log was removed on 2026-11-20: this team keeps logs for 1 day"
    )
    assert removed("2026-11-20", Policy(30)).endswith("keeps logs for 30 days")
    assert removed("2026-11-20", WITH_THE_RUN) == "the log was removed on 2026-11-20"
