"""One team's backfill has every slot of a real server: what another team asks for is next, and comes to its share."""

import os
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from headway import wire
from headway.client import Client, client_of
from headway.config import Layout
from tests.cli.conftest import copy_data, start, stop, wait_until

pytestmark = pytest.mark.long

SLOTS = 4
DAG = """
import os
import time
from datetime import datetime
from pathlib import Path

from headway import Run, dag, task

BENCH = Path({bench!r})


@dag(schedule="0 0 * * *", start_date=datetime(2100, 1, 1), max_active_runs=99)
def held():
    @task
    def wait(run: Run) -> None:
        mine = BENCH / f"{team}.{{run.run_id}}"
        mine.touch()
        while mine.exists():  # until the test lets it go
            time.sleep(0.01)

    wait()
"""


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    copy_data(data, tmp_path)
    (tmp_path / "bench").mkdir()
    for team in ("loud", "quiet"):
        (tmp_path / "teams" / team).mkdir(parents=True)
        dag = DAG.format(bench=str(tmp_path / "bench"), team=team)
        (tmp_path / "teams" / team / "held.py").write_text(dag)
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    return tmp_path


class Bench:
    """The tasks that run now: each has a file, and goes on until that is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def running(self) -> Counter[str]:
        return Counter(name.partition(".")[0] for name in os.listdir(self.folder))

    def run(self, **wanted: int) -> None:
        wait_until(lambda: self.running() == wanted, f"{wanted} do not run")

    def let_go(self, team: str, count: int) -> None:
        for file in sorted(self.folder.glob(f"{team}.*"))[:count]:
            file.unlink()


def member(folder: Path, team: str) -> Client:
    """A client in the team, once it has its DAG and two slots of its own."""
    layout = Layout(folder / ".headway")
    with closing(client_of(layout)) as admin:
        wait_until(lambda: team in [each.name for each in admin.teams()], f"no team {team}")
        admin.change_team(team, wire.TeamChange(slots=SLOTS // 2))
    client = client_of(layout, team)
    wait_until(lambda: bool(client.dags()), f"no DAG of the team {team}")
    return client


def test_a_backfill_that_has_all_slots_gives_way_as_its_tasks_end(folder: Path) -> None:
    server = start(folder, "--dags", "teams", "--slots", str(SLOTS))
    try:
        quiet, loud, bench = (
            member(folder, "quiet"),
            member(folder, "loud"),
            Bench(folder / "bench"),
        )
        days = wire.BackfillRequest(first="2000-01-01", last="2000-02-29", max_active_runs=60)
        loud.backfill("held", days)
        bench.run(loud=4)  # what is idle is lent

        quiet.trigger_many("held", wire.BulkRequest(count=3))
        wait_until(lambda: loud.slots().team.fair == SLOTS // 2, "nobody saw that quiet waits")
        bench.let_go("loud", 1)
        bench.run(loud=3, quiet=1)  # 56 of the backfill are ready, and none of them is next
        bench.let_go("loud", 1)
        bench.run(loud=2, quiet=2)
        for _ in range(2):  # each keeps to its own from here on
            bench.let_go("loud", 1)
            bench.run(loud=2, quiet=2)
        bench.let_go("quiet", 2)
        bench.run(loud=3, quiet=1)  # the last of the quiet ones, and a slot is lent again
        quiet.close()
        loud.close()
    finally:
        stop(server)
