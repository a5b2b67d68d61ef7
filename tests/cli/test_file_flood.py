"""One team's DAG folder is more than a folder should be: another team's files become live, and its runs go on."""

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from headway import wire
from headway.client import client_of
from headway.config import Layout
from headway.loader import folder as limits
from tests.cli.conftest import copy_data, headway, start, stop, wait_until
from tests.cli.test_fairness import member

pytestmark = pytest.mark.long

DAG = """
from headway import dag, task


@dag(dag_id={dag_id!r})
def define():
    @task
    def work() -> str:
        return {dag_id!r}

    work()


define()
"""
# Its import does not end before the test lets it go; the limit on its time does not depend on the machine.
SLOW = (
    "import time\nfrom pathlib import Path\nwhile not Path({gate!r}).exists(): time.sleep(0.05)\n"
)
HUGE_BYTES = 50 << 20


def write(folder: Path, team: str, name: str, text: str) -> None:
    file = folder / "teams" / team / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    copy_data(data, tmp_path)
    for team in ("loud", "quiet"):
        write(tmp_path, team, f"{team}.py", DAG.format(dag_id=f"{team}_first"))
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    return tmp_path


class Team:
    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def errors(self) -> dict[str, str]:
        with closing(client_of(Layout(self.folder / ".headway"), self.name)) as client:
            return {error.file: error.message for error in client.import_errors()}

    def dags(self) -> set[str]:
        with closing(client_of(Layout(self.folder / ".headway"), self.name)) as client:
            return {dag.dag_id for dag in client.dags()}

    def goes_live(self, dag_id: str) -> None:
        """Save a file, and see its run end in success."""
        write(self.folder, self.name, f"{dag_id}.py", DAG.format(dag_id=dag_id))
        wait_until(lambda: dag_id in self.dags(), f"{dag_id} does not become live")
        with closing(client_of(Layout(self.folder / ".headway"), self.name)) as client:
            run_id = client.trigger(dag_id, wire.TriggerRequest()).run_id
            wait_until(lambda: client.run(run_id).ended_at is not None, f"{run_id} does not end")
            assert client.run(run_id).state == "success"

    def says(self, file: str, what: str) -> None:
        wait_until(lambda: what in self.errors().get(file, ""), f"{file}: {self.errors()}")


def test_a_flood_of_files_of_one_team_holds_up_no_other(folder: Path) -> None:
    server = start(folder, "--dags", "teams")
    try:
        for team in ("loud", "quiet"):
            member(folder, team).close()
        loud, quiet = Team(folder, "loud"), Team(folder, "quiet")
        quiet.goes_live("before")

        # Minutes to import, and 50 MB: both are in the loader of the one team while the other works.
        gate = folder / "gate"
        write(folder, "loud", "slow.py", SLOW.format(gate=str(gate)) + DAG.format(dag_id="slow"))
        huge = "from headway import dag\nTEXT = '" + "x" * HUGE_BYTES + "'\n"
        write(folder, "loud", "huge.py", huge + DAG.format(dag_id="huge"))
        quiet.goes_live("during_the_import")
        assert "slow" not in loud.dags()
        limited = headway("team", "set", "loud", "--limit", f"dag_file_bytes={1 << 20}", cwd=folder)
        assert limited.returncode == 0, limited.stderr
        loud.says("huge.py", f"the limit of this team is {1 << 20:,} (dag_file_bytes)")
        gate.touch()

        # More files than a folder may have: refused as a whole, with what it has and what it may have.
        many = folder / "teams" / "loud" / "many"
        many.mkdir()
        subprocess.run(
            ["bash", "-c", f"for n in $(seq {limits.FILES_MAX}); do : > $n.csv; done"],
            cwd=many,
            env=dict(os.environ),
            check=True,
        )
        loud.says(".", f"the limit is {limits.FILES_MAX:,} files")
        quiet.goes_live("during_the_refusal")
        assert "loud_first" in loud.dags(), "what was live stays"
        assert quiet.errors() == {}
        write(folder, "loud", ".headwayignore", "many/\nslow.py\n")
        wait_until(lambda: "." not in loud.errors(), "the folder is not read again")
    finally:
        said = stop(server)
    assert "no sign of life" not in said
