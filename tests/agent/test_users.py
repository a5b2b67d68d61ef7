"""Processes of a team run as its user and group, and no other ones."""

import os

from headway.agent.users import Umask, spawned_as


def test_a_team_without_a_user_runs_as_ours() -> None:
    assert spawned_as(None) == {}


def test_a_team_has_one_user_and_one_group() -> None:
    assert spawned_as(0) == {"user": 0, "group": 0, "extra_groups": [], "cwd": "/"}
    assert spawned_as(7) == {"user": 7, "group": 7, "extra_groups": [], "cwd": "/"}


def test_our_files_are_for_nobody_else_and_the_mask_of_before_is_known() -> None:
    before, known = os.umask(0o022), Umask.original
    try:
        Umask.close()
        assert Umask.original == 0o022
        assert os.umask(0o022) == 0o077
    finally:
        os.umask(before)
        Umask.original = known
