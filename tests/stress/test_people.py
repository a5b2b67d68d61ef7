"""F69: people who want different things of one run at the same instant, by real commands."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway import clock
from headway.pg import Server
from headway.store.transact import connect
from tests.cli.conftest import DAGS, headway, start, stop
from tests.simulation.invariants import check

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="as all of stress"),
]

ROUNDS = 3
DEEDS = ("cancel", "clear", "retry", "cancel", "clear")
PATIENCE_S = 60.0
LEFT = "SELECT count(*) FROM run WHERE ended_at IS NULL"
BY_PEOPLE = "SELECT count(*) FROM event WHERE actor LIKE 'user:%%' AND name IN ('cancel', 'clear')"


def test_cancel_clear_and_retry_at_the_same_instant(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "demo.py").write_text(DAGS)
    process = start(tmp_path)
    assert headway("run", "hello", cwd=tmp_path).returncode == 0
    for _ in range(ROUNDS):
        begun = headway("run", "hello", "-p", "size=30", "--detach", cwd=tmp_path)
        run_id = begun.stdout.strip()
        with ThreadPoolExecutor(len(DEEDS)) as people:
            asked = [people.submit(headway, deed, run_id, cwd=tmp_path) for deed in DEEDS]
            done = [answer.result() for answer in asked]
        for deed, answer in zip(DEEDS, done, strict=True):
            # Done, or told in one sentence why not: there was nothing left to retry, for instance.
            assert answer.returncode in (0, 2), (deed, answer.stderr)
            assert "Traceback" not in answer.stderr, (deed, answer.stderr)
        assert 0 in {answer.returncode for answer in done}
    with connect(Server(tmp_path / ".headway").dsn) as conn:
        deadline = clock.monotonic() + PATIENCE_S
        while conn.execute(LEFT).fetchone() != (0,):
            assert clock.monotonic() < deadline, "what was cleared last does not end"
            clock.sleep(0.1)
        assert check(conn) == []
        assert conn.execute(BY_PEOPLE).fetchone() != (0,)
    stop(process)
