"""An overdue partition, with a real server: its DAG's function is called, and a webhook is told."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from headway.client import Client
from headway.outbound.addresses import VARIABLE
from headway.pg import Server
from tests.cli.conftest import headway, served, wait_until
from tests.outbound.receiver import Receiver, receiving

pytestmark = pytest.mark.long

DAGS = """
from datetime import timedelta
from headway import Asset, PartitionedAssets, Run, StartOfHourMapper, dag, task

def tell(run: Run, reason: str):
    print("told of", run.partition, "without a run" if not run.run_id else run.run_id)
    print(reason)

@dag(
    schedule=PartitionedAssets(Asset("clicks"), StartOfHourMapper(), due=timedelta(0)),
    on_overdue_callback=tell,
)
def hourly():
    @task
    def use() -> None: ...
    use()
"""
# As if the server had looked two hours ago, and not since.
AGO = """
    UPDATE dag SET partitions_due_at = now(), partitions_due_from = date_trunc('hour', now()) - interval '1 hour'
    WHERE dag_id = 'hourly' AND partitions_due_from IS NOT NULL
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def folder(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(VARIABLE, "127.0.0.0/8")
    with served(tmp_path, data, {"hourly.py": DAGS}, "hourly") as home:
        yield home


def test_an_overdue_partition_is_told_and_calls_its_function(
    folder: Path, client: Client, receiver: Receiver
) -> None:
    create = ("webhook", "outbound", "create", "out", receiver.url)
    done = headway(*create, "--event", "partition.overdue", "--dag", "hourly", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "partition.overdue" in headway("webhook", "outbound", "ls", cwd=folder).stdout

    def moved() -> bool:
        with psycopg.connect(Server(folder / ".headway").dsn) as conn:
            return conn.execute(AGO).rowcount == 1

    wait_until(moved, "the DAG was not looked at")
    told = receiver.next().told
    assert (told["event"], told["dag_id"], told["arrived"]) == (
        "partition.overdue",
        "hourly",
        False,
    )

    def calls() -> list[str]:
        found = client.runs(10, dag_id="hourly.callbacks")
        return [run.run_id for run in found if run.state == "success"]

    wait_until(lambda: bool(calls()), "the function was not called")
    run_id = calls()[-1]
    log = headway("logs", run_id, "call", cwd=folder).stdout
    assert f"told of {told['partition']} without a run" in log
    assert f"the partition {told['partition']} was due at" in log
    assert told["partition"] in str(client.run(run_id).note)
    shown = headway("webhook", "outbound", "show", "out", cwd=folder).stdout
    assert told["partition"] in shown
    assert client.runs(10, dag_id="hourly") == []
