"""A private directory is given on only as it was made."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.agent.scratch import Scratch, enter, remove_empty
from tests.agent.gateway import Gateway


@pytest.fixture(autouse=True)
def come_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(str(tmp_path / "scratch" / "1"))


def test_an_empty_one_is_given_to_the_next(scratch: Scratch) -> None:
    enter(first := scratch.take(1))
    assert os.getcwd() == first
    assert scratch.keep(first)
    assert scratch.take(2) == first
    assert scratch.take(3) != first


def leave_a_file(path: Path) -> None:
    (path / ".hidden").touch()


def open_it(path: Path) -> None:
    path.chmod(0o755)


def remove_it(path: Path) -> None:
    path.rmdir()


def point_elsewhere(path: Path) -> None:
    path.rmdir()
    path.symlink_to("/tmp")


@pytest.mark.parametrize("change", [leave_a_file, open_it, remove_it, point_elsewhere])
def test_any_other_is_not(scratch: Scratch, change: Callable[[Path], None]) -> None:
    enter(first := scratch.take(1))
    change(Path(first))
    assert not scratch.keep(first)
    assert scratch.take(2) != first


def test_those_of_a_server_that_is_gone_are_removed_if_they_are_empty(scratch: Scratch) -> None:
    for mark in (1, 2):
        enter(scratch.take(mark))
    Path("left").touch()
    remove_empty(scratch.folder)
    assert [path.name for path in Path(scratch.folder).iterdir()] == ["2"]
    Path("left").unlink()
    remove_empty(scratch.folder)
    assert not Path(scratch.folder).exists()


def test_no_attempt_sees_a_file_of_another(own: Gateway) -> None:
    assert own.run("makes_a_mess").outcome == "success"
    for number in range(1, 6):
        clean = own.run("sees_no_mess", number=number)
        assert clean.xcoms[0].value == b'"[]"', clean
