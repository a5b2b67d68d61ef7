"""``headway up`` with a log store: real processes, a real S3 server."""

import io
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headway import clock
from headway.agent.processes import children_of
from headway.config import Layout, read_server_file
from headway.logs import status
from headway.logs.remote import Remote, open_store
from headway.paths import log_path, stored_log
from tests.cli.conftest import DAGS, PATIENCE_S, copy_data, headway, start, stop, wait_for
from tests.logs import s3
from tests.logs.s3 import Store
from tests.processes import begin

pytestmark = pytest.mark.long

SECRET = "a-secret-of-the-store"
CURIOUS = """
import os
from pathlib import Path

from headway import Fail, Run, dag, task


@dag()
def curious():
    @task
    def look() -> None:
        for place in ("self", str(os.getppid())):
            seen = Path(f"/proc/{place}/environ").read_bytes().split(b"\\0")
            names = {one.partition(b"=")[0].decode() for one in seen if one} | set(os.environ)
            print("PATH is there:", "PATH" in names)
            print("found:", [name for name in sorted(names) if "AWS" in name])

    look()
"""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while not condition():
        assert clock.monotonic() < deadline, what
        clock.sleep(0.02)


class Home:
    """A folder with DAGs, its server and its store."""

    def __init__(self, folder: Path, remote: Remote, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.remote = remote
        self.process = process
        self.layout = Layout(folder / ".headway")

    def run(self, *arguments: str) -> str:
        done = headway("run", *arguments, cwd=self.folder)
        return done.stdout.strip()

    def log(self, run_id: str, task_id: str) -> Path:
        return self.layout.data / log_path(run_id, task_id, -1, 1)

    def stored(self, run_id: str, task_id: str, number: int = 1) -> bytes | None:
        file = io.BytesIO()
        name = stored_log("default", log_path(run_id, task_id, -1, number))
        return file.getvalue() if self.remote.fetch_whole(name, file) else None

    def live(self, run_id: str, task_id: str) -> bytes:
        file = io.BytesIO()
        self.remote.fetch_parts(stored_log("default", log_path(run_id, task_id, -1, 1)), file)
        return file.getvalue()

    def component(self, name: str) -> int:
        """Its process."""
        shown = headway("doctor", cwd=self.folder).stdout
        found = re.search(rf"{name}\s.*process (\d+)", shown)
        assert found is not None, shown
        return int(found[1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path, s3_server: Store) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    (folder / "dags").mkdir()
    (folder / "dags" / "demo.py").write_text(DAGS)
    (folder / "dags" / "curious.py").write_text(CURIOUS)
    copy_data(data, folder)
    s3_server.make_bucket("of-up")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.variables.items():
            patch.setenv(name, value)
        patch.setenv("AWS_PROFILE", "of-nobody")
        process = start(folder, "--log-store", "s3://of-up/logs")
    remote = open_store("s3://of-up/logs", s3_server.variables)
    until(lambda: "curious" in headway("ls", cwd=folder).stdout, "the DAGs were not loaded")
    yield Home(folder, remote, process)
    stop(process)


def test_what_has_ended_is_in_the_store_as_text(home: Home, s3_server: Store) -> None:
    run_id = home.run("sad")
    until(lambda: home.stored(run_id, "weep") is not None, "it was not shipped")
    assert home.stored(run_id, "weep") == home.log(run_id, "weep").read_bytes()
    text, kind = s3_server.read(f"s3://of-up/logs/default/{run_id}/weep/-1/1.log")
    assert b"before the tears" in text
    assert kind == "text/plain; charset=utf-8"
    assert not home.live(run_id, "weep")
    shutil.rmtree(home.layout.logs / run_id)
    assert headway("logs", run_id, "weep", cwd=home.folder).stdout.encode() == text


def test_what_runs_is_in_the_store_already(home: Home, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = begin("run", "slow", "-p", f"gate={gate}", cwd=home.folder)
    wait_for(Path(f"{gate}.reached"))
    run_id = newest(home, "slow")
    until(lambda: b"before the gate" in home.live(run_id, "wait"), "no part came")
    gate.touch()
    assert running.communicate(timeout=PATIENCE_S)[0].strip() == run_id
    until(lambda: home.stored(run_id, "wait") is not None, "it was not shipped")
    text = home.stored(run_id, "wait")
    assert text is not None
    assert text.endswith(b"behind the gate\n")
    assert not home.live(run_id, "wait")


def test_an_agent_that_is_killed_leaves_a_log_with_a_reason(home: Home, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = begin("run", "slow", "-p", f"gate={gate}", cwd=home.folder)
    wait_for(Path(f"{gate}.reached"))
    run_id = newest(home, "slow")
    until(lambda: b"before the gate" in home.live(run_id, "wait"), "no part came")
    os.kill(home.component("agent"), signal.SIGKILL)
    until(lambda: home.stored(run_id, "wait") is not None, "it was not shipped")
    text = home.stored(run_id, "wait")
    assert text is not None
    *_, printed, reason = text.decode().splitlines()
    assert printed.endswith("before the gate")
    assert reason.endswith("headway: lost: the agent ended before this log was closed")
    gate.touch()  # the next attempt goes through, once the session of the first is over
    running.kill()
    running.communicate(timeout=PATIENCE_S)


def test_no_task_and_no_agent_has_the_key_of_the_store(home: Home) -> None:
    run_id = home.run("curious")
    text = home.log(run_id, "look").read_text()
    assert text.count("PATH is there: True") == 2
    assert text.count("found: []") == 2
    server = read_server_file(home.layout)
    assert server is not None
    commands = b""
    for pid in (server.pid, *children_of(server.pid)):
        assert SECRET.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        commands += Path(f"/proc/{pid}/cmdline").read_bytes()
    assert SECRET.encode() not in commands
    for module in (b"engine.scheduler", b"loader.loader", b"headway.agent", b"headway.logs"):
        assert module in commands


def newest(home: Home, dag_id: str) -> str:
    runs = headway("ls", "runs", "--dag", dag_id, "-o", "json", "--limit", "1", cwd=home.folder)
    found = re.search(r'"run_id": ?"(\w+)"', runs.stdout)
    assert found is not None, runs.stdout + runs.stderr
    return found[1]


def test_a_store_that_is_away_changes_no_result_and_gets_all_later(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "demo.py").write_text(DAGS)
    with s3.running() as store, pytest.MonkeyPatch.context() as patch:
        store.make_bucket("late")
        for name, value in store.variables.items():
            patch.setenv(name, value)
        with store.trouble(403, "AccessDenied"):
            process = start(tmp_path, "--log-store", "s3://late")
            home = Home(tmp_path, open_store("s3://late", store.variables), process)
            until(lambda: "sad" in headway("ls", cwd=tmp_path).stdout, "the DAGs were not loaded")
            done = headway("run", "hello", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            until(lambda: waiting(home.layout) == 3, "they do not wait")
            doctor = headway("doctor", cwd=tmp_path)
            assert doctor.returncode == 1
            assert "3 logs wait for the log store" in doctor.stdout
            assert "AccessDenied" in doctor.stdout
        until(lambda: waiting(home.layout) == 0, "they were not shipped")
        names = home.remote.names("default", done.stdout.strip())
        assert {name.rpartition("/greet/")[2] for name in names} == {
            "0/1.log",
            "1/1.log",
            "2/1.log",
        }
        stop(process)


@pytest.mark.stress
def test_what_a_lost_machine_had_shipped_is_read_with_the_reason(
    tmp_path: Path, s3_server: Store
) -> None:
    """Everything is killed at once, and the files are gone; the database goes on elsewhere."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "demo.py").write_text(DAGS)
    gate = tmp_path / "gate"
    s3_server.make_bucket("of-the-lost")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.variables.items():
            patch.setenv(name, value)
        process = start(tmp_path, "--log-store", "s3://of-the-lost")
        home = Home(tmp_path, open_store("s3://of-the-lost", s3_server.variables), process)
        until(lambda: "sad" in headway("ls", cwd=tmp_path).stdout, "the DAGs were not loaded")
        running = begin("run", "slow", "-p", f"gate={gate}", cwd=tmp_path)
        wait_for(Path(f"{gate}.reached"))
        run_id = newest(home, "slow")
        until(lambda: b"before the gate" in home.live(run_id, "wait"), "no part came")
        components = [
            pid
            for pid in children_of(process.pid)
            if b"headway.up.tether" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        os.kill(process.pid, signal.SIGSTOP)  # so that it starts nothing again
        for pid in (*components, process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)
        running.communicate(timeout=PATIENCE_S)
        shutil.rmtree(home.layout.logs / run_id)
        shutil.rmtree(home.layout.spool)
        gate.touch()
        home.process = start(tmp_path, "--log-store", "s3://of-the-lost")
        until(lambda: home.stored(run_id, "wait", 2) is not None, "it was not repeated")
        first = headway("logs", run_id, "wait", "--attempt", "1", cwd=tmp_path).stdout.splitlines()
        assert first[0].endswith("before the gate")
        assert "the log ends here: the rest did not reach the log store" in first[1]
        assert "no_heartbeat" in first[1]
        assert len(first) == 2
        stop(home.process)


def waiting(layout: Layout) -> int:
    shipping = status.read(layout)
    return -1 if shipping is None else shipping.waiting


@pytest.mark.parametrize("url", ["/tmp/logs", "gs://x/y", "s3:///logs"])
def test_an_address_that_is_no_store_is_refused_at_once(tmp_path: Path, url: str) -> None:
    (tmp_path / "dags").mkdir()
    done = headway("up", "--log-store", url, cwd=tmp_path)
    assert done.returncode == 2
    assert "is not a valid log store URL" in done.stderr
    assert not (tmp_path / ".headway").exists()
