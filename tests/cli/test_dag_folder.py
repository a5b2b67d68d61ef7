"""What belongs to a DAG folder, and what runs in a copy of it: alike for ``check``, ``run`` and the server."""

from pathlib import Path

import pytest

from tests.cli.conftest import copy_data, headway, start, stop, wait_for_dag

OK = """
from headway import dag, task


@dag
def {name}():
    @task
    def ok() -> str:
        return "{said}"

    ok()
"""
WRITES = """
from pathlib import Path

from headway import dag, task


@dag
def writes():
    @task
    def append() -> str:
        path = Path(__file__).parent / "state.txt"
        before = path.read_text()
        print("before:", before)
        with path.open("a") as file:
            file.write("one more")
        return before

    append()
"""
AVERAGE = """
from headway import dag, task


@dag
def average():
    @task
    def mean_of_three() -> float:
        from statistics import mean

        return mean([1, 2, 3])

    mean_of_three()
"""
USES_SHARED = "import shared\n" + OK.format(name="uses_shared", said="x")


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    """A DAG folder in which the data directory will lie, with links that lead out of it."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "shared").mkdir(parents=True)
    (elsewhere / "shared" / "__init__.py").write_text("X = 1\n")
    (elsewhere / "linked.py").write_text(OK.format(name="linked", said="linked"))
    folder = tmp_path / "dags"
    folder.mkdir()
    copy_data(data, folder / "data")
    (folder / "good.py").write_text(OK.format(name="good", said="first"))
    (folder / "statistics.py").write_text(OK.format(name="statistics", said="own"))
    (folder / "average.py").write_text(AVERAGE)
    (folder / "uses_shared.py").write_text(USES_SHARED)
    (folder / "linked.py").symlink_to(elsewhere / "linked.py")
    (folder / "shared").symlink_to(elsewhere / "shared")
    (folder / "gone.py").symlink_to("nowhere.py")
    (folder / "lacks.py").write_text("import headway\nimport nowhere_installed\n")
    return folder


@pytest.mark.long
def test_check_and_server_have_the_same_folder(folder: Path) -> None:
    where = ("--data", "data")
    once = headway("run", "linked.py", *where, cwd=folder)
    assert once.returncode == 0, once.stderr
    checked = headway("check", ".", cwd=folder)
    assert "gone.py: skipped: it is a link to nowhere.py" in checked.stderr
    assert "-m pip install nowhere_installed" in checked.stderr
    said = "statistics.py: cannot be imported by its name: `import statistics` finds the standard"
    assert said in checked.stderr
    for name in ("good", "linked", "uses_shared", "average", "statistics"):
        assert name in checked.stdout
    assert checked.returncode == 2
    assert headway("check", "linked.py", cwd=folder).returncode == 0
    process = start(folder, "--dags", ".", *where)
    (folder / "good.py").write_text(OK.format(name="good_2", said="second"))
    wait_for_dag(folder / "data", "good_2")
    listed = headway("ls", *where, cwd=folder)
    assert {line.split()[0] for line in listed.stdout.splitlines()[1:]} == {
        *("good_2", "linked", "uses_shared", "average", "statistics")
    }
    listed = headway("ls", "errors", *where, cwd=folder)
    errors = listed.stdout.splitlines()
    assert len(errors) == 3
    assert errors[1].split()[:2] == ["gone.py", "skipped:"]
    assert errors[2].split()[0] == "lacks.py:2"
    found = headway("doctor", *where, cwd=folder)
    assert "gone.py: skipped" in found.stdout
    assert found.stderr.count("run: headway check") == 1
    assert said in listed.stderr
    for file in ("linked.py", "average.py", "statistics.py"):
        ran = headway("run", file, *where, cwd=folder)
        assert ran.returncode == 0, ran.stderr
    stop(process)
    held = [path.name for path in (folder / "data" / "bundles").rglob("*")]
    assert "linked.py" in held
    assert not {"token", "server.json", "lock", "data"} & set(held)


def test_a_dag_folder_in_the_data_directory_is_refused(folder: Path) -> None:
    for data in (".", ".."):
        refused = headway("up", "--dags", ".", "--data", data, "--port", "0", cwd=folder)
        assert (refused.returncode, "is inside Headway's data directory" in refused.stderr) == (
            2,
            True,
        )
        assert not (folder / data / "run").exists()


@pytest.mark.long
def test_a_task_cannot_change_what_others_run(folder: Path) -> None:
    """Refused where the system lets us, also to root; anywhere else it has reached one copy, which is mended."""
    (folder / "writes.py").write_text(WRITES)
    (folder / "state.txt").write_text("start")
    for _ in range(2):
        ran = headway("run", "writes.py", "--data", "data", cwd=folder)
        logs = "".join(path.read_text() for path in (folder / "data" / "logs").rglob("1.log"))
        assert "before: start" in logs
        assert "one more" not in logs
        if ran.returncode != 0:
            assert "write to the task's working directory" in ran.stderr
        blobs = (path.read_text() for path in (folder / "data" / "blobs").glob("[!.]*"))
        assert "start" in blobs
