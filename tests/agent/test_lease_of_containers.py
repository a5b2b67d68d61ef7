"""How long the container beside an agent may live."""

from pathlib import Path

from headway.agent.lease import EARLY_S, Lease


def test_an_agent_that_is_started_again_has_the_lease_of_the_one_before_it(tmp_path: Path) -> None:
    file, granted = tmp_path / "lease", tmp_path / "granted"
    first = Lease(file, granted)
    assert first.holds(1e9)  # nothing runs yet
    first.extend(100.0)
    granted.touch()
    assert first.holds(100.0 - EARLY_S - 0.1)
    assert not first.holds(100.0 - EARLY_S)
    second = Lease(file, granted)  # and it reaches nobody
    assert second.holds(50.0)
    assert not second.holds(99.0)
    second.extend(200.0)
    assert second.holds(150.0)


def test_without_a_note_nothing_may_live(tmp_path: Path) -> None:
    (tmp_path / "granted").touch()
    assert not Lease(tmp_path / "lease", tmp_path / "granted").holds(0.0)
