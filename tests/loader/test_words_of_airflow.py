"""Words of Airflow that a file imports from ``headway``: each is told with what does the same."""

from pathlib import Path

import pytest

import headway
from headway.authoring.airflow_words import ADVICE, INSTEAD
from headway.loader.check import check


def hint_for(tmp_path: Path, name: str) -> str | None:
    file = tmp_path / "wrong.py"
    file.write_text(f"from headway import dag, {name}\n")
    error = check(file)[0].error
    assert error is not None
    assert (error.line, f"cannot import name '{name}'" in error.message) == (1, True)
    return error.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("BashOperator", "use bash: from headway import bash"),
        ("PythonVirtualenvOperator", "use task.virtualenv: from headway import task"),
        ("Label", ADVICE["Label"]),
        ("Aset", 'did you mean "Asset"?'),
        ("zebra", None),
    ],
)
def test_a_word_that_is_missing_has_a_hint(tmp_path: Path, name: str, hint: str | None) -> None:
    assert hint_for(tmp_path, name) == hint


@pytest.mark.parametrize("instead", sorted(set(INSTEAD.values())))
def test_what_is_advised_exists(instead: str) -> None:
    word, _, kind = instead.partition(".")
    found = getattr(headway, word)
    assert not kind or getattr(found, kind)


def test_no_word_of_ours_is_taken_for_one_of_airflow() -> None:
    assert {*INSTEAD, *ADVICE} & {*dir(headway)} == set()
