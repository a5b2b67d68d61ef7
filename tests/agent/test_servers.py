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
from headway.agent.starting import last_line
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


MISSING = "ImportError: libspec.so: cannot open shared object file"


def broken_environment(folder: Path) -> dict[str, str]:
    """One in which the base server cannot import what all tasks need."""
    (folder / "msgspec.py").write_text(
        "raise ImportError('libspec.so: cannot open shared object file')\n"
    )
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_a_base_server_that_fails_at_its_start_says_why(
    driven: Driven,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Its exit code and the last line of what it said: no signal ended it, and memory is not short."""
    (tmp_path / "broken").mkdir()
    broken = broken_environment(tmp_path / "broken")
    monkeypatch.setattr(servers, "environment", lambda: broken)
    driven.servers.get("v1", driven.file("a.py"))
    driven.until(lambda: bool(driven.heard.gone))
    why = f"the fork server exited with code 1 at its start: {MISSING}"
    assert driven.heard.gone == [("a.py", "server", why)]
    assert MISSING in capfd.readouterr().err, "the log of the agent has all of it"
    monkeypatch.undo()
    driven.open("b.py")  # the next one begins anew
    assert driven.heard.ready == ["b.py"]


def test_a_base_server_that_may_not_be_started_says_why(
    driven: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("no program")
    monkeypatch.setattr(servers, "PYTHON", str(python))
    for name in ("a.py", "b.py"):
        driven.servers.get("v1", driven.file(name))
    driven.until(lambda: len(driven.heard.gone) == 2)
    why = f"the fork server cannot be started: Permission denied: {python}"
    assert driven.heard.gone == [("a.py", "server", why), ("b.py", "server", why)]
    monkeypatch.undo()
    driven.open("c.py")


def test_a_base_server_that_is_killed_is_told_with_the_signal(driven: Driven) -> None:
    driven.open("a.py")
    assert driven.servers.base is not None
    driven.servers.base.kill()
    driven.until(lambda: bool(driven.heard.gone))
    why = "the fork server was ended by SIGKILL: the machine may be out of memory"
    assert driven.heard.gone == [("a.py", "server", why)]


def test_a_base_server_that_can_work_writes_to_the_log_of_the_agent(
    driven: Driven, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also what it said before: a warning at the start is not lost."""
    verbose = {**os.environ, "PYTHONVERBOSE": "1"}
    monkeypatch.setattr(servers, "environment", lambda: verbose)
    driven.open("a.py")
    assert driven.servers.base is not None
    assert "import 'headway'" in capfd.readouterr().err
    assert os.readlink(f"/proc/{driven.servers.base.pid}/fd/2") == os.readlink("/proc/self/fd/2")


@pytest.mark.parametrize(
    ("text", "line"),
    [("", ""), ("a\nb: c\n\n", "b: c"), ("x" * 400, "x" * 299 + "…"), ("a\x07b", "a b")],
)
def test_the_last_line(text: str, line: str) -> None:
    assert last_line(text) == line


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
