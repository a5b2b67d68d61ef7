"""F12: the embedded PostgreSQL dies again and again while clients trigger runs and tasks run."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headway import clock, wire
from headway.client import Client
from headway.config import Layout, read_server_file
from headway.errors import HeadwayError
from headway.pg import Server
from headway.store.transact import connect
from tests.cli.conftest import start, stop
from tests.simulation.invariants import check
from tests.stress.installation import DAGS

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

DEATHS = 6
KEYS = 60
PATIENCE_S = 180.0


class Site:
    """``headway up`` on a folder, and a client that writes down what was promised to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "dags").symlink_to(DAGS)
        self.process: subprocess.Popen[str] = start(folder)
        server = read_server_file(Layout(folder / ".headway"))
        assert server is not None
        self.url, self.token = server.url, server.token
        self.promised: dict[str, str] = {}  # by key: the run that was answered

    def ask(self, key: str) -> bool:
        """Once; whether it was made, nobody knows when there is no answer."""
        client = Client(self.url, self.token)
        params = {"witness": str(self.folder / "witness"), "items": 4, "seconds": 0.3}
        try:
            run = client.trigger("work", wire.TriggerRequest(params=params, idempotency_key=key))
        except HeadwayError:
            return False
        finally:
            client.close()
        assert self.promised.setdefault(key, run.run_id) == run.run_id, "G1 one key, two runs"
        return True

    def ask_until_answered(self, key: str) -> None:
        deadline = clock.monotonic() + PATIENCE_S
        while not self.ask(key):
            assert clock.monotonic() < deadline, f"{key} was never answered"
            clock.sleep(0.2)

    def kill_database(self) -> bool:
        """The postmaster only: its children notice, and so does everybody else. False: it is away."""
        try:
            pid_file = self.folder / ".headway/postgres/postmaster.pid"
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        except (OSError, IndexError):
            return False
        return True


def test_the_database_dies_again_and_again_under_load(tmp_path: Path) -> None:
    chance = random.Random(1)
    site = Site(tmp_path)
    deaths = 0
    for number in range(KEYS):
        site.ask_until_answered(f"k{number}")
        if deaths < DEATHS and number % (KEYS // DEATHS) == 1:
            clock.sleep(chance.uniform(0.2, 2.0))
            deaths += site.kill_database()
        site.ask(f"k{chance.randrange(number + 1)}")  # again: the same run
    dsn = Server(tmp_path / ".headway").dsn
    wait_until_all_have_ended(dsn)
    with connect(dsn) as conn:
        stored = dict(conn.execute("SELECT run_key, run_id FROM run").fetchall())
        states = conn.execute("SELECT DISTINCT state FROM run WHERE set_aside IS NULL").fetchall()
        assert check(conn) == []
    assert deaths == DEATHS
    assert len(site.promised) == KEYS
    assert set(site.promised.values()) == set(stored.values()), "acknowledged, and one for a key"
    assert states == [("success",)]
    lines = (tmp_path / "witness").read_text().splitlines()
    assert len(lines) == len(set(lines)), "no attempt ran twice"
    assert stop(site.process).count("the database stopped") >= 1


def wait_until_all_have_ended(dsn: str) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    left = "not asked"
    while left:
        assert clock.monotonic() < deadline, f"unfinished: {left}"
        clock.sleep(0.3)
        try:
            with connect(dsn) as conn:
                left = str(
                    conn.execute("SELECT run_id, state FROM run WHERE ended_at IS NULL").fetchall()
                )
                left = "" if left == "[]" else left
        except HeadwayError:
            left = "the database is away"
