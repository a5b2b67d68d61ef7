"""A pool that one team lends to another, by the commands of both: what its tasks wait for, and who has which slots."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import copy_data, headway, start, stop, wait_until

pytestmark = pytest.mark.long

Told = Callable[..., str]

DAG = """
import time
from pathlib import Path
from headway import Run, dag, task

@dag()
def trains(gate: str = "/nowhere"):
    @task(pool="{pool}")
    def train(run: Run) -> None:
        while not Path(run.params["gate"]).exists():
            time.sleep(0.01)

    train()
"""


@pytest.fixture
def cli(tmp_path: Path, data: Path) -> Iterator[Told]:
    copy_data(data, tmp_path)
    for team, pool in (("marketing", "gpu"), ("science", "@marketing/gpu")):
        (tmp_path / "teams" / team).mkdir(parents=True)
        (tmp_path / "teams" / team / "trains.py").write_text(DAG.format(pool=pool))
    (tmp_path / "teams" / "headway-teams.yaml").touch()
    server = start(tmp_path, "--dags", "teams")

    def command(team: str, *arguments: str) -> str:
        done = headway(*arguments, "--team", team, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield command
    stop(server)


def test_why_and_ls_say_what_is_shared(cli: Told, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    def begun(team: str) -> str:
        return cli(team, "run", "trains", "-p", f"gate={gate}", "--detach").strip()

    def says(team: str, run_id: str, words: str) -> None:
        wait_until(lambda: words in cli(team, "why", run_id, "train"), f"why does not say {words}")

    cli("marketing", "pool", "set", "gpu", "1")
    of_science = begun("science")
    says(
        "science",
        of_science,
        "pool `gpu` of team `marketing` is not, or no longer, shared with this team:"
        " headway grant ask --team science marketing use_pool gpu",
    )
    of_marketing = begun("marketing")
    says("marketing", of_marketing, "running")
    cli("marketing", "grant", "give", "science", "use_pool", "gpu")
    says(
        "science",
        of_science,
        "pool `gpu` of team `marketing`, which teams share, has 1 slot:"
        " this team uses 0 of the 0 that it may use now",
    )
    rows = [line.split() for line in cli("marketing", "pool", "ls").splitlines()]
    head = ["POOL", "SLOTS", "USED", "MAY", "USE", "WAITING", "LENT", "TO"]
    assert rows[0] == head
    (row,) = [row for row in rows if row[0] == "gpu"]
    assert (row[:3], row[4:]) == (["gpu", "1", "1"], ["0", "science", "0"])
    (lent,) = [
        pool
        for pool in json.loads(cli("science", "pool", "ls", "-o", "json"))
        if pool["name"] == "@marketing/gpu"
    ]
    assert (lent["slots"], lent["used"], lent["allotted"], lent["lent_to"]) == (1, 0, 0, [])
    assert lent["waiting"] == 1
    gate.touch()
    for team, run_id in (("marketing", of_marketing), ("science", of_science)):
        wait_until(lambda t=team, r=run_id: "succeeded" in cli(t, "why", r), "it does not end")  # type: ignore[misc]
