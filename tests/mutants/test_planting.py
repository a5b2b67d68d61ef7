"""The planter plants what it says, and nothing before its switch is on."""

import ast
from typing import Any

import pytest

from tests.mutants.__main__ import SAMPLES, TESTS, reasons, sampled
from tests.mutants.planting import SWITCH, Mutant, Planter
from tests.tidy.tree import ROOT

SOURCE = '''
LIMIT = 5


def judge(items: list[int], limit: int = LIMIT) -> str:
    """Has a docstring."""
    assert limit > 0
    for item in items:
        if item < limit and item != 2:
            continue
        match item:
            case 7:
                return "seven"
        return f"{item} is too much"
    return "fine"
'''


def planted(source: str) -> tuple[list[Mutant], Any, Any]:
    """The mutants, the namespace of the module, and what turns one of them on."""
    planter = Planter(source)
    tree = ast.parse(source)
    planter.visit(tree)
    on = [0]
    namespace: dict[str, Any] = {SWITCH: lambda number: number == on[0]}
    exec(compile(ast.fix_missing_locations(tree), "planted", "exec"), namespace)
    return planter.mutants, namespace, on


def test_with_no_switch_on_nothing_changes() -> None:
    _, namespace, _ = planted(SOURCE)
    answers = [namespace["judge"](items) for items in ([], [1, 4], [2], [5], [7], [1, 9])]
    assert answers == ["fine", "fine", "2 is too much", "5 is too much", "seven", "9 is too much"]


@pytest.mark.parametrize(
    ("after", "items", "answer"),
    [
        ("if item <= limit and item != 2:", [5], "fine"),
        ("if item < limit or item != 2:", [9], "fine"),
        ("if item < limit and item == 2:", [1], "1 is too much"),
        ("break", [1, 9], "fine"),
        ("case 'never':", [7], "7 is too much"),
        ("return 'sevenx'", [7], "sevenx"),
    ],
)
def test_one_switch_is_one_mistake(after: str, items: list[int], answer: str) -> None:
    mutants, namespace, on = planted(SOURCE)
    (found,) = [mutant for mutant in mutants if mutant.after == after]
    on[0] = found.number
    assert namespace["judge"](items) == answer


def test_import_docstrings_assertions_and_texts_are_left_alone() -> None:
    mutants, _, _ = planted(SOURCE)
    assert {mutant.function for mutant in mutants} == {"judge"}
    touched = " ".join(mutant.before for mutant in mutants)
    assert not [text for text in ("LIMIT", "docstring", "assert") if text in touched]
    assert not [mutant.after for mutant in mutants if "too muchx" in mutant.after]


def test_a_sample_is_the_same_each_time_and_in_order() -> None:
    mutants = [Mutant(number, number, "f", "a", "b") for number in range(1, 101)]
    drawn = sampled("core/retry", mutants, 10)
    assert drawn == sampled("core/retry", mutants, 10)
    assert [mutant.number for mutant in drawn] == sorted({mutant.number for mutant in drawn})
    assert len(drawn) == 10
    assert sampled("core/plan", mutants, 10) != drawn
    for whole in (None, 100, 1_000):
        assert sampled("core/retry", mutants, whole) == mutants


def test_every_module_that_is_judged_is_there_with_its_tests() -> None:
    for module, tests in TESTS.items():
        assert (ROOT / "src/headway" / f"{module}.py").is_file(), module
        assert [each for each in tests if not (ROOT / each).exists()] == [], module
    assert SAMPLES.keys() <= TESTS.keys()
    named = {key.partition(" ")[0] for key in reasons()}
    assert named <= TESTS.keys()
