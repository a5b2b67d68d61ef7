"""The loader as the process it is: a saved file is live by itself, and kill -9 leaves nothing half."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection

from headway import clock
from tests.loader.conftest import Folder, dags

PATIENCE_S = 60.0
# With a poll that never comes in time, only what wakes the loader can make a change live.
WITHOUT_POLL = "from headway.loader import loader; loader.POLL_S = 3600.0; loader.main()"
KILL_AFTER_S = (0.05, 0.3, 0.5, 0.7, 0.9)


@contextmanager
def running(
    dsn: str, data: Path, folder: Folder, code: tuple[str, ...] = ("-m", "headway.loader.loader")
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            *(sys.executable, *code, "--dsn", "-", "--team", "default"),
            *("--data", str(data), "--dags", str(folder.root)),
        ],
        stdin=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(dsn + "\n")
    process.stdin.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(conn: Connection[Any], expected: dict[str, int]) -> None:
    """Until the DAGs have these versions."""
    start = clock.monotonic()
    while {dag_id: row[0] for dag_id, row in dags(conn).items()} != expected:
        assert clock.monotonic() - start < PATIENCE_S, dags(conn)
        clock.sleep(0.01)


def test_a_saved_file_is_live_and_sigterm_ends_in_order(
    dsn: str, tmp_path: Path, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("a.py", "one")
    with running(dsn, tmp_path / "data", folder, ("-c", WITHOUT_POLL)) as process:
        wait_for(conn, {"one": 1})
        folder.dag("a.py", "one", tag="b")
        wait_for(conn, {"one": 2})
        folder.dag("new/b.py", "two")
        wait_for(conn, {"one": 2, "two": 1})
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def test_kill_9_and_restart(
    dsn: str, tmp_path: Path, folder: Folder, conn: Connection[Any]
) -> None:
    for number in range(20):
        folder.dag(f"{number:02}.py", f"dag{number}")
    data = tmp_path / "data"
    for delay_s in KILL_AFTER_S:
        with running(dsn, data, folder):
            clock.sleep(delay_s)
    with running(dsn, data, folder):
        wait_for(conn, {f"dag{number}": 1 for number in range(20)})
    whole = {path.name: path.read_text() for path in folder.root.iterdir()}
    copies = (path for path in (data / "bundles").iterdir() if path.is_dir())
    for bundle in (path for path in copies if path.name[0] != "."):
        assert {path.name: path.read_text() for path in bundle.iterdir()} == whole


def test_the_end_of_the_loader_ends_its_imports(
    dsn: str, tmp_path: Path, folder: Folder, conn: Connection[Any]
) -> None:
    pids = tmp_path / "pids"
    folder.write(
        "hang.py",
        "import headway, os, pathlib, time\n"
        f"pathlib.Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{os.getppid()}}')\n"
        "time.sleep(60)\n",
    )
    folder.dag("a.py", "one")
    with running(dsn, tmp_path / "data", folder):
        wait_for(conn, {"one": 1})
        while not pids.exists() or not pids.read_text():
            clock.sleep(0.01)
    start = clock.monotonic()
    for pid in pids.read_text().split():
        while is_alive(int(pid)):
            assert clock.monotonic() - start < PATIENCE_S
            clock.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
