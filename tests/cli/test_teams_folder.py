"""``headway up`` with a folder of teams: one loader and one agent for each, and none in the way of another."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import children_of, copy_data, headway, start, stop, wait_until

pytestmark = pytest.mark.long

DAG = """
from headway import dag, task


@dag()
def daily():
    @task
    def say() -> str:
        from lib.words import WORD

        return WORD

    say()
"""


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    copy_data(data, tmp_path)
    for team in ("marketing", "science"):
        add(tmp_path, team)
    (tmp_path / "teams" / "science" / "lib" / "words.py").unlink()
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    return tmp_path


def add(folder: Path, team: str) -> None:
    lib = folder / "teams" / team / "lib"
    lib.mkdir(parents=True)
    (lib / "words.py").write_text(f"WORD = {team!r}")
    (lib.parent / "daily.py").write_text(DAG)


def ran(folder: Path, *arguments: str) -> str:
    done = headway("run", *arguments, "-o", "json", cwd=folder)
    assert done.stdout, done.stderr
    return str(json.loads(done.stdout)["state"])


def loader_of(server: int, team: str) -> int:
    for pid, command in children_of(server).items():
        if command.rstrip().endswith(f"--team {team}"):
            return pid
    return 0


def test_each_folder_is_a_team_of_its_own(folder: Path) -> None:
    server = start(folder, "--dags", "teams")
    try:
        assert ran(folder, "teams/marketing/daily.py") == "success"
        assert ran(folder, "teams/science/daily.py") == "failed"  # the module is marketing's
        killed = loader_of(server.pid, "science")
        os.kill(killed, signal.SIGKILL)
        assert ran(folder, "daily", "--team", "marketing") == "success"
        wait_until(
            lambda: loader_of(server.pid, "science") not in (0, killed),
            "the loader was not restarted",
        )
        add(folder, "finance")
        wait_until(lambda: loader_of(server.pid, "finance") != 0, "the new team is not served")
        assert ran(folder, "teams/finance/daily.py") == "success"
        shutil.rmtree(folder / "teams" / "finance")
        wait_until(lambda: loader_of(server.pid, "finance") == 0, "the loader goes on")
        assert headway("team", "delete", "science", "--yes", cwd=folder).returncode == 0
        wait_until(lambda: loader_of(server.pid, "science") == 0, "the loader goes on")
        teams = json.loads(headway("team", "ls", "-o", "json", cwd=folder).stdout)
        assert [team["name"] for team in teams] == ["default", "finance", "marketing"]
    finally:
        said = stop(server)
    assert "team finance is served from teams/finance" in said
    assert "the folder of team finance is gone" in said
    assert "team science was deleted" in said
