"""What the README shows is what happens: its DAG, its test, and one run of its command line."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import headway as package
from headway.authoring.run import CONTEXT_NAMES, Run
from headway.cli.app import COMMANDS
from tests.cli.conftest import copy_data, headway
from tests.tidy.tree import ROOT

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
DAG, TEST = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    copy_data(data, tmp_path)
    (tmp_path / "letters.py").write_text(DAG)
    return tmp_path


def test_its_test_passes(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", TEST], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_its_run_runs(folder: Path) -> None:
    (command,) = re.findall(r"^    headway (run letters\.py --date .*)$", README, re.MULTILINE)
    done = headway(*command.split(), cwd=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["state"], found["dag_id"]) == ("success", "letters")
    assert found["logical_date"].startswith("2013-01-31")
    assert {each["task_id"] for each in found["task_instances"]} == {"read", "count", "report"}


@pytest.mark.parametrize("document", ["README.md", "docs/operating.md", "docs/authoring.md"])
def test_the_commands_it_names_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^    |`)headway ([a-z]+)", text, re.MULTILINE))
    assert named
    assert named <= set(COMMANDS)


def test_the_targets_of_make_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^    |`)make ([a-z]+)", README, re.MULTILINE))
    assert named
    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_attribute_of_a_run_is_described() -> None:
    text = (ROOT / "docs/authoring.md").read_text("utf-8")
    table = text.partition("| attribute of `Run` | |")[2].partition("\n\n")[0]
    public = {name for name in dir(Run) if not name.startswith("_")}
    internal = {"current", "with_params", "events", "asset_events", "but", "going_on"}
    assert public - internal - set(re.findall(r"`(\w+)`", table)) == set()
    assert {f"`{name}`" for name in CONTEXT_NAMES} - set(re.findall(r"`\w+`", text)) == set()


def test_every_word_of_the_translation_exists() -> None:
    text = (ROOT / "docs/from-airflow.md").read_text("utf-8")
    table = text.partition("| Airflow | Headway |")[2].partition("\n\n")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if line.count("|") == 3]
    words = {word for row in rows for word in re.findall(r"`(\w+)(?:`|\()", row)}
    assert len(words) > 12
    assert {word for word in words if not hasattr(package, word)} == {"load"}  # a task of yours
