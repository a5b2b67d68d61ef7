"""``.airflowignore``, as Airflow reads it."""

import pytest

from headway.frontends.airflow.ignore import asked, ignored
from headway.spec.errors import BadSpec

PATHS = ["a.py", "b_draft.py", "old/a.py", "old/deep/b.py", "new/old/c.py", "new/d.py"]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ({".airflowignore": ""}, []),
        ({".airflowignore": "*_draft.py # later"}, ["b_draft.py"]),
        ({".airflowignore": "/old/"}, ["old/a.py", "old/deep/b.py"]),
        ({".airflowignore": "old/"}, ["new/old/c.py", "old/a.py", "old/deep/b.py"]),
        ({".airflowignore": "*.py\n!new/d.py"}, sorted(set(PATHS) - {"new/d.py"})),
        ({"new/.airflowignore": "*.py"}, ["new/d.py", "new/old/c.py"]),
        ({"old/.airflowignore": "deep/**", "new/.airflowignore": "d.py"}, ["new/d.py", "old/deep/b.py"]),
    ],
)  # fmt: skip
def test_globs_name_files_below_their_folder(texts: dict[str, str], wanted: list[str]) -> None:
    assert sorted(ignored(texts, PATHS)) == wanted


def test_regular_expressions_do_where_the_setting_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX", "regexp")
    assert ignored({".airflowignore": "_dra.t\n(\n"}, PATHS) == {"b_draft.py"}


EVIL_GLOB = "*a" * 20 + "b"
EVIL_REGEXP = "(a+)+$"
LONG = "a" * 60 + "c.py"


@pytest.mark.long
@pytest.mark.parametrize(("syntax", "evil"), [("glob", EVIL_GLOB), ("regexp", EVIL_REGEXP)])
def test_patterns_that_never_end_are_the_trouble_of_their_file(
    monkeypatch: pytest.MonkeyPatch, syntax: str, evil: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX", syntax)
    texts = {".airflowignore": "x", "old/.airflowignore": f"fine\n{evil}"}
    for _ in "twice":
        with pytest.raises(BadSpec, match="take more than 5 s") as error:
            ignored(texts, [*PATHS, f"old/{LONG}"])
        assert error.value.where == "old/.airflowignore"
    assert asked.cache_info().hits  # it is not computed again at each look
