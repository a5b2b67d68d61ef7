"""docs/isolation.md: each cell of what a task can reach says whether it is open or closed, and which test shows it."""

import re
from typing import Final

import pytest

from tests.tidy.test_docs import NAMED_TEST
from tests.tidy.tree import ROOT, functions

DOCUMENT: Final = (ROOT / "docs/isolation.md").read_text("utf-8")
MACHINES, _, PODS = DOCUMENT.partition("## What a task in a pod can reach")


def rows(text: str) -> list[list[str]]:
    """The rows of its tables, cell by cell, without their heads."""
    found = re.findall(r"^\| (?!what \||-)(.*) \|$", text, re.MULTILINE)
    return [row.split(" | ") for row in found]


def named_in(text: str) -> list[tuple[str, str]]:
    return [match.groups() for match in NAMED_TEST.finditer(text)]  # type: ignore[misc]


def test_every_cell_of_a_machine_is_one_that_a_test_compares() -> None:
    """The tests of the machine read the table itself: they fail for a row that they do not know."""
    table = rows(MACHINES)
    assert table
    assert {cell for _, *cells in table for cell in cells} == {"open", "closed"}
    assert {len(row) for row in table} == {5}
    shown = {test for _, test in named_in(MACHINES)}
    assert shown == {"test_teams_are_isolated_by_their_users", "test_one_user_for_all"}


def test_every_cell_of_a_pod_names_its_test() -> None:
    table = rows(PODS)
    assert table
    assert [what for what, _, tests in table if not named_in(tests)] == []


@pytest.mark.parametrize("named", sorted(set(named_in(DOCUMENT))), ids="::".join)
def test_it_exists(named: tuple[str, str]) -> None:
    path, test = named
    assert test in {function.name for function in functions(ROOT / path)}


def test_every_test_of_what_a_pod_reaches_is_in_the_table() -> None:
    path = "tests/kubernetes/test_reach.py"
    made = {each.name for each in functions(ROOT / path) if each.name.startswith("test_")}
    assert made == {test for file, test in named_in(PODS) if file == path}
