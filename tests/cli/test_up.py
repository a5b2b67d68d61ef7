"""Starting and stopping: what is refused, what survives."""

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from headway import clock
from headway.config import Layout, read_server_file
from headway.pg import Server
from headway.store.transact import connect
from tests.cli.conftest import (
    DAGS,
    PATIENCE_S,
    children_of,
    copy_data,
    headway,
    start,
    stop,
    wait_for,
)
from tests.processes import begin

pytestmark = pytest.mark.long

YEARLY = """
from datetime import datetime

from headway import dag, task


@dag(schedule="0 0 1 1 *", start_date=datetime(2020, 1, 1), catchup=True)
def yearly():
    @task
    def nothing() -> None:
        pass

    nothing()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "demo.py").write_text(DAGS)
    return tmp_path


@pytest.fixture
def used(folder: Path, data: Path) -> Path:
    """One in which Headway ran before."""
    copy_data(data, folder)
    return folder


def test_a_run_needs_no_server_and_the_next_start_knows_it(folder: Path) -> None:
    """A single run does not catch up on schedules either; the start after it may."""
    (folder / "dags" / "yearly.py").write_text(YEARLY)
    done = headway("run", "dags/yearly.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    with Server(folder / ".headway").running() as dsn:
        assert run_ids(dsn) == {done.stdout.strip()}
    unreachable = headway("ls", cwd=folder)
    assert (unreachable.returncode, "headway up" in unreachable.stderr) == (4, True)
    process = start(folder)
    assert done.stdout.strip() in headway("ls", "runs", cwd=folder).stdout
    (folder / "dags" / "broken.py").write_text("import headway\n\nx = 1 +\n")
    deadline = clock.monotonic() + PATIENCE_S
    while "broken.py:3" not in headway("ls", "errors", cwd=folder).stdout:
        assert clock.monotonic() < deadline
    said = stop(process)
    assert "broken.py:3" in said
    assert "stopped" in said


def test_what_is_killed_comes_back_and_a_killed_server_leaves_nothing(used: Path) -> None:
    process = start(used)
    server = read_server_file(Layout(used / ".headway"))
    assert server is not None
    children = children_of(process.pid)
    scheduler = next(pid for pid, line in children.items() if "engine.scheduler" in line)
    os.kill(scheduler, signal.SIGKILL)
    before = headway("run", "hello", cwd=used)
    assert before.returncode == 0, before.stderr
    assert scheduler not in children_of(process.pid)
    os.kill(postmaster_of(used), signal.SIGKILL)
    deadline = clock.monotonic() + PATIENCE_S
    while (done := headway("run", "hello", cwd=used)).returncode != 0:
        assert clock.monotonic() < deadline, done.stderr
    assert before.stdout.strip() in headway("ls", "runs", cwd=used).stdout
    children = children_of(process.pid)
    process.kill()
    process.wait()
    assert process.stderr is not None
    assert "the database stopped; restarting it" in process.stderr.read()
    process.stderr.close()
    deadline = clock.monotonic() + PATIENCE_S
    ours = [pid for pid, line in children.items() if "headway.up.tether" in line]
    assert ours
    while any(Path(f"/proc/{pid}").exists() for pid in ours):
        assert clock.monotonic() < deadline, "they did not die with their parent"
        clock.sleep(0.05)
    stop(start(used))  # the orphaned database is adopted, then stopped


def postmaster_of(folder: Path) -> int:
    return int((folder / ".headway/postgres/postmaster.pid").read_text().split()[0])


def test_a_backup_is_written_while_it_runs_and_restored_when_it_does_not(used: Path) -> None:
    process = start(used)
    saved = headway("run", "hello", cwd=used).stdout.strip()
    backup = headway("backup", cwd=used)
    assert backup.returncode == 0, backup.stderr
    later = headway("run", "hello", cwd=used).stdout.strip()
    refused = headway("restore", backup.stdout.strip(), cwd=used)
    assert (refused.returncode, "in use by process" in refused.stderr) == (2, True)
    stop(process)
    absent = headway("restore", "nowhere.dump", cwd=used)
    assert (absent.returncode, "the backup does not exist" in absent.stderr) == (2, True)
    done = headway("restore", backup.stdout.strip(), cwd=used)
    assert done.returncode == 0, done.stderr
    kept = done.stdout.strip()
    assert kept in done.stderr
    assert "not part of this backup" in done.stderr
    with Server(used / ".headway").running() as dsn:
        assert run_ids(dsn) == {saved}
        assert run_ids(make_conninfo(dsn, dbname=kept)) == {saved, later}


def run_ids(dsn: str) -> set[str]:
    with connect(dsn) as conn:
        return {run_id for (run_id,) in conn.execute("SELECT run_id FROM run")}


def test_a_database_that_is_gone_is_one_clear_error(used: Path) -> None:
    database = Server(used / "elsewhere")
    process = start(used, "--database-url", database.start())
    database.stop()
    asked = (("ls",), ("why", "@latest"))
    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda words: headway(*words, cwd=used), asked))
    for done in answers:
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        assert done.stderr.splitlines() == [
            "error: the database does not answer",
            "  to find the cause, run: headway doctor",
        ]
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


def test_ctrl_c_cancels_a_run_without_a_server(used: Path) -> None:
    running = begin("run", "dags/demo.py:slow", "-p", f"gate={used / 'gate'}", cwd=used)
    wait_for(used / "gate.reached")
    running.send_signal(signal.SIGINT)
    printed, said = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 1
    assert "cancelling the run" in said
    assert "cancelled in" in said
    with Server(used / ".headway").running() as dsn, connect(dsn) as conn:
        found = conn.execute("SELECT run_id, state FROM run").fetchall()
    assert found == [(printed.strip(), "cancelled")]


def test_a_busy_port_changes_nothing(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = headway("up", "--port", str(port), cwd=folder)
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr
    assert not (folder / ".headway").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--dags", "nowhere"), 2, "does not exist"),
        (("--database-url", "postgresql://localhost:1/x"), 4, "cannot reach"),
        (("--data", "/proc/headway"), 4, "cannot use the data directory"),
        (("--host", "no.such.host.invalid"), 2, "not an address"),
        (("--slots", "0"), 2, "slots"),
    ],
)
def test_what_cannot_start_says_so_once(
    folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = headway("up", "--port", "0", *arguments, cwd=folder)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
