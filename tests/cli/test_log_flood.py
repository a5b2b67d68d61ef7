"""One team's tasks write as fast as they can, in real processes: another team's runs start, end and have their logs."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headway import wire
from headway.client import client_of
from headway.config import Layout
from headway.logs.remote import Remote, open_store
from headway.paths import log_path, stored_log
from tests.cli.conftest import copy_data, start, stop, wait_until
from tests.cli.test_fairness import Bench, member

pytestmark = pytest.mark.long

LIMIT = 1_000_000  # bytes; a burst has twice as many
SAID = b"(log_bytes_per_minute): output is left out until the minute is over"
HEAD = """
import os
from pathlib import Path

from headway import Run, dag, task

BENCH = Path({bench!r})
"""
LOUD = """

@dag(max_active_runs=9)
def flood():
    @task
    def write(run: Run) -> None:
        mine = BENCH / f"loud.{run.run_id}"
        mine.touch()
        line = b"x" * 199 + b"\\n"
        while mine.exists():  # until the test lets it go
            os.write(1, line * 300)

    write()


@dag(max_active_runs=9)
def burst():
    @task
    def write() -> None:
        for _ in range({bytes} // 1_000):
            os.write(1, b"x" * 999 + b"\\n")

    write()
"""
QUIET = """

@dag(max_active_runs=9)
def work():
    @task
    def first() -> str:
        print("of the first")
        return "handed on"

    @task
    def second(what: str) -> None:
        print("of the second:", what)

    second(first())
"""


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    copy_data(data, tmp_path)
    bench = tmp_path / "bench"
    bench.mkdir()
    for team, dag in (("loud", LOUD), ("quiet", QUIET)):
        (tmp_path / "teams" / team).mkdir(parents=True)
        (tmp_path / "teams" / team / "dag.py").write_text(
            (HEAD + dag.replace("{bytes}", str(2 * LIMIT))).replace("{bench!r}", repr(str(bench)))
        )
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    return tmp_path


@pytest.fixture
def up(folder: Path) -> Iterator[Path]:
    server = start(
        folder, "--dags", "teams", "--slots", "4", "--log-store", f"file://{folder}/store"
    )
    yield folder
    stop(server)


class Installation:
    """Each request is on a connection of its own: none is old."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / ".headway")

    def start(self, team: str, dag_id: str) -> str:
        with closing(client_of(self.layout, team)) as client:
            return client.trigger(dag_id, wire.TriggerRequest()).run_id

    def limit(self, **limits: int) -> None:
        with closing(client_of(self.layout)) as admin:
            admin.change_team("loud", wire.TeamChange(limits=wire.LimitsChange(**limits)))

    def used(self) -> int:
        with closing(client_of(self.layout)) as admin:
            limits = {each.name: each.used for each in admin.team("loud").limits}
        return limits["log_bytes_per_minute"] or 0

    def burst(self) -> bytes:
        """Print more than the limit, and return what is left of it. The agent has the limit by its next heartbeat."""
        run_id = self.start("loud", "burst")
        self.ended("loud", run_id)
        return (self.layout.data / log_path(run_id, "write", -1, 1)).read_bytes()

    def ended(self, team: str, run_id: str) -> None:
        with closing(client_of(self.layout, team)) as client:
            wait_until(lambda: client.run(run_id).ended_at is not None, f"{run_id} does not end")
            assert client.run(run_id).state == "success"


def stored(remote: Remote, name: str) -> bytes:
    kept = io.BytesIO()
    wait_until(lambda: remote.fetch_whole(name, kept), f"{name} is not in the store")
    return kept.getvalue()


def works(folder: Path, one: Installation, bench: Bench) -> None:
    """Three runs of the quiet team end, and their logs are in the store, while nothing of the flood has ended."""
    remote = open_store(f"file://{folder}/store", {})
    for run_id in [one.start("quiet", "work") for _ in range(3)]:
        one.ended("quiet", run_id)
        for task_id, text in (("first", b"of the first\n"), ("second", b"second: handed on\n")):
            log = stored(remote, stored_log("quiet", log_path(run_id, task_id, -1, 1)))
            assert log.endswith(text)
    assert bench.running() == {"loud": 2}


def test_a_flood_of_log_bytes_of_one_team_holds_up_no_other(up: Path) -> None:
    one, bench = Installation(up), Bench(up / "bench")
    for team in ("loud", "quiet"):
        member(up, team).close()
    one.limit(running_tasks=3)
    floods = [one.start("loud", "flood") for _ in range(2)]
    bench.run(loud=2)
    works(up, one, bench)

    one.limit(running_tasks=3, log_bytes_per_minute=LIMIT)
    wait_until(lambda: SAID in one.burst() and one.used() >= LIMIT, "the limit does not hold")
    works(up, one, bench)
    bench.let_go("loud", 2)
    for run_id in floods:
        one.ended("loud", run_id)
