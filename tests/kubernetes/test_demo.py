"""``make kubernetes-demo`` is its own test."""

import pytest

from tests.kubernetes.demo import main


@pytest.mark.stress
@pytest.mark.long
def test_the_demo_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert "nothing was lost" in capsys.readouterr().out
