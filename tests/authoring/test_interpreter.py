"""Functions that run in another interpreter, or in a virtual environment of their own."""

import os
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headway import DAG, task
from headway.authoring.operators.interpreter import InterpreterFailed
from headway.authoring.run import Fail
from headway.loader.check import check
from headway.testing import RunResult, run_dag

OTHER = getattr(sys, "_base_executable", sys.executable)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt has one."""
    monkeypatch.chdir(tmp_path)


def ran(function: Any, *args: object, **kwargs: object) -> RunResult:
    with DAG("d") as made:
        function.override(task_id="t")(*args, **kwargs)
    return run_dag(made, logical_date=NOON)


@task.external_python(python=OTHER)
def where(numbers: "list[int]", ds: str, params: "dict[str, Any]", factor: int = 2) -> "Any":
    """Its annotations, and this text, are not needed there."""
    import sys

    print("in", sys.executable)
    return {"sum": sum(numbers) * factor, "ds": ds, "headway": "headway" in sys.modules}


def test_a_function_runs_in_another_interpreter(capfd: pytest.CaptureFixture[str]) -> None:
    found = ran(where, [1, 2, 3])
    assert found["t"].value == {"sum": 12, "ds": "2026-05-04", "headway": False}, found
    assert "in " in capfd.readouterr().out


@pytest.mark.parametrize("how", ["", "raise"])
def test_nothing_is_left_in_the_folder_of_the_attempt(tmp_path: Path, how: str) -> None:
    ran(where, [1]) if not how else ran(fails, how)
    assert list(tmp_path.iterdir()) == []


@task.external_python(python=OTHER)
def fails(how: str) -> object:
    import sys

    if how == "raise":
        raise ValueError("bad input")
    if how == "skip":
        sys.exit(99)
    if how == "global":
        return NOON  # a name of the file
    return {1, 2} if how == "set" else float("nan")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("raise", "ValueError: bad input"),
        ("global", "NameError: name 'NOON' is not defined"),
        ("set", "ResultIsNotJson: the result of fails cannot be passed on as JSON"),
        ("nan", "ResultIsNotJson"),
    ],
)
def test_what_it_raises_is_the_error(how: str, why: str) -> None:
    error = ran(fails, how)["t"].error
    assert isinstance(error, InterpreterFailed)
    assert why in str(error)


def test_it_can_skip_itself() -> None:
    assert ran(fails, "skip")["t"].state == "skipped"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"numbers": [NOON]}, "the argument numbers cannot be passed to another interpreter"),
        ({"numbers": [1], "factor": float("inf")}, "the argument factor cannot be passed"),
    ],
)
def test_what_json_has_no_word_for_is_refused(given: dict[str, Any], why: str) -> None:
    error = ran(where, **given)["t"].error
    assert isinstance(error, Fail)
    assert why in str(error)


def test_a_function_may_have_any_name_and_must_return() -> None:
    @task.external_python(python=OTHER)
    def given(json: int, open: int) -> int:
        return json + open

    @task.external_python(python=OTHER)
    def leaves() -> None:
        import sys

        sys.exit(0)

    assert ran(given, 1, 2)["t"].value == 3
    error = ran(leaves)["t"].error
    assert isinstance(error, InterpreterFailed)
    assert "ended its process before it returned" in str(error)


def test_an_interpreter_that_is_missing_is_told() -> None:
    @task.external_python(python="/nowhere/python")
    def lost() -> None: ...

    error = ran(lost)["t"].error
    assert isinstance(error, Fail)
    assert "/nowhere/python cannot be started: No such file or directory" in str(error)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that this environment does not have."""
    file = tmp_path_factory.mktemp("wheel") / "acme_sums-1.0-py3-none-any.whl"
    info = "acme_sums-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("acme_sums.py", "def add(a, b):\n    return a + b\n")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: acme-sums\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "acme_sums.py,,\n")
    return file


@pytest.mark.long  # pip takes its time
def test_a_virtual_environment_has_the_requirements_and_is_kept(
    wheel: Path, tmp_path: Path
) -> None:
    @task.virtualenv(
        requirements=[str(wheel)],
        venv_cache_path=tmp_path / "kept",
        pip_install_options=["--no-index"],
    )
    def add(a: int, b: int) -> int:
        import acme_sums  # type: ignore[import-not-found]

        return int(acme_sums.add(a, b))

    assert ran(add, 1, 2)["t"].value == 3
    (kept,) = (tmp_path / "kept").iterdir()
    python = (kept / "bin" / "python").lstat().st_mtime_ns
    assert ran(add, 3, b=4)["t"].value == 7
    assert [kept] == list((tmp_path / "kept").iterdir())
    assert (kept / "bin" / "python").lstat().st_mtime_ns == python, "made once"


@pytest.mark.long
def test_requirements_that_cannot_be_installed_are_told_and_not_kept(tmp_path: Path) -> None:
    @task.virtualenv(
        requirements="acme-nothing\n", venv_cache_path=tmp_path / "kept",
        pip_install_options=["--no-index"],
    )  # fmt: skip
    def add() -> None: ...

    error = ran(add)["t"].error
    assert isinstance(error, InterpreterFailed)
    assert "the requirements cannot be installed" in str(error)
    assert "acme-nothing" in str(error)
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("@task.external_python", "@task.external_python: it needs python"),
        ("@task.external_python(python=3)", "python must be a string, not 3"),
        ("@task.virtualenv(requirements=[3])", "requirements must be a list of strings, not [3]"),
        ("@task.virtualenv(system_site_packages=1)", "system_site_packages must be True or False"),
        ("@task.virtualenv(requirement=['x'])", 'has no option "requirement"'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, head: str, why: str) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(
        f"from headway import dag, task\n\n@dag\ndef d():\n    {head}\n    def t(): ...\n    t()\n\nd()\n"
    )
    error = check(file)[0].error
    assert error is not None
    assert (error.line, why in error.message) == (5, True), error


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("    async def t(): ...\n", "the function cannot be async"),
        ("    def t(): return outer\n", "t uses outer of the function around it"),
    ],
)
def test_a_function_that_cannot_run_alone_is_refused(tmp_path: Path, body: str, why: str) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(
        "from headway import dag, task\n\n@dag\ndef d():\n    outer = 3\n"
        f"    @task.external_python(python='python3')\n{body}    t()\n\nd()\n"
    )
    error = check(file)[0].error
    assert error is not None
    assert why in error.message, error


def test_nothing_of_this_process_leads_it_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of modules of this interpreter is not that of the other one."""
    monkeypatch.setitem(os.environ, "PYTHONPATH", "/nowhere/at/all")

    @task.external_python(python=OTHER)
    def path() -> "list[str]":
        import sys

        return sys.path

    assert "/nowhere/at/all" not in ran(path)["t"].value
