"""Names and settings of teams: a name is never a word that stands for something else, and never a path."""

import math

import pytest

from headway.core.teams import (
    RESERVED,
    SLOTS_MAX,
    TITLE_CHARS_MAX,
    WEIGHT_MAX,
    name_trouble,
    slots_trouble,
    title_trouble,
    weight_trouble,
)


@pytest.mark.parametrize("name", ["a", "7", "a-b", "a--b", "x" * 40, "team-2"])
def test_names(name: str) -> None:
    assert name_trouble(name) is None


@pytest.mark.parametrize(
    "name",
    ["", "A", "a_b", "a b", "-a", "a-", "x" * 41, "a/b", "..", "a.b", "\u00e9", "a\n", "a\0", "@a"],
)
def test_what_is_no_name(name: str) -> None:
    assert name_trouble(name) == f"{name!r} is not a valid team name"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_words_that_stand_for_something_else(name: str) -> None:
    assert name_trouble(name) == f"{name!r} is reserved, so no team can have this name"
    assert name_trouble(f"{name}2") is None


def test_titles() -> None:
    for title in ("x", "x" * TITLE_CHARS_MAX, "M\u00e4rz & Co."):
        assert title_trouble(title) is None
    for title in ("", "x" * (TITLE_CHARS_MAX + 1), "a\nb", "a\u202eb"):
        assert title_trouble(title) == "a title must have 1 to 100 visible characters"


def test_slots() -> None:
    assert [slots_trouble(each) for each in (0, 1, SLOTS_MAX)] == [None] * 3
    assert slots_trouble(-1) == "slots must be 0 to 2,147,483,647, not -1"
    assert slots_trouble(SLOTS_MAX + 1) is not None


def test_weights() -> None:
    assert [weight_trouble(each) for each in (0.001, 1.0, WEIGHT_MAX)] == [None] * 3
    for weight in (0.0, -1.0, WEIGHT_MAX + 0.1, math.inf, math.nan):
        assert str(weight_trouble(weight)).startswith("a weight must be above 0 and at most 1000")
