"""``headway init``: a folder with a DAG, a test of it and a file for CI, to begin with."""

from pathlib import Path
from typing import Annotated, Final

import typer

from headway.cli.terminal import say
from headway.errors import UsageError
from headway.spec.validate import is_id

DAG: Final = '''"""What NAME does. `headway run dags/NAME.py` runs it once."""

from datetime import datetime

from headway import dag, task


@dag(schedule="0 5 * * *", start_date=datetime(2026, 1, 1), tags=["NAME"])
def NAME():
    @task(retries=2)
    def read() -> list[int]:
        return [3, 1, 2]

    @task
    def report(numbers: list[int]) -> int:
        print(len(numbers), "numbers")
        return sum(numbers)

    report(read())


NAME()
'''

TEST: Final = '''"""The DAG is run in this process, without a server."""

from dags.NAME import NAME
from headway.testing import run_dag


def test_NAME() -> None:
    result = run_dag(NAME)
    assert result.state == "success"
    assert result["report"].value == 6
'''

PYTEST: Final = """[pytest]
testpaths = tests
pythonpath = .
"""

CI: Final = """# GitHub Actions: on each push, all DAG files load and the tests pass.
name: dags
on: [push, pull_request]
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install -r requirements.txt
      - run: headway check dags
      - run: pytest
"""

README: Final = """# NAME

    pip install -r requirements.txt
    headway check dags          # do all DAG files load?
    headway run dags/NAME.py    # run it once, here
    headway up --dags dags      # server and web interface; a saved file is there in seconds
    pytest                      # its tests
"""

FILES: Final = {
    "dags/NAME.py": DAG,
    "tests/test_NAME.py": TEST,
    ".github/workflows/dags.yml": CI,
    "pytest.ini": PYTEST,
    "requirements.txt": "headway\npytest\n",
    "README.md": README,
    ".gitignore": ".headway/\n__pycache__/\n",
}


def init(
    name: Annotated[str, typer.Argument(help="Name of the new folder and of its DAG.")],
) -> None:
    """Create a folder with a DAG, a test of it, and a CI file."""
    folder = Path(name)
    dag_id = folder.name.replace("-", "_")
    if not is_id(dag_id) or not dag_id.isidentifier():
        raise UsageError(
            f"{folder.name!r} cannot be the name of a DAG",
            hint="use letters, digits and _, and begin with a letter, for instance: headway init nightly",
        )
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(
            "the folder is not empty", where=str(folder), hint="choose a new one: headway init NAME"
        )
    for path, text in FILES.items():
        file = folder / path.replace("NAME", dag_id)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("NAME", dag_id), "utf-8")
        say(f"  {file}")
    say(f"next: cd {folder} && headway run dags/{dag_id}.py")
