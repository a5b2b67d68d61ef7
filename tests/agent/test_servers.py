"""The fork servers, driven without an agent: their limits are the test's."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from headway import clock
from headway.agent import servers, watch
from headway.agent.attempts import Attempt
from headway.agent.children import Child, Children
from headway.agent.loop import Loop
from headway.agent.masking import Masker
from headway.agent.servers import FileServer, Servers
from headway.agent.watch import Watch
from tests.agent.conftest import FLOW
from tests.agent.gateway import WAIT_S, Gateway, grant_of


class Listener:
    """Keeps what becomes of the servers."""

    def __init__(self) -> None:
        self.ready: list[str] = []
        self.gone: list[tuple[str, str, str]] = []
        self.shut: list[str] = []

    @property
    def asks(self) -> "Listener":
        return self

    def take(self, child: object, ask: object) -> None:
        raise AssertionError("nothing here asks for a secret")

    def call(self, child: object, name: str) -> None:
        raise AssertionError("nothing here is mapped")

    def server_ready(self, server: FileServer) -> None:
        self.ready.append(server.file)

    def server_gone(self, server: FileServer, cause: str, detail: str) -> None:
        self.gone.append((server.file, cause, detail))

    def server_shut(self, server: FileServer) -> None:
        self.shut.append(server.file)

    def child_started(self, mark: int, pid: int, at: float) -> None: ...

    def child_exited(self, mark: int, status: int, at: float) -> None: ...

    def outcome_came(self, child: Child) -> None: ...

    def base_gone(self) -> None: ...


class Driven:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = Loop()
        self.heard = Listener()
        scratch = folder / "scratch"
        scratch.mkdir()
        self.servers = Servers(self.loop, folder, scratch, 1, self.heard)
        self.servers.fence(clock.monotonic() + 60)

    def file(self, name: str, source: str = "") -> str:
        path = self.folder / "bundles" / "v1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return name

    def open(self, name: str) -> FileServer:
        server = self.servers.get("v1", self.file(name))
        self.until(lambda: server.ready)
        return server

    def until(self, done: Callable[[], bool]) -> None:
        deadline = clock.monotonic() + WAIT_S
        self.loop.at(deadline, lambda: None)
        while not done():
            assert clock.monotonic() < deadline, vars(self.heard)
            self.loop.turn()


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[Driven]:
    driven = Driven(tmp_path)
    yield driven
    driven.servers.end()
    driven.loop.selector.close()


def test_an_import_that_takes_too_long(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "IMPORT_S_MAX", 0.2)
    driven.servers.get("v1", driven.file("slow.py", "import time\ntime.sleep(60)\n"))
    driven.until(lambda: bool(driven.heard.gone))
    assert driven.heard.gone == [("slow.py", "import", "importing slow.py took longer than 0.2 s")]


@pytest.mark.parametrize(
    ("number", "cause", "detail"),
    [
        (signal.SIGSEGV, "import", "importing dies.py was ended by SIGSEGV"),
        (signal.SIGTERM, "server", "the process that imports dies.py was ended by SIGTERM"),
        (
            signal.SIGKILL,
            "server",
            "the process that imports dies.py was ended by SIGKILL: the machine may be out of memory",
        ),
    ],
)
def test_a_crash_is_the_files_own_and_a_kill_is_not(
    driven: Driven, number: int, cause: str, detail: str
) -> None:
    driven.servers.get("v1", driven.file("dies.py", f"import os\nos.kill(os.getpid(), {number})\n"))
    driven.until(lambda: bool(driven.heard.gone))
    assert driven.heard.gone == [("dies.py", cause, detail)]


def suspended_child(driven: Driven) -> tuple[FileServer, Watch, Attempt, Child]:
    """A child asked of a server that is suspended, and of which nobody looks whether it is."""
    server = driven.open("a.py")
    os.kill(server.pid, signal.SIGSTOP)
    children = Children(driven.loop, Masker(()), driven.heard)
    child = children.fork(server, ahead=False)
    assert child is not None
    attempt = cast(Attempt, SimpleNamespace(child=child))
    child.attempt, child.ordered_at = attempt, clock.monotonic()
    return server, Watch(driven.loop, driven.servers, children), attempt, child


def test_a_server_that_does_not_kill_is_killed(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "KILL_S_MAX", 0.1)
    _, watching, attempt, child = suspended_child(driven)
    watching.kill(attempt, child)
    driven.until(lambda: bool(driven.heard.gone))
    assert driven.heard.gone == [("a.py", "server", "the fork server was ended by SIGKILL")]
    children_closed(watching, child)


def test_a_server_that_does_not_fork_is_killed(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, watching, _, child = suspended_child(driven)
    watching.end_silent()
    assert driven.servers.known, "it has a minute"
    monkeypatch.setattr(watch, "START_S_MAX", 0.0)
    watching.end_silent()
    driven.until(lambda: bool(driven.heard.gone))
    assert server.shut
    children_closed(watching, child)


def children_closed(watching: Watch, child: Child) -> None:
    watching.children.close(child)
    assert not watching.children.by_mark


def test_the_longest_unused_makes_room(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    driven.servers.alive_max = 2
    first, second = driven.open("a.py"), driven.open("b.py")
    driven.open("a.py")
    driven.open("c.py")
    assert driven.heard.shut == ["b.py"]
    assert second.shut
    assert not first.shut
    driven.until(lambda: bool(driven.heard.gone))
    first.marks.add(1)  # a busy one stays, though there are too many
    driven.open("d.py")
    assert driven.heard.shut == ["b.py", "c.py"]


def test_idle_servers_end(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    idle, busy = driven.open("a.py"), driven.open("b.py")
    assert driven.servers.retire_idle(unused_s=60) == []
    assert driven.servers.retire_idle(unused_s=0) == [idle, busy]
    busy.marks.add(1)
    monkeypatch.setattr(servers, "IDLE_S_MAX", 0.0)
    driven.servers.retire_idle(unused_s=60)
    driven.until(lambda: bool(driven.heard.gone))
    assert [file for file, _, _ in driven.heard.gone] == ["a.py"]


def test_an_import_may_take_longer_than_the_fence(fenced: Gateway) -> None:
    fenced.bundle(f"import time\ntime.sleep(4)\n{FLOW}", version="slow")
    grant = grant_of("hello")
    fenced.grant(grant, version="slow")
    ended = fenced.ended(grant.key)
    assert ended.outcome == "success", ended
