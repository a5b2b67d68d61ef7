"""The usual limit of open files, and many who connect without a word: what is up stays up."""

import http.client
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from headway import clock
from headway.config import Layout, read_server_file
from tests.cli.conftest import PATIENCE_S, children_of, headway, start, stop

DAG = """
import resource
from pathlib import Path

from headway import Run, dag, task


@dag()
def limits(out: str = ""):
    @task
    def of_a_task(run: Run) -> None:
        Path(run.params["out"]).write_text(str(resource.getrlimit(resource.RLIMIT_NOFILE)))

    of_a_task()
"""
SOFT, HARD, CALLERS = 512, 1024, 1100
LIMITED = ("sh", "-c", f'ulimit -Sn {SOFT} && ulimit -Hn {HARD} && exec "$@"', "sh")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


@contextmanager
def callers(port: int) -> Iterator[None]:
    """As many as the kernel lets us hold, each with half a request."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * CALLERS:
        pytest.skip("too few descriptors for the test itself")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * CALLERS), hard))
    lines = []
    try:
        for _ in range(CALLERS):
            lines.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
            lines[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        yield
    finally:
        for line in lines:
            line.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def components(pid: int) -> dict[str, int]:
    """Their process ids by their modules."""
    found = {pid: line.split() for pid, line in children_of(pid).items()}
    return {words[5]: pid for pid, words in found.items() if "headway.up.tether" in words}


def test_many_who_connect_and_a_death_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "limits.py").write_text(DAG)
    process = start(tmp_path, within=LIMITED)
    server = read_server_file(Layout(tmp_path / ".headway"))
    assert server is not None
    port = urlsplit(server.url).port or 0
    first = components(process.pid)
    assert len(first) == 3, children_of(process.pid)
    for pid in (process.pid, *first.values()):
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (HARD, HARD)
    with callers(port):
        os.kill(first["headway.engine.scheduler"], signal.SIGKILL)
        deadline = clock.monotonic() + PATIENCE_S
        known = (None, first["headway.engine.scheduler"])
        while components(process.pid).get("headway.engine.scheduler") in known:
            assert process.poll() is None, "it ended"
            assert clock.monotonic() < deadline, "the scheduler did not come back"
            clock.sleep(0.05)
        while status_of(port, "/readyz") != 200:  # though all of them hold on
            assert clock.monotonic() < deadline
            clock.sleep(0.05)
        done = headway("run", "limits", "-p", f"out={tmp_path}/limits", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    # Tasks are other people's programs: some of them use select().
    assert (tmp_path / "limits").read_text() == str((SOFT, HARD))
    stop(process)
