"""Tasks that start runs of other DAGs, with a real server: ``trigger_dag``, and an operator of the DAG folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import wire
from headway.client import Client
from tests.cli.conftest import headway, served, wait_until

pytestmark = pytest.mark.long

OURS = """
from headway import Operator, Run, TimeDelta, defer

class Count(Operator):
    '''Counts to a number, after a while.'''
    to: int
    templated = ("text",)
    text: str = "{{ ds }}"

    def execute(self, run: Run):
        defer(TimeDelta(seconds=0.1), then=self.finish)

    def finish(self, found):
        return [self.text, *range(self.to)]
"""
DAGS = """
from headway import dag, run_result, task, trigger_dag
from ours import Count

@dag()
def child(size: int = 1):
    @task
    def work(size: int) -> int:
        if size < 0:
            raise ValueError("too small")
        return size

    work(size)

@dag()
def parent():
    @task
    def sizes():
        return [{"size": 1}, {"size": 2}]

    @task(trigger_rule="all_done")
    def told(run):
        return run["state"]

    each = trigger_dag.partial("each", dag_id="child", wait=True).expand(params=sizes())
    told.override(task_id="good")(trigger_dag("one", dag_id="child", wait=True, note="of {{ run_id }}"))
    trigger_dag("bad", dag_id="child", params={"size": -1}, wait=True)
    first = trigger_dag("first", dag_id="child", given_id="once-{{ run_id }}")
    first >> trigger_dag("second", dag_id="child", given_id="once-{{ run_id }}", if_exists="skip")
    trigger_dag("nobody", dag_id="nosuch")

@dag()
def lists(size: int = 2):
    @task
    def names(size: int) -> list[str]:
        return ["a", "b", "c"][:size]

    @task
    def each(name: str) -> str:
        return name.upper()

    @task
    def nothing() -> None:
        pass

    each.expand(name=names(size)) >> nothing()

@dag()
def reads():
    @task
    def told(one, several, runs) -> dict:
        return {"one": one, "several": several, "by hand": [run_result(run, "work") for run in runs]}

    one = trigger_dag("one", dag_id="child", params={"size": 5}, wait=True, result="work")
    several = trigger_dag("several", dag_id="lists", wait=True, result=["names", "each"])
    runs = trigger_dag.partial("runs", dag_id="child", wait=True).expand(params=[{"size": 1}, {"size": 2}])
    told(one, several, runs)
    trigger_dag("none", dag_id="lists", wait=True, result="nothing")
    trigger_dag("unknown", dag_id="lists", wait=True, result="nosuch")

@dag()
def counts():
    @task
    def size(found: list) -> int:
        return len(found)

    size(Count("count", to=3))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    files = {"ours.py": OURS, "starts.py": DAGS}
    with served(tmp_path_factory.mktemp("triggering"), data, files, "counts") as home:
        yield home


def ended(client: Client, run_id: str) -> wire.Run:
    over = ("success", "failed", "cancelled")
    wait_until(lambda: client.run(run_id, wait_s=5.0).state in over, "no end")
    return client.run(run_id)


def of(client: Client, run_id: str) -> list[wire.Run]:
    """Return the runs of the child that this run started."""
    found = client.runs(100, dag_id="child")
    return [run for run in found if run.created_by.startswith(f"task:parent/{run_id}/")]


def test_runs_are_started_waited_for_and_told(folder: Path, client: Client) -> None:
    run_id = client.trigger("parent", wire.TriggerRequest()).run_id
    assert ended(client, run_id).state == "failed"
    found = {f"{each.task_id}[{each.map_index}]": each for each in client.instances(run_id)}
    states = {name: each.state for name, each in found.items()}
    assert states == {
        "sizes[-1]": "success",
        "each[0]": "success",
        "each[1]": "success",
        "one[-1]": "success",
        "good[-1]": "success",
        "bad[-1]": "failed",
        "first[-1]": "success",
        "second[-1]": "skipped",
        "nobody[-1]": "failed",
    }
    runs = of(client, run_id)
    assert sorted(run.params["size"] for run in runs) == [-1, 1, 1, 1, 2]
    assert {run.created_by.partition("/")[0] for run in runs} == {"task:parent"}
    assert [run.note for run in runs if run.note] == [f"of {run_id}"]
    why = headway("why", run_id, "bad", cwd=folder).stdout
    assert "failed" in why
    assert "no DAG 'nosuch'" in headway("why", run_id, "nobody", cwd=folder).stdout
    results = {xcom.task_id: xcom.value for xcom in client.xcoms(run_id) if xcom.map_index < 0}
    assert results["good"] == "success"
    assert results["first"]["run_id"] in {run.run_id for run in runs}


def test_results_of_started_runs_are_read(folder: Path, client: Client) -> None:
    run_id = client.trigger("reads", wire.TriggerRequest()).run_id
    assert ended(client, run_id).state == "failed"
    results = {xcom.task_id: xcom.value for xcom in client.xcoms(run_id) if xcom.map_index < 0}
    assert results["one"] == 5
    assert results["told"] == {
        "one": 5,
        "several": {"names": ["a", "b"], "each": ["A", "B"]},
        "by hand": [1, 2],
    }
    states = {each.task_id: each.state for each in client.instances(run_id)}
    assert (states["none"], states["unknown"]) == ("failed", "failed")
    assert "returned no result" in headway("why", run_id, "none", cwd=folder).stdout
    assert "has no task 'nosuch'" in headway("why", run_id, "unknown", cwd=folder).stdout


def test_what_is_cleared_starts_another_run(folder: Path, client: Client) -> None:
    run_id = client.trigger("parent", wire.TriggerRequest()).run_id
    ended(client, run_id)
    before = {run.run_id for run in of(client, run_id)}
    assert headway("clear", run_id, "one", cwd=folder).returncode == 0
    wait_until(lambda: len(of(client, run_id)) == len(before) + 1, "no other run was started")


def test_an_operator_of_the_folder_runs_and_goes_on(folder: Path, client: Client) -> None:
    run_id = client.trigger("counts", wire.TriggerRequest()).run_id
    assert ended(client, run_id).state == "success"
    assert client.instance(run_id, "count", None).attempts == 1
    (size,) = [xcom.value for xcom in client.xcoms(run_id) if xcom.task_id == "size"]
    assert size == 4
    assert client.tasks(run_id)[0].kind == "Count"
