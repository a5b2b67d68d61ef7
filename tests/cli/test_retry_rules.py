"""Retry rules with real processes, which raise, exit, are killed or take too long, and what people are told of it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headway.client import client_of
from headway.config import Layout
from tests.cli.conftest import copy_data, headway, start, stop, wait_for_dag, wait_until

pytestmark = pytest.mark.long

DAGS = """
import os, signal, time
from headway import RetryRule, Run, bash, dag, task

class NoFlights(LookupError): pass

POLICY = [
    RetryRule("NoFlights", retries=2, retry_delay=0, reason="they come late"),
    RetryRule([ValueError, "timeout"], retries=0, reason="no use"),
    RetryRule(exit_code=[75, 137], retries=3, retry_delay=0),
    RetryRule("oom", retries=1, retry_delay=0),
    RetryRule(Exception, retries=1, retry_delay=0),
]

@dag(default_args={"retries": 9, "retry_delay": 0, "retry_policy": POLICY})
def causes():
    @task
    def own():
        raise NoFlights("none")

    @task
    def wrong():
        raise ValueError("no")

    @task(execution_timeout=0.2)
    def slow():
        time.sleep(600)

    @task
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def exits():
        os._exit(75)

    @task(memory_limit="100MB")
    def hungry():
        held = bytearray(400_000_000)
        time.sleep(600)
        return len(held)

    @task
    def other():
        raise KeyError("x")

    @task(retry_policy=None, retries=2)
    def plain():
        raise NoFlights("none")

    for each in (own, wrong, slow, killed, exits, hungry, other, plain):
        each()
    bash(task_id="shell", command="exit 75")
    bash(task_id="recovers", command="test $HEADWAY_TRY_NUMBER -gt 2 || exit 75")

@dag()
def later():
    @task(retries=1, retry_policy=RetryRule(ConnectionError, retries=4, retry_delay=86_400))
    def waits():
        raise ConnectionRefusedError("not yet")
    waits()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("rules")
    copy_data(data, folder)
    (folder / "dags").mkdir()
    (folder / "dags" / "causes.py").write_text(DAGS)
    process = start(folder)
    try:
        for dag_id in ("causes", "later"):
            wait_for_dag(folder / ".headway", dag_id)
        yield folder
    finally:
        stop(process)


def test_every_end_of_a_process_has_its_rule(folder: Path) -> None:
    done = headway("run", "causes", "--output", "json", cwd=folder)
    ran = json.loads(done.stdout.splitlines()[-1])
    instances = {each["task_id"]: each for each in ran["task_instances"]}
    assert {name: (each["state"], each["attempts"]) for name, each in instances.items()} == {
        "own": ("failed", 3),
        "wrong": ("failed", 1),
        "slow": ("failed", 1),
        "killed": ("failed", 4),
        "exits": ("failed", 4),
        "hungry": ("failed", 2),
        "other": ("failed", 2),
        "plain": ("failed", 3),
        "shell": ("failed", 4),
        "recovers": ("success", 3),
    }
    with closing(client_of(Layout(folder / ".headway"))) as client:
        said = {each.task_id: each.reason or "" for each in client.instances(ran["run_id"])}
        events = [each.reason or "" for each in client.events(ran["run_id"])]
    assert said["own"].endswith(
        "(failed 3 times: retry rule 1 for causes.NoFlights allows 2 retries: they come late)"
    )
    assert said["wrong"] == "ValueError: no (retry rule 2 for ValueError allows no retry: no use)"
    assert "(retry rule 2 for timeout allows no retry: no use)" in said["slow"]
    assert "(failed 4 times: retry rule 3 for exit code 137 allows 3 retries)" in said["killed"]
    assert "(failed 4 times: retry rule 3 for exit code 75 allows 3 retries)" in said["exits"]
    assert "retry rule 3 for exit code 75 allows 3 retries)" in said["shell"]
    assert "retry rule 4 for out of memory allows 1 retry)" in said["hungry"]
    assert "retry rule 5 for Exception allows 1 retry)" in said["other"]
    assert said["plain"].endswith("(failed 3 times: all 2 retries are used up)")
    told = headway("why", ran["run_id"], "own", cwd=folder).stdout
    assert "\n  failed 3 times: retry rule 1 for causes.NoFlights allows 2 retries" in told
    for command in (("why", ran["run_id"], "wrong"), ("show", ran["run_id"], "wrong")):
        assert "retry rule 2 for ValueError" in headway(*command, cwd=folder).stdout
    naps = "retry 1 of 2 by retry rule 1 for causes.NoFlights: they come late"
    assert any(naps in reason for reason in events)


def test_a_retry_says_when_and_which_of_how_many(folder: Path) -> None:
    run_id = headway("run", "later", "--detach", cwd=folder).stdout.strip()

    def why() -> str:
        return headway("why", run_id, "waits", cwd=folder).stdout

    wait_until(lambda: "up_for_retry" in why(), "the task does not wait for a retry")
    assert "(retry 1 of 4 by retry rule 1 for ConnectionError); retries at" in why()
    assert "attempt 2 of 5" in why()
    assert "attempt 2 of 5" in headway("show", run_id, cwd=folder).stdout
    assert "1, 1 rule" in headway("show", "later", cwd=folder).stdout
    assert "attempt 2 of 5" in headway("why", run_id, cwd=folder).stdout
