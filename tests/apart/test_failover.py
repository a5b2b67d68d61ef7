"""Components apart on a primary with a synchronous standby: what the loss of the primary costs."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from headway.errors import NotReachable
from headway.store.migrate import migrate
from headway.store.transact import connect
from tests.apart.install import Install, install
from tests.cli.conftest import wait_until
from tests.own_postgres import documented_user, installed_versions
from tests.replicated import FAR, Replicated, host, replicated
from tests.simulation import invariants

pytestmark = pytest.mark.long
RUNS: Final = 6


@pytest.fixture
def pair() -> Iterator[Replicated]:
    versions = installed_versions()
    with replicated(versions[max(versions)]) as found:
        yield found


def test_a_primary_that_is_killed_under_load_loses_nothing(
    pair: Replicated, tmp_path: Path
) -> None:
    with pytest.raises(NotReachable, match="is a standby") as caught:
        connect(pair.standby)
    assert "target_session_attrs=read-write" in str(caught.value)
    nothing_is_lost(pair, pair.kill_primary, tmp_path)


def test_a_host_that_is_lost_with_its_primary_is_noticed(tmp_path: Path) -> None:
    """No connection is told: what waits for an answer would do so for 15 minutes, and what listens for 2 hours."""
    versions = installed_versions()
    with host() as lost:
        if lost is None:
            pytest.skip("no network namespace can be made here")
        with replicated(versions[max(versions)], FAR, lost.through) as pair:
            nothing_is_lost(pair, lost.lose, tmp_path)


def nothing_is_lost(pair: Replicated, lose: Callable[[], None], folder: Path) -> None:
    dsn = documented_user(pair.primary, "hw", "hw")
    migrate(dsn)
    with install(folder, pair.either(dsn)) as here:
        ledger = folder / "ledger"
        run_ids = [here.trigger(ledger, f"before-{n}") for n in range(RUNS)]
        wait_until(ledger.exists, "nothing runs")
        lose()
        pair.promote()
        run_ids += [here.trigger(ledger, f"after-{n}") for n in range(RUNS)]
        assert [here.trigger(ledger, f"before-{n}") for n in range(RUNS)] == run_ids[:RUNS]
        everything_ends(here, run_ids, ledger)
    with connect(pair.either(dsn)) as conn:
        assert invariants.check(conn) == []


def everything_ends(here: Install, run_ids: list[str], ledger: Path) -> None:
    wait_until(lambda: here.go_on() and here.all_succeeded(run_ids), "not all runs end")
    starts = Counter(ledger.read_text().splitlines())
    assert max(starts.values()) == 1, "an attempt ran twice"
    assert {line.split()[0] for line in starts} == set(run_ids)
