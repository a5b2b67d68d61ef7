"""Slots in use over time."""

import pytest

from headway.core.load import levels, steps


def test_a_part_of_which_half_is_used_is_half_a_slot_each() -> None:
    taken = steps(5, 25, 3, part_s=10)
    assert levels(taken, 4, 10) == pytest.approx([1.5, 3, 1.5, 0])


def test_what_lies_over_another_adds_up() -> None:
    taken = steps(0, 10, 1, part_s=10) + steps(2, 7, 2, part_s=10)
    assert levels(taken, 2, 10) == pytest.approx([2, 0])


def test_what_is_beyond_either_end_is_cut() -> None:
    taken = steps(-50, 500, 2, part_s=10) + steps(-9, -3, 5, part_s=10)
    assert levels(taken, 3, 10) == pytest.approx([2, 2, 2])


def test_what_takes_no_time_takes_no_slot() -> None:
    assert steps(5, 5, 3, part_s=10) == []
    assert levels([], 2, 10) == [0, 0]
