"""Operators that know their team: the same file and the same connection id, and to each team its own secret."""

import json
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from headway import wire
from headway.client import client_of
from headway.config import Layout
from tests.airflow.conftest import DAGS
from tests.cli.conftest import copy_data, headway, start, stop

pytestmark = pytest.mark.long

TEAMS: Final = {"marketing": ("m-word", "red"), "science": ("a-longer-word", "blue")}


def test_hooks_get_what_their_own_team_has(tmp_path: Path, data: Path) -> None:
    copy_data(data, tmp_path)
    for team in TEAMS:
        (tmp_path / "teams" / team).mkdir(parents=True)
        shutil.copy(DAGS / "secrets.py", tmp_path / "teams" / team)
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    # Tasks of both teams run as one user here: what parts them must not be the system's users.
    server = start(tmp_path, "--dags", "teams", *(("--no-isolate",) if os.geteuid() == 0 else ()))
    try:
        for team, (word, colour) in TEAMS.items():
            with closing(client_of(Layout(tmp_path / ".headway"), team)) as client:
                uri = f"postgres://me:{word}@{team}.example:5432/main"
                client.set_connection("warehouse", wire.ConnectionRequest(uri=uri))
                client.set_variable("colour", wire.VariableRequest(value=colour))
        for team, (word, colour) in TEAMS.items():
            log = log_of(tmp_path, team)
            assert f"connection {team}.example me 5432 main" in log
            assert f"password *** {len(word)}" in log
            assert f"variable {colour} red" in log
            for other in TEAMS.keys() - {team}:
                assert f"{other}.example" not in log
            assert word not in log
    finally:
        stop(server)


def log_of(folder: Path, team: str) -> str:
    done = headway("run", f"teams/{team}/secrets.py", "-o", "json", cwd=folder)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["state"] == "success", done.stderr
    return headway("logs", found["run_id"], "use", "--team", team, cwd=folder).stdout
