"""A folder of teams: each is a user of its own, and reaches nothing of the others."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from headway import wire
from headway.client import Client
from headway.config import read_server_file
from tests.cli.test_isolation import (
    DAG,
    PATIENCE_S,
    Installation,
    all_loaded,
    ask,
    ended,
    place,
    python,
    said,
    wait_for,
)

__all__ = ["place", "python"]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root starts processes of other users"),
]

TEAMS: Final = ("default", "marketing")


@contextmanager
def folder_of_teams(place: Path, python: Path) -> Iterator[Installation]:
    folder = place / "of-teams"
    for part in (*(f"dags/{team}" for team in TEAMS), "asked", "said"):
        (folder / part).mkdir(parents=True)
    (folder / "said").chmod(0o777)
    (folder / "dags/headway-teams.yaml").touch()
    for team in TEAMS:  # copies that differ: what is the same is one bundle for both
        (folder / "dags" / team / "probes.py").write_text(f"{DAG}\n# {team}")
    personal = {"ASKED": str(folder / "asked"), "SAID": str(folder / "said"), "HOME": str(folder)}
    process = subprocess.Popen(
        [str(python), "-m", "headway", "up", "--port", "0", "--slots", "2"],
        cwd=folder, env={**os.environ, **personal},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield Installation(folder, python, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()


def test_teams_of_a_folder_are_users_of_their_own(place: Path, python: Path) -> None:
    with folder_of_teams(place, python) as one, ExitStack() as opened:
        wait_for(one.layout.server, one.process)
        server = read_server_file(one.layout)
        assert server is not None
        ours, theirs = (Client(server.url, server.token, team=team) for team in TEAMS)
        opened.callback(ours.close)
        opened.callback(theirs.close)
        for client in (ours, theirs):
            all_loaded(client)
        run_id = ended(theirs, "large")
        theirs.trigger("waits", wire.TriggerRequest())
        task = wait_for(one.folder / "said/pid", one.process)
        asked = {
            "logs": [("read", f"{one.layout.logs}/{run_id}/result/-1/1.log")],
            "results": [("read", f"{one.layout.xcom}/{run_id}/result/-1-1.json")],
            "environment": [("read", f"/proc/{task}/environ")],
            "signals": [("signal", task)],
            "token": [("read", f"{one.layout.run}/token")],
            "secrets": [("read", f"{one.layout.data}/secrets.key")],
        }
        ask(one, "task", asked)
        ended(ours, "probes")
        assert said(one, "task") == dict.fromkeys(asked, "closed")
        (one.folder / "said/task").unlink()
        ended(theirs, "probes")
        assert said(one, "task") == {
            **dict.fromkeys(asked, "open"),
            **{"token": "closed", "secrets": "closed"},
        }
