"""What `headway up` starts is started again when it dies or hangs, and is left alone while it lives."""

import resource
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import clock
from headway.up import component
from headway.up.component import Component
from tests.cli.conftest import PATIENCE_S

LIVELY = """
from headway import clock, pulse

while True:
    pulse.beat()
    clock.sleep(0.05)
"""
HANGING = """
from headway import clock

clock.sleep(1000)
"""


@pytest.fixture
def started(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Component]:
    (tmp_path / "part.py").write_text(request.param)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    found = Component("part", "part", [], {}, tmp_path / "part.log")
    found.start()
    yield found
    found.signal(signal.SIGKILL)
    assert found.process is None or found.process.wait(PATIENCE_S)
    found.deafen()


@pytest.mark.parametrize("started", [HANGING], indirect=True)
def test_what_gives_no_sign_of_life_is_killed_and_started_again(
    started: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component, "SILENCE_S_MAX", 0.2)
    first, said = started.pid, list[str]()
    deadline = clock.monotonic() + PATIENCE_S
    while started.starts < 2:
        assert clock.monotonic() < deadline, said
        started.look(said.append)
        clock.sleep(0.01)
    assert started.pid != first
    assert "part does not respond: no sign of life for" in said[0]
    assert any("was killed by SIGKILL; restarting" in each for each in said)


@pytest.mark.parametrize("started", [LIVELY], indirect=True)
def test_a_sign_of_life_is_heard_though_nobody_has_listened_for_long(started: Component) -> None:
    """As when the supervisor itself was stopped for a while: what was said meanwhile counts."""
    assert started.process is not None
    said = list[str]()
    for _ in range(2):
        assert select.select([started.ear], [], [], PATIENCE_S)[0], "it gave none"
        started.heard_at = float("-inf")
        started.listen(said.append)
        assert started.silent_s < PATIENCE_S
    assert said == []
    assert started.process.poll() is None


def test_what_the_system_refuses_a_start_is_asked_for_again(tmp_path: Path) -> None:
    """No descriptor left, as when others hold them all: told once, and nobody ends for it."""
    (tmp_path / "part.log").touch()
    part, said = Component("part", "part", [], {}, tmp_path / "part.log"), list[str]()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        for _ in range(3):
            part.again_at = 0.0
            part.look(said.append)
            assert part.process is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(said) == 1
    assert said[0].startswith("part cannot start now: Too many open files; retrying")
    part.again_at = 0.0
    part.look(said.append)
    assert part.process is not None
    part.process.wait(PATIENCE_S)
    part.deafen()
    assert len(said) == 1


@pytest.mark.parametrize("started", [LIVELY], indirect=True)
def test_a_log_that_cannot_be_shortened_ends_nobody(
    started: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component, "LOG_BYTES_MAX", -1)
    started.log.with_suffix(".log.1").mkdir()
    said = list[str]()
    for _ in range(3):
        started.look(said.append)
    assert started.process is not None
    assert len(said) == 1
    assert "part cannot be supervised now: Is a directory" in said[0]
