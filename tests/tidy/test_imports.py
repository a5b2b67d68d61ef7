"""What each room may import from outside, and what `import headway` brings with it."""

import subprocess
import sys
from typing import Final

import pytest

from tests.tidy.tree import SOURCE, imports, name

# Beyond the standard library and headway itself.
ALLOWED: Final = {
    "core": {"cronsim", "msgspec"},  # msgspec only in reasons, see .importlinter
    "spec": {"msgspec", "jsonschema", "regex"},  # the last two only inside of functions
    "authoring": {
        "msgspec",
        "jinja2",
        "psycopg",
        "obstore",
    },  # the last three only inside of functions that a task runs
}
# Standard library too, but slow to import or a sign of work that importing should not do.
HEAVY: Final = {"asyncio", "concurrent", "email", "http", "multiprocessing", "sqlite3", "ssl"}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_light_package_imports_only_what_it_may(package: str) -> None:
    fine = {"headway", *sys.stdlib_module_names, *ALLOWED[package]}
    files = sorted((SOURCE / package).rglob("*.py"))
    assert files
    assert [
        f"{name(file)}:{line} imports {module}"
        for file in files
        for module, line in imports(file)
        if module.partition(".")[0] not in fine
    ] == []


def test_import_headway_is_light() -> None:
    """A fresh interpreter, without site: what it has afterwards is what the import brought."""
    program = (
        "import sys; sys.path[:0] = eval(sys.argv[1]); import headway;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program, repr([str(SOURCE.parent), *sys.path])],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(result.stdout.split())
    assert "headway" in loaded
    assert loaded - sys.stdlib_module_names - {"__main__", "headway", "msgspec"} == set()
    assert loaded & HEAVY == set()


ASKED = """
import sys
from datetime import UTC, datetime
from headway import Run, dag, task
from headway.authoring.execute import Inputs, execute

@dag(params={"size": 3})
def asking():
    @task
    def read(run: Run, ds, params) -> str:
        return f"{run.run_id} {ds} {params['size']}"

    read()

made = asking()
now = datetime(2026, 1, 1, tzinfo=UTC)
run = Run(run_id="r", dag_id="asking", task_id="read", logical_date=now, data_interval=(now, now), trigger="manual",
    params={"size": 3})
before = set(sys.modules)
assert made.execute("read", run, Inputs()).value == "r 2026-01-01 3"
print(*sorted(set(sys.modules) - before))
"""


def test_a_task_that_asks_for_its_run_imports_nothing() -> None:
    """What a task asks for by name is all that is made: events of assets would be 20 ms of imports in each attempt."""
    done = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
