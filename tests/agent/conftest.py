from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.gateway import Gateway

FLOW = Path(__file__).with_name("flow.py").read_text()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An agent for tests that leave it as it was; each takes runs of its own."""
    folder = tmp_path_factory.mktemp("agent")
    yield from running(folder, 10.0)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    """An agent that the test may break; its fence is short."""
    yield from running(tmp_path, 1.0)


def running(folder: Path, fence_s: float) -> Iterator[Gateway]:
    gateway = Gateway(folder, fence_s)
    gateway.bundle(FLOW)
    try:
        gateway.start_agent(MARKS=str(folder), HEADWAY_DATABASE_URL="postgresql://canary@x")
        yield gateway
    finally:
        gateway.stop_agent()
