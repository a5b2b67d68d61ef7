"""A data directory that components share: who holds it is told by name, to a server, to commands and to agents."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import config, holders
from headway.cli.agent import agent
from headway.client import client_of
from headway.config import Layout, Lock
from headway.errors import Conflict, NotReachable, UsageError
from tests.cli.conftest import PATIENCE_S, headway

HOLDING = """
import sys
from collections.abc import Iterator
from pathlib import Path
from headway.config import Layout, Lock

Lock(Layout(Path(sys.argv[1]))).join("headway scheduler")
print("holds it", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(tmp_path / ".headway")
    found.prepare()
    return found


@pytest.fixture
def shared(layout: Layout) -> Iterator[Layout]:
    """A data directory that an API server and a scheduler share to the end of the test."""
    locks = [Lock(layout), Lock(layout)]
    locks[0].join("headway api", "http://127.0.0.1:9090")
    locks[1].join("headway scheduler")
    yield layout
    for lock in locks:
        lock.release()
    assert config.components(layout) == []


def test_a_server_is_told_which_components_hold_it(shared: Layout) -> None:
    with pytest.raises(Conflict, match=r"headway api \(process \d+ on .*\), headway scheduler \("):
        Lock(shared).acquire()
    refused = headway("up", "--dags", ".", cwd=shared.data.parent)
    assert refused.returncode == 2
    assert "components that run by themselves: headway api (process" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_who_was_killed_holds_it_no_more(layout: Layout) -> None:
    command = [sys.executable, "-c", HOLDING, str(layout.data)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds it\n"
        (one,) = config.components(layout)
        assert (one.name, one.pid) == ("headway scheduler", process.pid)
        process.kill()
        process.wait(PATIENCE_S)
    assert config.components(layout) == []
    assert list(layout.holders.iterdir()) == []
    lock = Lock(layout)
    lock.acquire()
    lock.release()


def test_a_command_says_how_the_server_is_reached(shared: Layout) -> None:
    with pytest.raises(NotReachable, match="reached by its address") as caught:
        client_of(shared)
    assert "export HEADWAY_URL=http://127.0.0.1:9090 HEADWAY_TOKEN=$(cat" in str(caught.value)
    folder = shared.data.parent
    (folder / "dags").mkdir()
    for command in (
        ("ls",),
        ("run", "work"),
        ("backfill", "work", "--from", "2013-01-01", "--to", "2013-01-02"),
    ):
        refused = headway(*command, cwd=folder)
        assert refused.returncode == 4, (command, refused.stderr)
        assert "HEADWAY_URL=http://127.0.0.1:9090 HEADWAY_TOKEN=" in refused.stderr


def test_an_agent_takes_no_data_directory_of_a_server(layout: Layout, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hwa_secret")
    with pytest.raises(UsageError, match="data directory of a server") as caught:
        agent("tls://127.0.0.1:1", token, data=layout.data)
    assert "--data .headway-agent" in str(caught.value)
    assert not (layout.run / "scratch").exists()


def test_a_damaged_file_of_a_component_is_passed_over(shared: Layout) -> None:
    (shared.holders / "x").write_text("{")
    assert [each.name for each in holders.found(shared.holders)] == [
        "headway api",
        "headway scheduler",
    ]
