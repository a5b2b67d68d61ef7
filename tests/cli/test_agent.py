"""``headway agent`` on a machine that shares nothing with the server: by TLS, with a certificate of a CA of our own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headway.cli.agent import agent
from headway.config import agents_address
from headway.errors import UsageError
from tests.certificates import Authority, authority
from tests.cli.conftest import (
    PATIENCE_S,
    connected,
    copy_data,
    headway,
    start,
    stop,
    to_success,
    wait_for_dag,
    wait_until,
)
from tests.ports import free_port

DAGS = """
from headway import dag, task


@dag()
def far():
    @task(queue="far")
    def first() -> list[int]:
        print("far away")
        return list(range(50_000))

    @task
    def second(numbers: list[int]) -> int:
        return len(numbers)

    @task(queue="far")
    def third(length: int) -> None:
        print("got", length)

    third(second(first()))
"""


class Place:
    """A server with a gateway for agents of other machines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = authority(folder)
        self.certificate, self.key = self.authority.sign("gateway", "127.0.0.1")
        self.url = f"tls://127.0.0.1:{free_port()}"
        files = ("--certificate", str(self.certificate), "--key", str(self.key))
        self.process = start(folder, "--agents", self.url, *files)
        wait_for_dag(folder / ".headway", "far")
        self.client = connected(folder / ".headway")
        created = headway("token", "create", "far", "--agent", cwd=folder)
        (folder / "token").write_text(created.stdout)

    @contextmanager
    def agent(self, name: str, trusted: Authority) -> Iterator[None]:
        given = ("--server", self.url, "--token-file", "token", "--ca", str(trusted.ca))
        command = [
            *(sys.executable, "-m", "headway", "agent", *given),
            *("--data", str(self.folder / name), "--queue", "far", "--slots", "2"),
        ]
        with (self.folder / f"{name}.log").open("w") as told:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stderr=told,
            )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(PATIENCE_S)
        assert code == 0, self.said(name)

    def end_of_run(self) -> str:
        """Trigger the DAG, and return the id of its run when that has succeeded."""
        return to_success(self.client, "far")

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("far")
    (folder / "dags").mkdir()
    (folder / "dags" / "far.py").write_text(DAGS)
    copy_data(data, folder)
    place = Place(folder)
    yield place
    place.client.close()
    stop(place.process)


def test_an_agent_elsewhere_runs_tasks_and_shares_no_folder(place: Place) -> None:
    with place.agent("good", place.authority):
        run_id = place.end_of_run()
        assert "far away" in headway("logs", run_id, "first", cwd=place.folder).stdout
        assert "got 50000" in headway("logs", run_id, "third", cwd=place.folder).stdout
        logs = place.folder / "good" / "logs"
        assert list(logs.rglob("*.log")) == []  # they are the server's now


def test_an_agent_that_does_not_trust_the_server_says_so(place: Place, tmp_path: Path) -> None:
    with place.agent("wary", authority(tmp_path)):
        wait_until(lambda: "cannot connect to tls:" in place.said("wary"), "it did not say so")
    assert "certificate" in place.said("wary")


def test_a_renewed_certificate_is_used_without_a_restart(place: Place, tmp_path: Path) -> None:
    place.authority = authority(tmp_path)
    renewed = place.authority.sign("gateway", "127.0.0.1")
    for new, old in zip(renewed, (place.certificate, place.key), strict=True):
        new.replace(old)
    with place.agent("later", place.authority):
        place.end_of_run()


def test_mistakes_are_told_before_anything_starts(tmp_path: Path) -> None:
    for text in ("http://a:1", "tls:a:1", "tls://", "tls://a:1/x", "tls://a:port"):
        with pytest.raises(UsageError, match="address"):
            agents_address(text)
    assert agents_address("tls://a") == "tls:a:7077"
    empty = tmp_path / "token"
    empty.write_text("")
    with pytest.raises(UsageError, match="has no token"):
        agent("tls://a:1", empty)
    (tmp_path / "good").write_text("t")
    for text in ("", " \n"):
        empty.write_text(text)
        with pytest.raises(UsageError, match="has no certificates") as told:
            agent("tls://a:1", tmp_path / "good", ca=empty)
        assert told.value.where == str(empty)
    with pytest.raises(UsageError, match="cannot read it"):
        agent("tls://a:1", tmp_path / "missing")
    certificate, _ = authority(tmp_path).sign("one", "127.0.0.1")
    _, key = authority(tmp_path).sign("two", "127.0.0.1")
    done = headway(
        *("up", "--agents", "tls://127.0.0.1:1", "--certificate", str(certificate)),
        *("--key", str(key), "--dags", str(tmp_path)),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "cannot use the certificate of the gateway" in done.stderr
