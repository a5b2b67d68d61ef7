from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.gateway import Gateway

FLOW = Path(__file__).with_name("flow.py").read_text()
LONG_S = 600.0  # a gateway answers only while its test listens, and a busy machine takes its time
SHORT_S = 1.5


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An agent for tests that leave it as it was; each takes runs of its own."""
    folder = tmp_path_factory.mktemp("agent")
    yield from running(folder, LONG_S)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    """An agent that the test may break."""
    yield from running(tmp_path, LONG_S)


@pytest.fixture
def fenced(tmp_path: Path) -> Iterator[Gateway]:
    """One whose fence is short."""
    yield from running(tmp_path, SHORT_S)


def running(folder: Path, fence_s: float) -> Iterator[Gateway]:
    gateway = Gateway(folder, fence_s)
    gateway.bundle(FLOW)
    try:
        gateway.start_agent(MARKS=str(folder), HEADWAY_DATABASE_URL="postgresql://canary@x")
        yield gateway
    finally:
        gateway.stop_agent()
